using '../main.bicep'

// Container groups in resource groups of their own and in three places, purge protection, storage in three zones with soft delete and logs, callers
// restricted, alerts by mail, a topic for the events of jobs. The resource groups aci-groups and aci-groups-north must exist.
param prefix = readEnvironmentVariable('ACI_PROXY_PREFIX', '')
param env = 'prod'
param purgeProtection = true
param storageRedundancy = 'ZRS'
param softDeleteDays = 14
param storageLogs = ['StorageDelete']
// Data Factory's addresses alone, until the environment names others: ["DataFactory", "203.0.113.0/24"].
param allowedCallers = json(readEnvironmentVariable('ACI_PROXY_ALLOWED_CALLERS', '["DataFactory"]'))
param eventTopic = true
param groupsResourceGroup = 'aci-groups'
param extraTargets = [
  { location: 'swedencentral' }
  { resourceGroup: 'aci-groups-north', location: 'northeurope' }
]
param alertEmail = readEnvironmentVariable('ACI_PROXY_ALERT_EMAIL', 'operators@example.com')
