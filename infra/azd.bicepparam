using 'azd.bicep'

// azd sets the first four; the others are set with `azd env set NAME VALUE`.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'aci-proxy')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param principalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param principalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')

param prefix = readEnvironmentVariable('ACI_PROXY_PREFIX', '')
param env = readEnvironmentVariable('ACI_PROXY_ENV', 'dev')
param alertEmail = readEnvironmentVariable('ACI_PROXY_ALERT_EMAIL', '')
param legacyRegistryCredentials = bool(readEnvironmentVariable('ACI_PROXY_LEGACY_REGISTRY_CREDENTIALS', 'false'))
param eventTopic = bool(readEnvironmentVariable('ACI_PROXY_EVENT_TOPIC', 'false'))
param network = bool(readEnvironmentVariable('ACI_PROXY_NETWORK', 'false'))
param purgeProtection = bool(readEnvironmentVariable('ACI_PROXY_PURGE_PROTECTION', 'false'))
