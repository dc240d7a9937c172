// Two identities, made before anything that uses them, so that their roles are there when the app first starts.

param appIdentityName string
param pullIdentityName string
param location string
param tags object

@description('The app: everything that it does in Azure.')
resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: appIdentityName
  location: location
  tags: tags
}

@description('Container groups pull images with it. Whoever may submit jobs may use it, so it can do nothing else.')
resource pull 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: pullIdentityName
  location: location
  tags: tags
}

output appId string = app.id
output appClientId string = app.properties.clientId
output appPrincipalId string = app.properties.principalId
output pullId string = pull.id
output pullPrincipalId string = pull.properties.principalId
