// Optional: a virtual network with a subnet for the app, one for container groups (with a NAT gateway: without one they reach
// nothing outside), and one for private endpoints of storage and the jobs' vault.

import { containerSubnet } from '../names.bicep'

param name string
param natName string
param location string
param tags object

@description('At least a /22: three subnets of /24.')
param addressPrefix string

param plan 'FlexConsumption' | 'Dedicated'

resource publicAddress 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: natName
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource nat 'Microsoft.Network/natGateways@2024-05-01' = {
  name: natName
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    idleTimeoutInMinutes: 10
    publicIpAddresses: [{ id: publicAddress.id }]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 0)
          natGateway: { id: nat.id }
          delegations: [
            {
              name: 'app'
              properties: {
                serviceName: plan == 'FlexConsumption' ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms'
              }
            }
          ]
        }
      }
      {
        name: containerSubnet
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 1)
          natGateway: { id: nat.id }
          delegations: [
            { name: 'container-groups', properties: { serviceName: 'Microsoft.ContainerInstance/containerGroups' } }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: cidrSubnet(addressPrefix, 24, 2) }
      }
    ]
  }
}

@description('The one thing that the app may do with the subnet.')
resource subnetJoin 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, name, 'subnet-join')
  properties: {
    roleName: 'ACI Proxy Subnet Join (${name})'
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

output id string = network.id
output appSubnetId string = '${network.id}/subnets/app'
output containerSubnetId string = '${network.id}/subnets/${containerSubnet}'
output endpointSubnetId string = '${network.id}/subnets/endpoints'
output subnetJoinRoleId string = subnetJoin.id
