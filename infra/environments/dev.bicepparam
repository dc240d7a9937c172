using '../main.bicep'

// The smallest: everything on its default, names made from the resource group's id. A prefix of your own makes them readable.
param prefix = readEnvironmentVariable('ACI_PROXY_PREFIX', '')
param env = 'dev'
