// The pipelines' secrets, under the original's names. ACI-PROXY-KEY is not among them: the host makes its key when the code first
// runs, so a step after that puts it here (scripts/after-deploy.ts).

import { place } from '../ids.bicep'

param vaultName string
param registry place
param loginServer string
param insightsName string
param dataLakeName string
param proxyUrl string
param groupsSubscriptionId string
param groupsResourceGroup string
param registryCredentials bool

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = { name: vaultName }
resource registryOfPasswords 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  scope: resourceGroup(registry.subscriptionId, registry.resourceGroup)
  name: registry.name
}
resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource plain 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = [
  for secret in items({
    'AZURE-TENANT-ID': subscription().tenantId
    'AZURE-SUBSCRIPTION-ID': groupsSubscriptionId
    'AZURE-RESOURCE-GROUP': groupsResourceGroup
    'ACI-PROXY-URL': proxyUrl
    'DATALAKE-ACC-NAME': dataLakeName
  }): {
    parent: vault
    name: secret.key
    properties: { value: secret.value }
  }
]

resource insightsConnection 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'APPINSIGHTS-CONN-STR'
  properties: { value: insights.properties.ConnectionString }
}

resource registryServer 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'ACR-LOGIN-SERVER'
  properties: { value: loginServer }
}

resource registryUser 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (registryCredentials) {
  parent: vault
  name: 'ACR-USERNAME'
  properties: { value: registryOfPasswords.listCredentials().username }
}

resource registryPassword 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (registryCredentials) {
  parent: vault
  name: 'ACR-PASSWORD'
  properties: { value: registryOfPasswords.listCredentials().passwords[0].value }
}
