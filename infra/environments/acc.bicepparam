using '../main.bicep'

// With a virtual network: a subnet for container groups, private endpoints for storage and the jobs' vault.
param prefix = readEnvironmentVariable('ACI_PROXY_PREFIX', '')
param env = 'acc'
param network = true
