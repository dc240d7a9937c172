// Data Factory with its pipelines. They find their vault by two global parameters, so the same JSON can be imported elsewhere.

param name string
param prefix string
param env string
param location string
param tags object
param workspaceId string

@description('Where the data lake answers.')
param dataLakeUrl string
param dataLakeContainer string

resource factory 'Microsoft.DataFactory/factories@2018-06-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    globalParameters: {
      env: { type: 'String', value: env }
      prefix: { type: 'String', value: prefix }
    }
  }
}

resource containerOrchestration 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {
  parent: factory
  name: loadJsonContent('../datafactory/Container-Orchestration.json', '$.name')
  properties: loadJsonContent('../datafactory/Container-Orchestration.json', '$.properties')
}

resource shortRun 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {
  parent: factory
  name: loadJsonContent('../datafactory/Run-With-Lease.json', '$.name')
  properties: loadJsonContent('../datafactory/Run-With-Lease.json', '$.properties')
}

resource keyless 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {
  parent: factory
  name: loadJsonContent('../datafactory/Run-With-Identity.json', '$.name')
  properties: loadJsonContent('../datafactory/Run-With-Identity.json', '$.properties')
}

resource template 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {
  parent: factory
  name: loadJsonContent('../datafactory/Run-Template.json', '$.name')
  properties: loadJsonContent('../datafactory/Run-Template.json', '$.properties')
}

resource webHook 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {
  parent: factory
  name: loadJsonContent('../datafactory/Run-With-WebHook.json', '$.name')
  properties: loadJsonContent('../datafactory/Run-With-WebHook.json', '$.properties')
}

resource forEach 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {
  parent: factory
  name: loadJsonContent('../datafactory/Run-For-Each.json', '$.name')
  properties: loadJsonContent('../datafactory/Run-For-Each.json', '$.properties')
}

// Where Run-Array finds its rows: a file with a header line in the data lake, read with the factory's identity.
resource dataLake 'Microsoft.DataFactory/factories/linkedservices@2018-06-01' = {
  parent: factory
  name: 'DataLake'
  properties: {
    type: 'AzureBlobFS'
    typeProperties: { url: dataLakeUrl }
  }
}

resource items 'Microsoft.DataFactory/factories/datasets@2018-06-01' = {
  parent: factory
  name: 'Items'
  properties: {
    type: 'DelimitedText'
    linkedServiceName: { referenceName: dataLake.name, type: 'LinkedServiceReference' }
    parameters: { file: { type: 'String' } }
    typeProperties: {
      location: {
        type: 'AzureBlobFSLocation'
        fileSystem: dataLakeContainer
        fileName: { value: '@dataset().file', type: 'Expression' }
      }
      columnDelimiter: ','
      firstRowAsHeader: true
    }
  }
}

resource array 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {
  parent: factory
  name: loadJsonContent('../datafactory/Run-Array.json', '$.name')
  properties: loadJsonContent('../datafactory/Run-Array.json', '$.properties')
  dependsOn: [items]
}

resource cancelOnFailure 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = {
  parent: factory
  name: loadJsonContent('../datafactory/Cancel-On-Failure.json', '$.name')
  properties: loadJsonContent('../datafactory/Cancel-On-Failure.json', '$.properties')
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: factory
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      { category: 'PipelineRuns', enabled: true }
      { category: 'ActivityRuns', enabled: true }
    ]
  }
}

output principalId string = factory.identity.principalId
