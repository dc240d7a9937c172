// The events of one resource group's container groups, from its system topic to the queue aci-events, with the topic's own identity.

import { eventsQueue, deadLetterContainer } from '../names.bicep'

param topicName string
param subscriptionName string
param storageId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = { name: topicName }

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: subscriptionName
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: storageId
          queueName: eventsQueue
          queueMessageTimeToLiveInSeconds: 86400
        }
      }
    }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: storageId
          blobContainerName: deadLetterContainer
        }
      }
    }
    filter: {
      // Without regard to case: ids of one group come in several spellings.
      isSubjectCaseSensitive: false
      subjectBeginsWith: '${resourceGroup().id}/providers/Microsoft.ContainerInstance/containerGroups/'
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceWriteFailure'
        'Microsoft.Resources.ResourceWriteCancel'
        'Microsoft.Resources.ResourceDeleteSuccess'
        'Microsoft.Resources.ResourceDeleteFailure'
        'Microsoft.Resources.ResourceDeleteCancel'
        'Microsoft.Resources.ResourceActionSuccess'
        'Microsoft.Resources.ResourceActionFailure'
        'Microsoft.Resources.ResourceActionCancel'
      ]
      advancedFilters: [
        {
          // Operators without regard to case. Reading logs or opening a shell is an action too, and changes nothing.
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.ContainerInstance/containerGroups/write'
            'Microsoft.ContainerInstance/containerGroups/delete'
            'Microsoft.ContainerInstance/containerGroups/start/action'
            'Microsoft.ContainerInstance/containerGroups/stop/action'
            'Microsoft.ContainerInstance/containerGroups/restart/action'
          ]
        }
      ]
    }
    retryPolicy: {
      // An event only hurries a look that comes anyway: an old one is worth nothing.
      eventTimeToLiveInMinutes: 60
      maxDeliveryAttempts: 10
    }
  }
}
