// Everything of one environment, into one resource group. Container groups go there too, unless they are given a group of their own.
//
//   az deployment group create --resource-group RESOURCE-GROUP --parameters infra/environments/dev.bicepparam

import * as naming from 'naming.bicep'

targetScope = 'resourceGroup'

// ---- Names

@description('Begins the name of everything, which must be unique in all of Azure: up to 9 lower-case letters and digits, the first a letter. Empty: one is made from the resource group\'s id.')
@maxLength(9)
param prefix string = ''

@description('Ends the name of everything, and tells pipelines where they are: 1 to 4 lower-case letters and digits, like dev or prod.')
@minLength(1)
@maxLength(4)
param env string = 'dev'

param location string = resourceGroup().location

@description('Added to every resource.')
param tags object = {}

// ---- Where container groups run

@description('An existing resource group for the container groups, best one that holds nothing else.')
@minLength(1)
@maxLength(90)
param groupsResourceGroup string = resourceGroup().name

@description('Further places for container groups, in order: a definition without a location goes to the first with room. Resource groups must exist.')
param extraTargets target[] = []

type target = {
  @description('Absent: this subscription.')
  subscriptionId: string?

  @description('Absent: the groups\' resource group.')
  resourceGroup: string?

  @description('Region, like northeurope.')
  location: string
}

@description('System topics that resource groups have already, by the group\'s name: Azure allows one for each, so that one is used. It needs a system-assigned identity.')
param existingSystemTopics object = {}

// ---- How the app runs

@description('Flex Consumption costs nothing while nothing happens; a dedicated plan has deployment slots and no cold start.')
param plan 'FlexConsumption' | 'Dedicated' = 'FlexConsumption'

@description('Size of a dedicated plan.')
param dedicatedSku 'B1' | 'B2' | 'S1' | 'P0v3' | 'P1v3' = 'B1'

param nodeVersion '22' | '24' = '22'
param instanceMemoryMB 512 | 2048 | 4096 = 2048

@description('The most instances that a function scales to.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Instances for HTTP that never go away: no cold start, at a price (docs/deploy.md).')
@minValue(0)
@maxValue(20)
param alwaysReadyHttp int = 0

@description('App settings beyond those that this template sets, by name (docs/settings.md).')
param extraSettings object = {}

// ---- Options

@description('Turns the registry\'s admin user on and puts its name and password into the vault, so that the original\'s pipeline runs unchanged. Off: images are pulled with an identity.')
param legacyRegistryCredentials bool = false

@description('An Event Grid topic that gets an event when a job is accepted, starts, is tried again and ends (docs/events.md).')
param eventTopic bool = false

@description('A virtual network: a subnet for container groups with a way out, private endpoints for storage and the jobs\' vault.')
param network bool = false

@description('Addresses of that network: an IPv4 block of /22 or larger.')
param networkAddressPrefix string = '10.70.0.0/16'

@description('Deleted vaults and keys can\'t be purged before their time. For production; it can\'t be turned off again, and names stay taken for 90 days.')
param purgeProtection bool = false

@description('Who is told of alerts. Empty: they show in the portal only.')
param alertEmail string = ''

@description('Object id of a person, group or service principal that may put secrets into the vaults. Empty: nobody.')
param administratorId string = ''
param administratorType 'User' | 'Group' | 'ServicePrincipal' = 'User'

@description('Containers of the data lake.')
param dataLakeContainers string[] = ['datalake']

// ---- What follows from the parameters

var name = naming.checkedPrefix(prefix, '${resourceGroup().id}/${env}')
var names = naming.namesOf(name, naming.checkedEnv(env))

var allTags = union({ ENV: toUpper(env), PROJECT: 'aci-proxy' }, tags)

var targets = concat(
  [{ subscriptionId: subscription().subscriptionId, resourceGroup: groupsResourceGroup, location: location }],
  map(extraTargets, extra => {
    subscriptionId: extra.?subscriptionId ?? subscription().subscriptionId
    resourceGroup: extra.?resourceGroup ?? groupsResourceGroup
    location: extra.location
  })
)

var groupsPlaces = union(
  map(targets, place => { subscriptionId: place.subscriptionId, resourceGroup: place.resourceGroup }),
  []
)

var topicNames = [for place in groupsPlaces: existingSystemTopics[?place.resourceGroup] ?? 'aci-proxy-events']

// ---- Resources

module identities 'modules/identities.bicep' = {
  params: {
    appIdentityName: names.appIdentity
    pullIdentityName: names.pullIdentity
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    workspaceName: names.workspace
    insightsName: names.insights
    location: location
    tags: allTags
    dailyCapGb: 1
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: names.functionsStorage
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    private: network
  }
}

module dataLake 'modules/data-lake.bicep' = {
  params: {
    name: names.dataLake
    containers: dataLakeContainers
    location: location
    tags: allTags
  }
}

module registry 'modules/registry.bicep' = {
  params: {
    name: names.registry
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    adminUser: legacyRegistryCredentials
  }
}

module vaults 'modules/vaults.bicep' = {
  params: {
    vaultName: names.vault
    jobVaultName: names.jobVault
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    purgeProtection: purgeProtection
    private: network
  }
}

module virtualNetwork 'modules/network.bicep' = if (network) {
  params: {
    name: names.network
    natName: names.nat
    location: location
    tags: allTags
    addressPrefix: naming.checkedBlock(networkAddressPrefix)
    plan: plan
  }
}

module privateEndpoints 'modules/private-endpoint.bicep' = [
  for door in network
    ? [
        { group: 'blob', domain: 'blob.${environment().suffixes.storage}' }
        { group: 'queue', domain: 'queue.${environment().suffixes.storage}' }
        { group: 'table', domain: 'table.${environment().suffixes.storage}' }
        { group: 'vault', domain: replace(substring(environment().suffixes.keyvaultDns, 1), 'vault.', 'vaultcore.') }
      ]
    : []: {
    params: {
      group: door.group
      targetId: door.group == 'vault' ? vaults.outputs.jobVaultId : storage.outputs.id
      zoneName: 'privatelink.${door.domain}'
      networkId: virtualNetwork!.outputs.id
      subnetId: virtualNetwork!.outputs.endpointSubnetId
      location: location
      tags: allTags
    }
  }
]

module groups 'modules/groups.bicep' = [
  for place in groupsPlaces: {
    scope: resourceGroup(place.subscriptionId, place.resourceGroup)
    params: {
      appPrincipalId: identities.outputs.appPrincipalId
      tags: allTags
      existingTopicName: existingSystemTopics[?place.resourceGroup] ?? ''
    }
  }
]

module factory 'modules/data-factory.bicep' = {
  params: {
    name: names.factory
    prefix: name
    env: env
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module topic 'modules/topic.bicep' = if (eventTopic) {
  params: {
    name: names.topic
    location: location
    tags: allTags
  }
}

module access 'modules/access.bicep' = {
  params: {
    names: names
    options: concat(
      network ? ['network'] : [],
      eventTopic ? ['eventTopic'] : [],
      empty(administratorId) ? [] : ['administrator']
    )
    subnetJoinRoleId: network ? virtualNetwork!.outputs.subnetJoinRoleId : ''
    appPrincipalId: identities.outputs.appPrincipalId
    pullPrincipalId: identities.outputs.pullPrincipalId
    factoryPrincipalId: factory.outputs.principalId
    topicPrincipalIds: [for (place, i) in groupsPlaces: groups[i].outputs.topicPrincipalId]
    administratorId: administratorId
    administratorType: administratorType
  }
  dependsOn: [storage, dataLake, vaults, registry, topic]
}

module events 'modules/events.bicep' = [
  for (place, i) in groupsPlaces: {
    scope: resourceGroup(place.subscriptionId, place.resourceGroup)
    params: {
      topicName: topicNames[i]
      subscriptionName: names.app
      storageId: storage.outputs.id
    }
    dependsOn: [access]
  }
]

module host 'modules/host.bicep' = {
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: union(allTags, { 'aci-proxy-vault': names.vault })
    workspaceId: monitoring.outputs.workspaceId
    identityId: identities.outputs.appId
    plan: plan
    dedicatedSku: dedicatedSku
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    alwaysReadyHttp: alwaysReadyHttp
    packageUri: storage.outputs.packageUri
    subnetId: network ? virtualNetwork!.outputs.appSubnetId : ''
    settings: union(
      {
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identities.outputs.appClientId};Authorization=AAD'
        APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
        APPLICATION_INSIGHTS_NO_STATSBEAT: 'true'
        AZURE_CLIENT_ID: identities.outputs.appClientId
        AZURE_LOCATION: location
        AZURE_RESOURCE_GROUP: groupsResourceGroup
        AZURE_RESOURCE_MANAGER_ENDPOINT: environment().resourceManager
        AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
        AzureWebJobsStorage__blobServiceUri: storage.outputs.blobUri
        AzureWebJobsStorage__clientId: identities.outputs.appClientId
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__queueServiceUri: storage.outputs.queueUri
        AzureWebJobsStorage__tableServiceUri: storage.outputs.tableUri
        PULL_IDENTITY: identities.outputs.pullId
        PULL_REGISTRY: registry.outputs.loginServer
        SEAL_KEY_ID: vaults.outputs.sealKeyId
        TARGETS: join(map(targets, place => '${place.subscriptionId}/${place.resourceGroup}/${place.location}'), ',')
        VAULT_SECRET_PREFIX: 'job-'
        VAULT_URL: vaults.outputs.jobVaultUri
      },
      eventTopic ? { EVENT_TOPIC_ENDPOINT: topic!.outputs.endpoint } : {},
      network ? { POLICY_SUBNETS: virtualNetwork!.outputs.containerSubnetId } : {},
      extraSettings
    )
  }
  dependsOn: [access, privateEndpoints]
}

module secrets 'modules/secrets.bicep' = {
  params: {
    vaultName: names.vault
    registryName: names.registry
    insightsName: names.insights
    dataLakeName: dataLake.outputs.name
    proxyUrl: 'https://${host.outputs.hostName}'
    groupsSubscriptionId: subscription().subscriptionId
    groupsResourceGroup: groupsResourceGroup
    registryCredentials: legacyRegistryCredentials
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    email: naming.checkedEmail(alertEmail)
    topicIds: [
      for (place, i) in groupsPlaces: resourceId(
        place.subscriptionId,
        place.resourceGroup,
        'Microsoft.EventGrid/systemTopics',
        topicNames[i]
      )
    ]
  }
  dependsOn: [groups]
}

// ---- What a newcomer needs next

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = resourceGroup().name
output CONTAINER_REGISTRY string = registry.outputs.loginServer
output CONTAINER_SUBNET string = network ? virtualNetwork!.outputs.containerSubnetId : 'none: network is off'
output DATA_FACTORY string = names.factory
output FUNCTION_APP string = names.app
output FUNCTION_APP_URL string = 'https://${host.outputs.hostName}'
output JOB_VAULT string = names.jobVault
output KEY_VAULT string = names.vault
output NEXT_1_CODE string = 'bash infra/publish.sh ${resourceGroup().name}'
output NEXT_2_IMAGE string = 'az acr build --registry ${names.registry} --image container1:latest Containers/container1'
output NEXT_3_PIPELINE string = 'https://adf.azure.com/en/authoring?factory=${uriComponent(resourceId('Microsoft.DataFactory/factories', names.factory))}'
