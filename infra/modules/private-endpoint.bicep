// One private endpoint, with the DNS zone by which the network finds it, unless there is such a zone already.

@description('What of the target it leads to: blob, queue, table, vault or sites.')
param group string
param targetId string
param zoneName string

@description('Id of the resource group that has the zone already, linked to the network. Empty: the zone is made here.')
param existingZonesGroupId string
param networkId string
param subnetId string
param location string
param tags object

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = if (empty(existingZonesGroupId)) {
  name: zoneName
  #disable-next-line no-hardcoded-location // the only location of a private DNS zone
  location: 'global'
  tags: tags

  resource link 'virtualNetworkLinks' = {
    name: 'network'
    #disable-next-line no-hardcoded-location // as its zone
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: 'aci-proxy-${group}'
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: group, properties: { privateLinkServiceId: targetId, groupIds: [group] } }
    ]
  }

  resource dns 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: group
          properties: {
            privateDnsZoneId: empty(existingZonesGroupId)
              ? zone.id
              : '${existingZonesGroupId}/providers/Microsoft.Network/privateDnsZones/${zoneName}'
          }
        }
      ]
    }
  }
}
