// The topic that gets the events of every job (docs/events.md), for whoever wants to hear of them. Keys are off: the app sends with its identity.

param name string
param location string
param tags object

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
  }
}

output endpoint string = topic.properties.endpoint
