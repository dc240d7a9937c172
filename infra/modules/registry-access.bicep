// The role on the registry, in the registry's own resource group: it may be one that there is already.

param registryName string
param pullPrincipalId string

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = { name: registryName }

resource roles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(loadJsonContent('../roles.json').roles, row => row.scope == 'registry'): {
    scope: registry
    name: guid(registry.id, pullPrincipalId, row.id)
    properties: {
      principalId: pullPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

output loginServer string = registry.properties.loginServer
