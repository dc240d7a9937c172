// What wakes an operator, and the workbook that he looks at then. A job that fails is its owner's matter and raises nothing here.

param location string
param tags object
param workspaceId string
param insightsId string

@description('Empty: the alerts show in the portal only.')
param email string

@description('Event Grid\'s system topics.')
param topicIds string[]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'aci-proxy-operators'
  #disable-next-line no-hardcoded-location // the only location of an action group
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'aciproxy'
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

var actionGroupIds = empty(email) ? [] : [operators.id]

// The app's lines are JSON objects. One of them, `health`, has the numbers of /api/health/details once a minute.
var health = 'AppTraces | where Message has \'"event":"health"\' | extend numbers = parse_json(Message)'

var queries = [
  {
    name: 'aci-proxy-heartbeat'
    severity: 1
    description: 'No pass of the sweep was completed for 10 minutes: jobs are accepted but may not end. See the runbook, "Nothing moves".'
    query: health
    window: 'PT10M'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'aci-proxy-not-well'
    severity: 1
    description: 'Health was not ok for three minutes of 10: its status names the cause. See docs/operations.md, "Is it well?".'
    query: '${health} | where tostring(numbers.status) != "ok"'
    window: 'PT10M'
    operator: 'GreaterThan'
    threshold: 2
  }
  {
    name: 'aci-proxy-needs-hands'
    severity: 2
    description: 'A message is in a poison queue, a group outlived its job by half an hour, or a row can\'t be read. See docs/operations.md, "Is it well?".'
    query: '${health} | where toint(numbers.poisonLength) > 0 or toint(numbers.wakePoisonLength) > 0 or toint(numbers.eventsPoisonLength) > 0 or toint(numbers.leakedGroups) > 0 or toint(numbers.unreadableRows) > 0'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 2
  }
  {
    name: 'aci-proxy-key-vault'
    severity: 1
    description: 'The seal key or the vault of the definitions did not work for three minutes of 10: no job is accepted, or no job that refers to a secret. See the runbook, "The seal key or the vault fails".'
    query: '${health} | where tobool(numbers.sealKeyOk) == false or tobool(numbers.vaultOk) == false'
    window: 'PT10M'
    operator: 'GreaterThan'
    threshold: 2
  }
  {
    name: 'aci-proxy-jobs-wait'
    severity: 3
    description: 'A job has been waiting for an hour. See the runbook, "Jobs stay Queued".'
    query: '${health} | where toint(numbers.oldestQueuedSeconds) > 3600'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 2
  }
  {
    name: 'aci-proxy-failing-functions'
    severity: 2
    description: 'A queue or timer function failed more than ten times in 15 minutes: storage, a key or Azure Resource Manager can\'t be reached. See the runbook, "Functions fail".'
    query: 'AppRequests | where Name in ("provisioner", "wake", "events", "sweep") and Success == false'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 10
  }
  {
    name: 'aci-proxy-errors'
    severity: 2
    description: 'The app logged an error: an invalid setting, a message that was given up, a group that could not be removed. See the runbook, "The app logs errors".'
    query: 'AppTraces | where SeverityLevel >= 3 and Message startswith \'{"level":"error"\' and not(Message has \'"event":"health"\')'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
  }
]

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
            timeAggregation: 'Count'
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
    name: 'aci-proxy-dead-letters-${i + 1}'
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
    sourceId: insightsId
    serializedData: string(loadJsonContent('../workbook.json'))
  }
}
