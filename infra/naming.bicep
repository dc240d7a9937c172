// What the parameters must look like, said in a sentence when they don't, and the names that follow from them.

var letters = 'abcdefghijklmnopqrstuvwxyz'
var lettersAndDigits = 'abcdefghijklmnopqrstuvwxyz0123456789'

func isMadeOf(text string, allowed string) bool =>
  empty(filter(range(0, length(text)), i => !contains(allowed, substring(text, i, 1))))

@export()
@description('The prefix as given, or one made from a seed.')
func checkedPrefix(prefix string, seed string) string =>
  empty(prefix)
    ? 'a${take(uniqueString(seed), 8)}'
    : length(prefix) >= 2 && isMadeOf(prefix, lettersAndDigits) && isMadeOf(take(prefix, 1), letters)
        ? prefix
        : fail('prefix must be 2 to 9 lower-case letters and digits, the first a letter; it is "${prefix}".')

@export()
func checkedEnv(env string) string =>
  isMadeOf(env, lettersAndDigits) ? env : fail('env must be 1 to 4 lower-case letters and digits; it is "${env}".')

@export()
func checkedBlock(block string) string =>
  int(last(split(block, '/'))) <= 22
    ? block
    : fail('networkAddressPrefix must be a block of /22 or larger, like 10.70.0.0/16; it is "${block}".')

@export()
func checkedEmail(email string) string =>
  empty(email) || contains(email, '@') ? email : fail('alertEmail must be a mail address; it is "${email}".')

func isBlock(parts string[]) bool =>
  length(parts) == 2 && !empty(parts[0]) && isMadeOf(toLower(parts[0]), '0123456789abcdef.:') && !empty(parts[?1] ?? '') && isMadeOf(
    parts[?1] ?? '',
    '0123456789'
  )

func isServiceTag(text string) bool =>
  !empty(text) && isMadeOf(take(text, 1), letters) && isMadeOf(text, '${lettersAndDigits}.')

@export()
@description('Empty, or a sentence that says what is wrong with one of allowedCallers.')
func wrongCaller(caller string) string =>
  isBlock(split(caller, '/')) || isServiceTag(toLower(caller))
    ? ''
    : 'allowedCallers takes blocks of addresses, like 203.0.113.7/32, and service tags, like DataFactory; not "${caller}".'

@export()
@description('Ends the host names of apps, by cloud.')
var websites = {
  AzureCloud: 'azurewebsites.net'
  AzureUSGovernment: 'azurewebsites.us'
  AzureChinaCloud: 'chinacloudsites.cn'
}

@export()
@description('Names of the resources that one environment is made of.')
type resourceNames = {
  app: string
  plan: string
  functionsStorage: string
  dataLake: string
  insights: string
  workspace: string
  factory: string
  registry: string
  vault: string
  jobVault: string
  appIdentity: string
  pullIdentity: string
  topic: string
  network: string
  nat: string
}

@export()
@description('As the original called them, where it had them: prefix, what it is, environment. Storage accounts are the tightest: 24 characters.')
func namesOf(prefix string, env string) resourceNames => {
  app: '${prefix}aciproxy${env}'
  plan: '${prefix}asp${env}'
  functionsStorage: '${prefix}funcstorage${env}'
  dataLake: '${prefix}datalake${env}'
  insights: '${prefix}appinsights${env}'
  workspace: '${prefix}logs${env}'
  factory: '${prefix}adf${env}'
  registry: '${prefix}acr${env}'
  vault: '${prefix}keyvault${env}'
  jobVault: '${prefix}jobvault${env}'
  appIdentity: '${prefix}appid${env}'
  pullIdentity: '${prefix}pullid${env}'
  topic: '${prefix}topic${env}'
  network: '${prefix}vnet${env}'
  nat: '${prefix}nat${env}'
}
