// Names of the code's queues, tables and containers, which the templates make before its first start. A test compares them with src/.

@export()
var queues = ['aci-jobs', 'aci-wake', 'aci-events']

@export()
var tables = ['jobs', 'jobindex', 'attempts', 'control']

@export()
var containers = ['aci-logs', 'aci-sealed', 'aci-definitions']

@export()
var eventsQueue = 'aci-events'

@export()
var packageContainer = 'app-package'

@export()
var deadLetterContainer = 'eventgrid-deadletter'

@export()
var sealKey = 'seal'

@export()
var containerSubnet = 'container-groups'
