using '../main.bicep'

// Container groups in resource groups of their own and in three places, purge protection, alerts by mail, a topic for the events of jobs. The resource groups
// aci-groups and aci-groups-north must exist.
param prefix = readEnvironmentVariable('ACI_PROXY_PREFIX', '')
param env = 'prod'
param nodeVersion = '24'
param purgeProtection = true
param eventTopic = true
param groupsResourceGroup = 'aci-groups'
param extraTargets = [
  { location: 'swedencentral' }
  { resourceGroup: 'aci-groups-north', location: 'northeurope' }
]
param alertEmail = readEnvironmentVariable('ACI_PROXY_ALERT_EMAIL', 'operators@example.com')
