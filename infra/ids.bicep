// Ids of resources that there are already: what they must look like, and what they say.

@export()
@description('Where a resource is, and what it is called there.')
type place = {
  subscriptionId: string
  resourceGroup: string
  name: string
}

// Every second part of an id is a word, the others are names: of a subnet subscriptions, resourceGroups, providers, Microsoft.Network,
// virtualNetworks, subnets.
func wordsOf(id string) string => toLower(join(filter(split(id, '/'), (part, i) => i == 6 || i % 2 == 1), '/'))

func isWhole(id string) bool => startsWith(id, '/') && empty(filter(skip(split(id, '/'), 1), part => empty(part)))

@export()
@description('Empty, or a sentence that says what is wrong with an id. One that is not given is not wrong.')
func wrongId(parameter string, id string, type string) string =>
  empty(id) || isWhole(id) && wordsOf(id) == toLower('subscriptions/resourceGroups/providers/${type}') && length(split(
      id,
      '/'
    )) == 5 + 2 * length(split(type, '/'))
    ? ''
    : '${parameter} must be the id of ${type}, like /subscriptions/ID/resourceGroups/GROUP/providers/${type}/NAME; it is "${id}".'

@export()
@description('As wrongId, for a resource group.')
func wrongGroupId(parameter string, id string) string =>
  empty(id) || isWhole(id) && wordsOf(id) == 'subscriptions/resourcegroups' && length(split(id, '/')) == 5
    ? ''
    : '${parameter} must be the id of a resource group, /subscriptions/ID/resourceGroups/NAME; it is "${id}".'

@export()
@description('Where the resource with this id is; of a subnet, its network. A wrong id has empty parts: wrongId refuses it.')
func placeOf(id string) place => {
  subscriptionId: split(id, '/')[?2] ?? ''
  resourceGroup: split(id, '/')[?4] ?? ''
  name: split(id, '/')[?8] ?? ''
}
