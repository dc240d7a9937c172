// One resource group that holds container groups: what the app may do there, and where its events come from.

param appPrincipalId string
param tags object

@description('Name of a system topic that this resource group has already (Azure allows one for each source; it needs a system-assigned identity); empty: a new one.')
param existingTopicName string

resource roles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(loadJsonContent('../roles.json').roles, row => row.scope == 'groups' && row.principal == 'app'): {
    name: guid(resourceGroup().id, appPrincipalId, row.id)
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (empty(existingTopicName)) {
  name: 'aci-proxy-events'
  #disable-next-line no-hardcoded-location // the only location of a resource group's topic
  location: 'global'
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: resourceGroup().id
    topicType: 'Microsoft.Resources.ResourceGroups'
  }
}

resource existingTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (!empty(existingTopicName)) {
  name: existingTopicName
}

output topicPrincipalId string = empty(existingTopicName)
  ? topic!.identity.principalId
  : existingTopic!.identity.principalId
