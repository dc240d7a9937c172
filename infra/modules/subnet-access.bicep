// The role on the subnet of the container groups, in the network's own resource group: it may be one that there is already.

param networkName string
param subnetName string
param appPrincipalId string

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' existing = {
  name: networkName

  resource subnet 'subnets' existing = { name: subnetName }
}

@description('The one thing that the app may do with the subnet.')
resource subnetJoin 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, networkName, 'subnet-join')
  properties: {
    // The name of a role may be used once in a tenant.
    roleName: 'ACI Proxy Subnet Join (${networkName}, ${uniqueString(resourceGroup().id)})'
    description: 'Puts container groups into a subnet.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Network/virtualNetworks/subnets/join/action'
          'Microsoft.Network/virtualNetworks/subnets/read'
        ]
      }
    ]
  }
}

resource join 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: network::subnet
  name: guid(network::subnet.id, appPrincipalId, 'custom')
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subnetJoin.id
  }
}
