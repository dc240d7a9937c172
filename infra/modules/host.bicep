// The Function App and its plan.

param name string
param planName string
param location string
param tags object
param workspaceId string
param identityId string
param plan 'FlexConsumption' | 'Dedicated'

@description('Size of a dedicated plan.')
param dedicatedSku string

param nodeVersion '22' | '24'
param instanceMemoryMB 512 | 2048 | 4096
param maximumInstances int

@description('Instances that are always there, at their price, by what they are for: http, or function:NAME.')
param alwaysReady object

@description('Address of the container that the code\'s package lies in.')
param packageUri string

@description('Name and value of each app setting.')
param settings object

@description('No call from outside the network, neither to the app nor to its deployment site.')
param privateInbound bool

@description('Blocks of addresses and service tags that may call the app. Empty: everybody; rules made by hand stay.')
param callers { address: string, tag: 'Default' | 'ServiceTag' }[]

@description('The deployment site takes calls from these alone, too.')
param restrictDeployment bool

@description('Subnet that the app reaches private endpoints from; empty: none.')
param subnetId string

var flex = plan == 'FlexConsumption'

// On Flex Consumption runtime and package are properties of the site; elsewhere they are settings.
var runtimeSettings = flex
  ? {}
  : {
      FUNCTIONS_EXTENSION_VERSION: '~4'
      FUNCTIONS_WORKER_RUNTIME: 'node'
      WEBSITE_RUN_FROM_PACKAGE: '1'
    }

var callerRules = [
  for (caller, i) in callers: {
    name: 'caller-${i + 1}'
    priority: 100 + i
    action: 'Allow'
    ipAddress: caller.address
    tag: caller.tag
  }
]

resource serverFarm 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: flex ? 'functionapp' : 'linux'
  sku: flex ? { name: 'FC1', tier: 'FlexConsumption' } : { name: dedicatedSku }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd finds the app by this tag, and scripts/after-deploy.ts does.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: serverFarm.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: privateInbound ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: flex
      ? {
          deployment: {
            storage: {
              type: 'blobContainer'
              value: packageUri
              authentication: {
                type: 'UserAssignedIdentity'
                userAssignedIdentityResourceId: identityId
              }
            }
          }
          runtime: { name: 'node', version: nodeVersion }
          scaleAndConcurrency: {
            instanceMemoryMB: instanceMemoryMB
            maximumInstanceCount: maximumInstances
            alwaysReady: map(filter(items(alwaysReady), entry => entry.value > 0), entry => {
              name: entry.key
              instanceCount: entry.value
            })
          }
        }
      : null
    siteConfig: {
      alwaysOn: flex ? null : true
      ftpsState: 'Disabled'
      http20Enabled: true
      ipSecurityRestrictions: empty(callers) ? null : callerRules
      ipSecurityRestrictionsDefaultAction: empty(callers) ? null : 'Deny'
      linuxFxVersion: flex ? null : 'NODE|${nodeVersion}'
      minTlsVersion: '1.2'
      scmIpSecurityRestrictionsUseMain: empty(callers) ? null : restrictDeployment
      vnetRouteAllEnabled: empty(subnetId) ? null : true
      appSettings: [for setting in items(union(settings, runtimeSettings)): { name: setting.key, value: setting.value }]
    }
  }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    // No logs: they go to Application Insights, and twice would cost twice.
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = app.id
output hostName string = app.properties.defaultHostName
