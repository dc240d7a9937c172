// Who may do what here: gives every principal the roles that the table (roles.json) has for it in this resource group.

import { resourceNames } from '../naming.bicep'

param names resourceNames

@description('Options that are on, as the table\'s column "when" calls them.')
param options string[]

param appPrincipalId string
param factoryPrincipalId string
param topicPrincipalIds string[]

@description('Empty: nobody.')
param administratorId string
param administratorType 'User' | 'Group' | 'ServicePrincipal'

var principals = concat(
  [
    { name: 'app', id: appPrincipalId, type: 'ServicePrincipal' }
    { name: 'factory', id: factoryPrincipalId, type: 'ServicePrincipal' }
  ],
  map(topicPrincipalIds, id => { name: 'topic', id: id, type: 'ServicePrincipal' }),
  empty(administratorId) ? [] : [{ name: 'administrator', id: administratorId, type: administratorType }]
)

module roles 'roles.bicep' = [
  for principal in principals: {
    params: {
      names: names
      principal: principal.name
      principalId: principal.id
      principalType: principal.type
      when: concat(['always'], options)
    }
  }
]
