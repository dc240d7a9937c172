// Two vaults. The first is the pipelines' (the original's secret names) and holds the sealing key; the second holds the secrets
// that definitions name, and is the only one whose secrets the app can read.

import { sealKey as sealKeyName } from '../names.bicep'

param vaultName string
param jobVaultName string
param location string
param tags object
param workspaceId string

@description('Deleted vaults and keys can\'t be purged before their time. Can\'t be turned off again.')
param purgeProtection bool

@description('Closes the jobs\' vault to everything but private endpoints. The pipelines\' vault stays open: a Web activity on the Azure integration runtime comes from public addresses.')
param private bool

var common = {
  tenantId: subscription().tenantId
  sku: { family: 'A', name: 'standard' }
  enableRbacAuthorization: true
  enableSoftDelete: true
  softDeleteRetentionInDays: purgeProtection ? 90 : 7
  enablePurgeProtection: purgeProtection ? true : null
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: union(common, {
    networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow' }
  })
}

resource jobVault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: jobVaultName
  location: location
  tags: tags
  properties: union(common, {
    networkAcls: { bypass: 'AzureServices', defaultAction: private ? 'Deny' : 'Allow' }
  })
}

@description('Wraps the data keys of sealed definitions. Deploying again makes no new version; the policy does, once a year, and old versions go on unwrapping.')
resource sealKey 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: vault
  name: sealKeyName
  tags: tags
  properties: {
    kty: 'RSA'
    keySize: 3072
    keyOps: ['wrapKey', 'unwrapKey']
    rotationPolicy: {
      lifetimeActions: [
        { action: { type: 'rotate' }, trigger: { timeAfterCreate: 'P1Y' } }
      ]
    }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

resource jobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: jobVault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

output vaultUri string = vault.properties.vaultUri
output jobVaultId string = jobVault.id
output jobVaultUri string = jobVault.properties.vaultUri
output sealKeyId string = sealKey.properties.keyUri
