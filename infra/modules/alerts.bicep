// What wakes an operator, and the workbook that he looks at then.

param location string
param tags object
param workspaceId string
param insightsName string

@description('The app\'s, which begins the name of each alert: several installations may tell the same people.')
param appName string

@description('Empty: the alerts show in the portal only.')
param email string

@description('Action groups that there are already.')
param existingActionGroupIds string[]

@description('Event Grid\'s system topics.')
param topicIds string[]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: '${appName}-operators'
  #disable-next-line no-hardcoded-location // the only location of an action group
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'aciproxy'
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

var actionGroupIds = concat(existingActionGroupIds, empty(email) ? [] : [operators.id])

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

// Each query counts what it finds as `found`, sampled items included, and the alert compares their sum. One without a sum counts rows: a
// query that finds nothing has none. Each runs in a test over what the app really logs (test/service/alerts.test.ts).
// A shared workspace has the rows of others too: each query begins with the rows of this app's own Application Insights. What the
// workspace says of itself (_LogOperation) is everybody's.
var queries = map(loadJsonContent('../alerts.json'), alert => {
  ...alert
  name: replace(alert.name, 'aci-proxy', appName)
  query: startsWith(alert.query, 'App')
    ? join(
        concat(
          take(split(alert.query, ' | '), 1),
          ['where _ResourceId =~ "${insights.id}"'],
          skip(split(alert.query, ' | '), 1)
        ),
        ' | '
      )
    : alert.query
})

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in queries: {
    name: alert.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: alert.description
      severity: alert.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: contains(alert.query, 'found =') ? 'Total' : 'Count'
            ...(contains(alert.query, 'found =') ? { metricMeasureColumn: 'found' } : {})
            ...(contains(alert, 'dimension')
              ? { dimensions: [{ name: alert.dimension, operator: 'Include', values: ['*'] }] }
              : {})
            operator: alert.operator
            threshold: alert.threshold
          }
        ]
      }
      actions: { actionGroups: actionGroupIds }
    }
  }
]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for (topicId, i) in topicIds: {
    name: '${appName}-dead-letters-${i + 1}'
    #disable-next-line no-hardcoded-location // the only location of a metric alert
    location: 'global'
    tags: tags
    properties: {
      description: 'Event Grid gave up events: jobs still end, but are seen later. See the runbook, "Events are lost".'
      severity: 3
      enabled: true
      scopes: [topicId]
      evaluationFrequency: 'PT15M'
      windowSize: 'PT1H'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: 'dead-lettered'
            metricName: 'DeadLetteredCount'
            operator: 'GreaterThan'
            threshold: 0
            timeAggregation: 'Total'
          }
        ]
      }
      actions: [for id in actionGroupIds: { actionGroupId: id }]
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'aci-proxy')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'ACI Proxy'
    sourceId: insights.id
    serializedData: string(loadJsonContent('../workbook.json'))
  }
}
