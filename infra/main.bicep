// Everything of one environment, into one resource group; long because all parameters stand here. Container groups go there too, unless
// they are given a group of their own.
//
//   az deployment group create --resource-group RESOURCE-GROUP --parameters infra/environments/dev.bicepparam

import * as ids from 'ids.bicep'
import { containerSubnet } from 'names.bicep'
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

@description('Region of everything but the container groups of extraTargets.')
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

@export()
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

@description('Node.js of the app; Azure supports both.')
param nodeVersion '22' | '24' = '24'

@description('Memory of an instance on Flex Consumption; what it costs grows with it.')
param instanceMemoryMB 512 | 2048 | 4096 = 2048

@description('The most instances that a function scales to.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Instances for HTTP that never go away: no cold start, at a price (docs/deploy.md).')
@minValue(0)
@maxValue(20)
param alwaysReadyHttp int = 0

@description('As alwaysReadyHttp, for the function that starts jobs: the queue aci-jobs.')
@minValue(0)
@maxValue(20)
param alwaysReadyProvisioner int = 0

@description('As alwaysReadyHttp, for the function that looks after jobs that run: the queue aci-wake.')
@minValue(0)
@maxValue(20)
param alwaysReadyWake int = 0

@description('As alwaysReadyHttp, for the function that reads Azure\'s events: the queue aci-events.')
@minValue(0)
@maxValue(20)
param alwaysReadyEvents int = 0

@description('Teams that share the installation, by name (docs/teams.md). Empty: no teams.')
param teams object = {}

@description('App settings beyond those that this template sets, by name (docs/settings.md).')
param extraSettings object = {}

// ---- What there is already

@description('Id of a container registry that there is already; in another resource group or subscription too. Empty: one is made.')
param existingRegistryId string = ''

@description('Id of a Data Factory that there is already. It needs a system-assigned identity, which gets its roles; the factory itself is not changed, so that its pipelines are imported by hand (docs/data-factory.md). Empty: one is made.')
param existingFactoryId string = ''

@description('Id of a Log Analytics workspace that there is already. Application Insights is still made: it costs nothing itself. Empty: a workspace is made.')
param existingWorkspaceId string = ''

@description('Ids of action groups that there are already: who is told of alerts, besides alertEmail.')
param existingActionGroupIds string[] = []

@description('With network: id of a subnet that there is already for the app, delegated to Microsoft.App/environments (on a dedicated plan to Microsoft.Web/serverFarms). The three subnets are given together, and are of one virtual network in this region. Empty: a network is made.')
param existingAppSubnetId string = ''

@description('With network: id of a subnet that there is already for container groups, delegated to Microsoft.ContainerInstance/containerGroups, with a way out (a NAT gateway or firewall).')
param existingContainerSubnetId string = ''

@description('With network: id of a subnet that there is already for private endpoints, with no delegation.')
param existingEndpointSubnetId string = ''

@description('With network: id of a resource group that holds the private DNS zones (privatelink.blob.core.windows.net and so on) already, linked to the network. Empty: zones are made and linked.')
param existingDnsZonesGroupId string = ''

// ---- Options

@description('Turns the registry\'s admin user on and puts its name and password into the vault, so that the original\'s pipeline runs unchanged. Off: images are pulled with an identity.')
param legacyRegistryCredentials bool = false

@description('An Event Grid topic that gets an event when a job is accepted, starts, is tried again and ends (docs/events.md).')
param eventTopic bool = false

@description('A virtual network: a subnet for container groups with a way out, private endpoints for storage and the jobs\' vault. The existing... parameters put them into a network that there is already.')
param network bool = false

@description('Addresses of a network that is made here: an IPv4 block of /22 or larger.')
param networkAddressPrefix string = '10.70.0.0/16'

@description('With network: a private endpoint for the app, which takes no call from outside the network any more, a deployment neither (docs/deploy.md says how to deploy then, and what Data Factory needs).')
param privateInbound bool = false

@description('Who may call the app: blocks of addresses (203.0.113.0/24) and Azure\'s service tags (DataFactory). Empty: everybody who has a key or token.')
param allowedCallers string[] = []

@description('Those of allowedCallers alone may deploy code, too. Off: whoever has the right in Azure may, from everywhere.')
param restrictDeployment bool = false

@description('LRS keeps copies in one datacenter, ZRS in three zones of the region. For a new installation: Azure converts an account only on request.')
param storageRedundancy 'LRS' | 'ZRS' = 'LRS'

@description('Days for which deleted blobs and containers can be brought back: captured logs, sealed definitions, the package. Kept blobs cost as others do. 0: not at all; the data lake keeps 7 days at least.')
@minValue(0)
@maxValue(365)
param softDeleteDays int = 0

@description('Calls to the jobs\' tables and queues that go to the workspace: who deleted a row, say. Each call is a line of about 1 KB at the workspace\'s price (docs/costs.md).')
param storageLogs ('StorageRead' | 'StorageWrite' | 'StorageDelete')[] = []

@description('Gigabytes a day after which the workspace takes in nothing more until the next day, with an alert. 0: no cap. A workspace that there is already keeps its own.')
@minValue(0)
param dailyCapGb int = 1

@description('Deleted vaults and keys can\'t be purged before their time. For production; it can\'t be turned off again, and names stay taken for 90 days.')
param purgeProtection bool = false

@description('Who is told of alerts by mail. Empty, and no existingActionGroupIds: they show in the portal only.')
param alertEmail string = ''

@description('Object id of a person, group or service principal that may put secrets into the vaults. Empty: nobody.')
param administratorId string = ''

@description('What administratorId is.')
param administratorType 'User' | 'Group' | 'ServicePrincipal' = 'User'

@description('Containers of the data lake.')
param dataLakeContainers string[] = ['datalake']

// ---- What follows from the parameters

var existingSubnetIds = [existingAppSubnetId, existingContainerSubnetId, existingEndpointSubnetId]
var givenSubnetIds = filter(existingSubnetIds, id => !empty(id))
var ownNetwork = network && empty(givenSubnetIds)

var alwaysReady = {
  http: alwaysReadyHttp
  'function:provisioner': alwaysReadyProvisioner
  'function:wake': alwaysReadyWake
  'function:events': alwaysReadyEvents
}

// What contradicts itself, all of it at once.
var wrong = filter(
  concat(
    [
      ids.wrongId('existingRegistryId', existingRegistryId, 'Microsoft.ContainerRegistry/registries')
      ids.wrongId('existingFactoryId', existingFactoryId, 'Microsoft.DataFactory/factories')
      ids.wrongId('existingWorkspaceId', existingWorkspaceId, 'Microsoft.OperationalInsights/workspaces')
      ids.wrongId('existingAppSubnetId', existingAppSubnetId, 'Microsoft.Network/virtualNetworks/subnets')
      ids.wrongId('existingContainerSubnetId', existingContainerSubnetId, 'Microsoft.Network/virtualNetworks/subnets')
      ids.wrongId('existingEndpointSubnetId', existingEndpointSubnetId, 'Microsoft.Network/virtualNetworks/subnets')
      ids.wrongGroupId('existingDnsZonesGroupId', existingDnsZonesGroupId)
      !network && !empty(concat(givenSubnetIds, empty(existingDnsZonesGroupId) ? [] : [existingDnsZonesGroupId]))
        ? 'existingAppSubnetId, existingContainerSubnetId, existingEndpointSubnetId and existingDnsZonesGroupId need network: set network to true, or leave them out.'
        : ''
      !empty(givenSubnetIds) && length(union(map(givenSubnetIds, id => toLower(id)), [])) < 3 ? 'existingAppSubnetId, existingContainerSubnetId and existingEndpointSubnetId are given together, and are three subnets.' : ''
      length(union(map(givenSubnetIds, id => toLower(split(id, '/subnets/')[0])), [])) > 1 ? 'existingAppSubnetId, existingContainerSubnetId and existingEndpointSubnetId must be subnets of one virtual network.' : ''
      plan == 'FlexConsumption' && contains(last(split(existingAppSubnetId, '/')), '_')
        ? 'existingAppSubnetId names a subnet with an underscore, which Flex Consumption does not take.'
        : ''
      privateInbound && !network ? 'privateInbound needs network: set network to true.' : ''
      privateInbound && !empty(allowedCallers)
        ? 'privateInbound closes the app to all of the internet, so allowedCallers would open nothing: set one of the two.'
        : ''
      restrictDeployment && empty(allowedCallers)
        ? 'restrictDeployment needs allowedCallers: without it nobody is named.'
        : ''
      plan == 'Dedicated' && !empty(filter(items(alwaysReady), entry => entry.value > 0))
        ? 'alwaysReadyHttp and its like are for Flex Consumption: a dedicated plan is always there.'
        : ''
    ],
    map(existingActionGroupIds, id => ids.wrongId('existingActionGroupIds', id, 'Microsoft.Insights/actionGroups')),
    map(allowedCallers, caller => naming.wrongCaller(caller))
  ),
  sentence => !empty(sentence)
)

var name = empty(wrong) ? naming.checkedPrefix(prefix, '${resourceGroup().id}/${env}') : fail(join(wrong, ' '))
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

var here = { subscriptionId: subscription().subscriptionId, resourceGroup: resourceGroup().name }

var registryPlace = empty(existingRegistryId) ? { ...here, name: names.registry } : ids.placeOf(existingRegistryId)
var factoryPlace = empty(existingFactoryId) ? { ...here, name: names.factory } : ids.placeOf(existingFactoryId)
var networkPlace = empty(givenSubnetIds) ? { ...here, name: names.network } : ids.placeOf(existingContainerSubnetId)

var networkId = resourceId(
  networkPlace.subscriptionId,
  networkPlace.resourceGroup,
  'Microsoft.Network/virtualNetworks',
  networkPlace.name
)
var subnetIds = empty(givenSubnetIds)
  ? {
      app: '${networkId}/subnets/app'
      containers: '${networkId}/subnets/${containerSubnet}'
      endpoints: '${networkId}/subnets/endpoints'
    }
  : { app: existingAppSubnetId, containers: existingContainerSubnetId, endpoints: existingEndpointSubnetId }

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
    existingWorkspaceId: existingWorkspaceId
    workspaceName: names.workspace
    insightsName: names.insights
    location: location
    tags: allTags
    dailyCapGb: dailyCapGb
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: names.functionsStorage
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    redundancy: storageRedundancy
    softDeleteDays: softDeleteDays
    logs: storageLogs
    private: network
  }
}

module dataLake 'modules/data-lake.bicep' = {
  params: {
    name: names.dataLake
    containers: dataLakeContainers
    redundancy: storageRedundancy
    softDeleteDays: softDeleteDays
    location: location
    tags: allTags
  }
}

module registry 'modules/registry.bicep' = if (empty(existingRegistryId)) {
  params: {
    name: names.registry
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    adminUser: legacyRegistryCredentials
  }
}

module registryAccess 'modules/registry-access.bicep' = {
  scope: resourceGroup(registryPlace.subscriptionId, registryPlace.resourceGroup)
  params: {
    registryName: registryPlace.name
    pullPrincipalId: identities.outputs.pullPrincipalId
  }
  dependsOn: [registry]
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

module virtualNetwork 'modules/network.bicep' = if (ownNetwork) {
  params: {
    name: names.network
    natName: names.nat
    location: location
    tags: allTags
    addressPrefix: naming.checkedBlock(networkAddressPrefix)
    plan: plan
  }
}

module subnetAccess 'modules/subnet-access.bicep' = if (network) {
  scope: resourceGroup(networkPlace.subscriptionId, networkPlace.resourceGroup)
  params: {
    networkName: networkPlace.name
    subnetName: last(split(subnetIds.containers, '/'))
    appPrincipalId: identities.outputs.appPrincipalId
  }
  dependsOn: [virtualNetwork]
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
      existingZonesGroupId: existingDnsZonesGroupId
      networkId: networkId
      subnetId: subnetIds.endpoints
      location: location
      tags: allTags
    }
    dependsOn: [virtualNetwork]
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

module factory 'modules/data-factory.bicep' = if (empty(existingFactoryId)) {
  params: {
    name: names.factory
    prefix: name
    env: env
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    dataLakeUrl: 'https://${names.dataLake}.dfs.${environment().suffixes.storage}'
    dataLakeContainer: dataLakeContainers[?0] ?? 'datalake'
  }
}

module existingFactory 'modules/existing-factory.bicep' = if (!empty(existingFactoryId)) {
  scope: resourceGroup(factoryPlace.subscriptionId, factoryPlace.resourceGroup)
  params: { name: factoryPlace.name }
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
    options: concat(eventTopic ? ['eventTopic'] : [], empty(administratorId) ? [] : ['administrator'])
    appPrincipalId: identities.outputs.appPrincipalId
    factoryPrincipalId: empty(existingFactoryId) ? factory!.outputs.principalId : existingFactory!.outputs.principalId
    topicPrincipalIds: [for (place, i) in groupsPlaces: groups[i].outputs.topicPrincipalId]
    administratorId: administratorId
    administratorType: administratorType
  }
  dependsOn: [storage, dataLake, vaults, topic]
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
    alwaysReady: alwaysReady
    privateInbound: privateInbound
    callers: concat(
      map(allowedCallers, caller => { address: caller, tag: contains(caller, '/') ? 'Default' : 'ServiceTag' }),
      // What our own containers send to the app comes from there.
      ownNetwork && !empty(allowedCallers)
        ? [{ address: '${virtualNetwork!.outputs.natAddress}/32', tag: 'Default' }]
        : []
    )
    restrictDeployment: restrictDeployment
    packageUri: storage.outputs.packageUri
    subnetId: network ? subnetIds.app : ''
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
        PULL_REGISTRY: registryAccess.outputs.loginServer
        SEAL_KEY_ID: vaults.outputs.sealKeyId
        TARGETS: join(map(targets, place => '${place.subscriptionId}/${place.resourceGroup}/${place.location}'), ',')
        VAULT_SECRET_PREFIX: 'job-'
        VAULT_URL: vaults.outputs.jobVaultUri
      },
      eventTopic ? { EVENT_TOPIC_ENDPOINT: topic!.outputs.endpoint } : {},
      network ? { POLICY_SUBNETS: subnetIds.containers } : {},
      empty(teams) ? {} : { TEAMS: string(teams) },
      extraSettings
    )
  }
  dependsOn: [access, subnetAccess, privateEndpoints]
}

module appEndpoint 'modules/private-endpoint.bicep' = if (privateInbound) {
  params: {
    group: 'sites'
    targetId: host.outputs.id
    zoneName: 'privatelink.${naming.websites[environment().name]}'
    existingZonesGroupId: existingDnsZonesGroupId
    networkId: networkId
    subnetId: subnetIds.endpoints
    location: location
    tags: allTags
  }
}

module secrets 'modules/secrets.bicep' = {
  params: {
    vaultName: names.vault
    registry: registryPlace
    loginServer: registryAccess.outputs.loginServer
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
    insightsName: names.insights
    appName: names.app
    email: naming.checkedEmail(alertEmail)
    existingActionGroupIds: existingActionGroupIds
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
output CONTAINER_REGISTRY string = registryAccess.outputs.loginServer
output CONTAINER_SUBNET string = network ? subnetIds.containers : 'none: network is off'
output DATA_FACTORY string = factoryPlace.name
output FUNCTION_APP string = names.app
output FUNCTION_APP_URL string = 'https://${host.outputs.hostName}'
output JOB_VAULT string = names.jobVault
output KEY_VAULT string = names.vault
output NEXT_1_CODE string = 'bash infra/publish.sh ${resourceGroup().name}'
output NEXT_2_IMAGE string = 'az acr build --registry ${registryPlace.name} --image container1:latest Containers/container1'
output NEXT_3_PIPELINE string = 'https://adf.azure.com/en/authoring?factory=${uriComponent(resourceId(factoryPlace.subscriptionId, factoryPlace.resourceGroup, 'Microsoft.DataFactory/factories', factoryPlace.name))}'
