// The data lake of the original: an account of its own, for what pipelines and containers read and write.

param name string
param containers string[]

@description('Copies in one datacenter, or in three zones of the region.')
param redundancy 'LRS' | 'ZRS'

@description('Days for which deleted blobs and containers can be brought back; at least 7.')
param softDeleteDays int

param location string
param tags object

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_${redundancy}' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isHnsEnabled: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: max(7, softDeleteDays) }
    containerDeleteRetentionPolicy: { enabled: true, days: max(7, softDeleteDays) }
  }
}

resource lakeContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for container in containers: {
    parent: blobs
    name: container
  }
]

output name string = account.name
