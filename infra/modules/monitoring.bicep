// Where telemetry goes: a Log Analytics workspace, unless there is one already, and Application Insights on it, which takes no
// instrumentation key. It is always the app's own: it costs nothing, and it keeps the app's rows in a shared workspace apart.

@description('Id of a workspace that there is already. Empty: one is made.')
param existingWorkspaceId string
param workspaceName string
param insightsName string
param location string
param tags object

@description('Gigabytes a day after which a workspace that is made here takes in nothing more until the next: a fault that floods the log can\'t flood the bill. 0: no cap.')
param dailyCapGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = if (empty(existingWorkspaceId)) {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: dailyCapGb == 0 ? -1 : dailyCapGb }
  }
}

var workspaceId = empty(existingWorkspaceId) ? workspace.id : existingWorkspaceId

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: workspaceId
  }
}

output workspaceId string = workspaceId
output connectionString string = insights.properties.ConnectionString
