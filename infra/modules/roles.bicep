// Gives one principal every role that the table (roles.json) has for it in this resource group. The registry and the subnet of the
// container groups may be elsewhere: registry-access.bicep and subnet-access.bicep.

import * as code from '../names.bicep'
import { resourceNames } from '../naming.bicep'

@description('As the table calls it.')
param principal string
param principalId string
param principalType 'ServicePrincipal' | 'User' | 'Group'

@description('Which rows hold: "always", and the options that are on.')
param when string[]

param names resourceNames

var wanted = filter(
  loadJsonContent('../roles.json').roles,
  row => row.principal == principal && contains(when, row.when)
)

resource functionsStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names.functionsStorage

  resource queueService 'queueServices' existing = {
    name: 'default'

    resource events 'queues' existing = { name: code.eventsQueue }
  }

  resource blobService 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = { name: code.deadLetterContainer }
  }
}

resource dataLake 'Microsoft.Storage/storageAccounts@2025-01-01' existing = { name: names.dataLake }
resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: names.vault

  resource sealKey 'keys' existing = { name: code.sealKey }
}
resource jobVault 'Microsoft.KeyVault/vaults@2024-11-01' existing = { name: names.jobVault }
resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: names.insights }
resource pullIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.pullIdentity
}
resource eventTopic 'Microsoft.EventGrid/topics@2025-02-15' existing = { name: names.topic }

resource onFunctionsStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'functionsStorage'): {
    scope: functionsStorage
    name: guid(functionsStorage.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onEventsQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'eventsQueue'): {
    scope: functionsStorage::queueService::events
    name: guid(functionsStorage::queueService::events.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'deadLetters'): {
    scope: functionsStorage::blobService::deadLetters
    name: guid(functionsStorage::blobService::deadLetters.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onDataLake 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'dataLake'): {
    scope: dataLake
    name: guid(dataLake.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'vault'): {
    scope: vault
    name: guid(vault.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onSealKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'sealKey'): {
    scope: vault::sealKey
    name: guid(vault::sealKey.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onJobVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'jobVault'): {
    scope: jobVault
    name: guid(jobVault.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'applicationInsights'): {
    scope: insights
    name: guid(insights.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onPullIdentity 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'pullIdentity'): {
    scope: pullIdentity
    name: guid(pullIdentity.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onEventTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(wanted, row => row.scope == 'eventTopic'): {
    scope: eventTopic
    name: guid(eventTopic.id, principalId, row.id)
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]
