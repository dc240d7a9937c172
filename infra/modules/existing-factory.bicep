// A Data Factory that there is already: only its identity is read, nothing in it is changed.

param name string

resource factory 'Microsoft.DataFactory/factories@2018-06-01' existing = { name: name }

output principalId string = factory.identity.principalId
