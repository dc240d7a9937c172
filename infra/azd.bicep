// For `azd up`: makes the resource groups, then deploys main.bicep into the first. `az deployment group create` needs none of this.

import { target } from 'main.bicep'

targetScope = 'subscription'

@description('Name of the azd environment; names the resource groups.')
@minLength(1)
@maxLength(60)
param environmentName string

@minLength(1)
param location string

@description('See main.bicep.')
@maxLength(9)
param prefix string = ''

@description('See main.bicep.')
@minLength(1)
@maxLength(4)
param env string = 'dev'

@description('See main.bicep.')
param extraTargets target[] = []

@description('See main.bicep.')
param existingSystemTopics object = {}

@description('See main.bicep.')
param plan 'FlexConsumption' | 'Dedicated' = 'FlexConsumption'

@description('See main.bicep.')
param dedicatedSku 'B1' | 'B2' | 'S1' | 'P0v3' | 'P1v3' = 'B1'

@description('See main.bicep.')
param nodeVersion '22' | '24' = '24'

@description('See main.bicep.')
param instanceMemoryMB 512 | 2048 | 4096 = 2048

@description('See main.bicep.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('See main.bicep.')
@minValue(0)
@maxValue(20)
param alwaysReadyHttp int = 0

@description('See main.bicep.')
@minValue(0)
@maxValue(20)
param alwaysReadyProvisioner int = 0

@description('See main.bicep.')
@minValue(0)
@maxValue(20)
param alwaysReadyWake int = 0

@description('See main.bicep.')
@minValue(0)
@maxValue(20)
param alwaysReadyEvents int = 0

@description('See main.bicep.')
param teams object = {}

@description('See main.bicep.')
param extraSettings object = {}

@description('See main.bicep.')
param existingRegistryId string = ''

@description('See main.bicep.')
param existingFactoryId string = ''

@description('See main.bicep.')
param existingWorkspaceId string = ''

@description('See main.bicep.')
param existingActionGroupIds string[] = []

@description('See main.bicep.')
param existingAppSubnetId string = ''

@description('See main.bicep.')
param existingContainerSubnetId string = ''

@description('See main.bicep.')
param existingEndpointSubnetId string = ''

@description('See main.bicep.')
param existingDnsZonesGroupId string = ''

@description('See main.bicep.')
param legacyRegistryCredentials bool = false

@description('See main.bicep.')
param eventTopic bool = false

@description('See main.bicep.')
param network bool = false

@description('See main.bicep.')
param networkAddressPrefix string = '10.70.0.0/16'

@description('See main.bicep.')
param privateInbound bool = false

@description('See main.bicep.')
param allowedCallers string[] = []

@description('See main.bicep.')
param restrictDeployment bool = false

@description('See main.bicep.')
param storageRedundancy 'LRS' | 'ZRS' = 'LRS'

@description('See main.bicep.')
@minValue(0)
@maxValue(365)
param softDeleteDays int = 0

@description('See main.bicep.')
param storageLogs ('StorageRead' | 'StorageWrite' | 'StorageDelete')[] = []

@description('See main.bicep.')
@minValue(0)
param dailyCapGb int = 1

@description('See main.bicep.')
param purgeProtection bool = false

@description('See main.bicep.')
param alertEmail string = ''

@description('See main.bicep.')
param dataLakeContainers string[] = ['datalake']

@description('Added to every resource, besides azd\'s own.')
param tags object = {}

@description('A resource group for the container groups that there is already. Empty: one is made.')
@maxLength(90)
param groupsResourceGroup string = ''

@description('Who may put secrets into the vaults: whoever runs azd, unless it is said otherwise.')
param administratorId string = ''
param administratorType 'User' | 'Group' | 'ServicePrincipal' = 'User'

var allTags = union(tags, { 'azd-env-name': environmentName })

resource app 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: allTags
}

@description('Container groups get a resource group of their own: what the app may do there touches nothing else, and its events are theirs alone.')
resource groups 'Microsoft.Resources/resourceGroups@2024-03-01' = if (empty(groupsResourceGroup)) {
  name: 'rg-${environmentName}-groups'
  location: location
  tags: allTags
}

module main 'main.bicep' = {
  scope: app
  params: {
    prefix: prefix
    env: env
    location: location
    tags: allTags
    groupsResourceGroup: empty(groupsResourceGroup) ? groups.name : groupsResourceGroup
    extraTargets: extraTargets
    existingSystemTopics: existingSystemTopics
    plan: plan
    dedicatedSku: dedicatedSku
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyProvisioner: alwaysReadyProvisioner
    alwaysReadyWake: alwaysReadyWake
    alwaysReadyEvents: alwaysReadyEvents
    teams: teams
    extraSettings: extraSettings
    existingRegistryId: existingRegistryId
    existingFactoryId: existingFactoryId
    existingWorkspaceId: existingWorkspaceId
    existingActionGroupIds: existingActionGroupIds
    existingAppSubnetId: existingAppSubnetId
    existingContainerSubnetId: existingContainerSubnetId
    existingEndpointSubnetId: existingEndpointSubnetId
    existingDnsZonesGroupId: existingDnsZonesGroupId
    legacyRegistryCredentials: legacyRegistryCredentials
    eventTopic: eventTopic
    network: network
    networkAddressPrefix: networkAddressPrefix
    privateInbound: privateInbound
    allowedCallers: allowedCallers
    restrictDeployment: restrictDeployment
    storageRedundancy: storageRedundancy
    softDeleteDays: softDeleteDays
    storageLogs: storageLogs
    dailyCapGb: dailyCapGb
    purgeProtection: purgeProtection
    alertEmail: alertEmail
    administratorId: administratorId
    administratorType: administratorType
    dataLakeContainers: dataLakeContainers
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = app.name
output CONTAINER_REGISTRY string = main.outputs.CONTAINER_REGISTRY
output DATA_FACTORY string = main.outputs.DATA_FACTORY
output FUNCTION_APP string = main.outputs.FUNCTION_APP
output FUNCTION_APP_URL string = main.outputs.FUNCTION_APP_URL
output GROUPS_RESOURCE_GROUP string = empty(groupsResourceGroup) ? groups.name : groupsResourceGroup
output JOB_VAULT string = main.outputs.JOB_VAULT
output KEY_VAULT string = main.outputs.KEY_VAULT
output NEXT_1_IMAGE string = main.outputs.NEXT_2_IMAGE
output NEXT_2_PIPELINE string = main.outputs.NEXT_3_PIPELINE
