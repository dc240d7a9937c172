// Optional: a virtual network with a subnet for the app, one for container groups (with a NAT gateway: without one they reach
// nothing outside), and one for private endpoints of storage, the jobs' vault and the app.

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

output natAddress string = publicAddress.properties.ipAddress
