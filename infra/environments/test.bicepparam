using '../main.bicep'

// For a move from the original: its pipelines run unchanged, registry password and all.
param prefix = readEnvironmentVariable('ACI_PROXY_PREFIX', '')
param env = 'test'
param legacyRegistryCredentials = true
param extraSettings = {
  ADOPT_FINISHED_GROUPS: 'true'
}
