// For `azd up`: makes the resource groups, then deploys main.bicep into the first. `az deployment group create` needs none of this.

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

@description('Who runs azd: may put secrets into the vaults.')
param principalId string = ''
param principalType 'User' | 'Group' | 'ServicePrincipal' = 'User'

@description('See main.bicep.')
param legacyRegistryCredentials bool = false

@description('See main.bicep.')
param eventTopic bool = false

@description('See main.bicep.')
param network bool = false

@description('See main.bicep.')
param purgeProtection bool = false

@description('See main.bicep.')
param alertEmail string = ''

var tags = { 'azd-env-name': environmentName }

resource app 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

@description('Container groups get a resource group of their own: what the app may do there touches nothing else, and its events are theirs alone.')
resource groups 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}-groups'
  location: location
  tags: tags
}

module main 'main.bicep' = {
  scope: app
  params: {
    prefix: prefix
    env: env
    location: location
    tags: tags
    groupsResourceGroup: groups.name
    administratorId: principalId
    administratorType: principalType
    legacyRegistryCredentials: legacyRegistryCredentials
    eventTopic: eventTopic
    network: network
    purgeProtection: purgeProtection
    alertEmail: alertEmail
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = app.name
output CONTAINER_REGISTRY string = main.outputs.CONTAINER_REGISTRY
output DATA_FACTORY string = main.outputs.DATA_FACTORY
output FUNCTION_APP string = main.outputs.FUNCTION_APP
output FUNCTION_APP_URL string = main.outputs.FUNCTION_APP_URL
output GROUPS_RESOURCE_GROUP string = groups.name
output JOB_VAULT string = main.outputs.JOB_VAULT
output KEY_VAULT string = main.outputs.KEY_VAULT
output NEXT_1_IMAGE string = main.outputs.NEXT_2_IMAGE
output NEXT_2_PIPELINE string = main.outputs.NEXT_3_PIPELINE
