import { Secret } from "../base/errors.ts";
import { decimal, formed, integer, row, text, words, wordsLike, yes, type Read } from "./readers.ts";
import { readTeams, type Team } from "./teams.ts";

/** The settings of what keeps secrets secret and people out; a part of the settings table. */
const anything: readonly string[] = ["*"];

const isThisMachine = (hostname: string): boolean => hostname === "localhost" || hostname.startsWith("127.");

/** An address of a service that gets our tokens or secrets: https, or plain http on this machine. */
const secureUrl =
  (path: RegExp, form: string): Read<string | undefined> =>
  (value) => {
    const fault = { fault: `must be ${form}` };
    if (!URL.canParse(value)) return fault;
    const { protocol, hostname, username, pathname, search, hash, origin } = new URL(value);
    const local = protocol === "http:" && isThisMachine(hostname);
    const bare = username === "" && search === "" && hash === "" && path.test(pathname);
    return bare && (protocol === "https:" || local) ? `${origin}${pathname.replace(/\/$/, "")}` : fault;
  };

const webhookAddress: Read<Secret | undefined> = (value) => {
  const fault = { fault: "must be an https address" };
  if (!URL.canParse(value)) return fault;
  const { protocol, username, hostname } = new URL(value);
  const local = protocol === "http:" && isThisMachine(hostname);
  return username === "" && (protocol === "https:" || local) ? new Secret(value) : fault;
};

const identityId: Read<string | undefined> = (value) =>
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ManagedIdentity\/userAssignedIdentities\/[^/]+$/i.test(
    value,
  )
    ? value
    : { fault: "must be a user-assigned identity's resource id" };

const host: Read<string | undefined> = (value) =>
  /^[a-z0-9.-]+(:\d{1,5})?$/i.test(value) ? value.toLowerCase() : { fault: "must be a host name, without https://" };

const atLeast = (least: number): Read<Secret | undefined> =>
  formed<Secret | undefined>(`at least ${least} characters`, (value) =>
    value.length >= least ? new Secret(value) : { fault: `must have at least ${least} characters` },
  );

export const securitySettings = {
  authMode: row<"key" | "entra">(
    "AUTH_MODE",
    "key",
    "key",
    (value) => {
      const word = value.toLowerCase();
      return word === "key" || word === "entra" ? word : { fault: "must be key or entra" };
    },
    "Who may call: whoever has a key of the Functions host, or (`entra`) whoever has a bearer token of the tenant with one of the app roles `Job.Read`, `Job.Run` (templates only), `Job.Submit`, `Job.Operate`; `Job.Read.All` for who reads all teams' jobs.",
  ),
  entraTenant: row<string | undefined>(
    "ENTRA_TENANT_ID",
    "",
    undefined,
    (value) => (/^[0-9a-f-]{36}$/i.test(value) ? value.toLowerCase() : { fault: "must be a tenant's id (a UUID)" }),
    "Tenant whose tokens are taken. Required for `AUTH_MODE=entra`.",
  ),
  entraAudiences: row<readonly string[]>(
    "ENTRA_AUDIENCE",
    "",
    [],
    words,
    "Audiences that a token may name: the app registration's id and its Application ID URI. Required for `AUTH_MODE=entra`.",
  ),
  entraCallers: row<readonly string[]>(
    "ENTRA_CALLERS",
    "any with a role",
    anything,
    words,
    "Application (client) ids that may call, comma-separated.",
  ),
  entraPageClient: row<string | undefined>(
    "ENTRA_PAGE_CLIENT_ID",
    "",
    undefined,
    (value) => (/^[0-9a-f-]{36}$/i.test(value) ? value.toLowerCase() : { fault: "must be a client id (a UUID)" }),
    "Application (client) id with which people sign in on the operators' page, for `AUTH_MODE=entra`; it counts as one of `ENTRA_CALLERS`. Its redirect address, of the kind single-page application, is `https://HOST/api/dashboard`. Without it the page takes `READ_KEY` alone.",
  ),
  entraAuthority: row<string | undefined>(
    "ENTRA_AUTHORITY",
    "https://login.microsoftonline.com",
    "https://login.microsoftonline.com",
    secureUrl(/^\/$/, "an https address without a path"),
    "Where tokens come from and their keys are published (a sovereign cloud's, say).",
  ),
  teams: row<readonly Team[]>(
    "TEAMS",
    "none",
    [],
    readTeams,
    'Teams that share this service ([teams.md](teams.md)), as JSON: `{"NAME": {"callers": ["ID"], "factories": ["FACTORY"], "queue": false, "weight": 1, "limit": 50, "vcpuSecondsPerDay": 360000}}`; each member may be left out.',
  ),
  teamReserve: row(
    "TEAM_RESERVE_PERCENT",
    "10",
    10,
    integer(0, 90),
    "Part of the creates of an hour, and of five minutes, that is kept for teams that drew less than their share, while more than one team was active in the last day.",
  ),
  readKey: row<Secret | undefined>(
    "READ_KEY",
    "",
    undefined,
    atLeast(16),
    "A second key, for dashboards: it opens the reading calls under `/api/read`, and nothing else.",
  ),
  callbackHosts: row<readonly string[]>(
    "CALLBACK_HOSTS",
    "*.azure.com,*.azure.net,*.windows.net",
    ["*.azure.com", "*.azure.net", "*.windows.net"],
    wordsLike(/^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i, "host names, without https:// and port, or *.DOMAIN"),
    "Hosts that `callBackUri` may name, by https; a leading `*.` stands for any subdomain. `localhost` allows this machine, by http too: for development.",
  ),
  eventTopic: row<string | undefined>(
    "EVENT_TOPIC_ENDPOINT",
    "",
    undefined,
    secureUrl(/^\/[\w./-]*$/, "an Event Grid topic's address, https://NAME.REGION.eventgrid.azure.net/api/events"),
    "Event Grid topic (schema CloudEvents 1.0) that gets an event when a job is accepted, starts, is tried again and ends. The app's identity needs the role EventGrid Data Sender there.",
  ),
  notifyWebhook: row<Secret | undefined>(
    "NOTIFY_WEBHOOK",
    "",
    undefined,
    webhookAddress,
    "Address of a chat channel or workflow (Teams, Slack) that gets a message at the ends that `NOTIFY_ON` names. A secret: set it as a Key Vault reference.",
  ),
  notifyOn: row<readonly string[]>(
    "NOTIFY_ON",
    "failed,timedout",
    ["failed", "timedout"],
    wordsLike(
      /^(?:succeeded|failed|stopped|timedout|canceled)$/i,
      "of the words succeeded, failed, stopped, timedout, canceled",
    ),
    "Ends that `NOTIFY_WEBHOOK` gets a message of: `succeeded`, `failed`, `stopped`, `timedout`, `canceled`.",
  ),
  sealKeyId: row<string | undefined>(
    "SEAL_KEY_ID",
    "",
    undefined,
    secureUrl(
      /^\/keys\/[0-9a-z-]{1,127}(\/[0-9a-f]{1,64})?\/?$/i,
      "a Key Vault key's address, https://VAULT/keys/NAME",
    ),
    "Key Vault key (RSA) that wraps the keys of sealed definitions. Without a version the newest is used, so that a rotation needs no deployment. Required, or `SEAL_KEY_FILE`.",
  ),
  sealKeyFile: row<string | undefined>(
    "SEAL_KEY_FILE",
    "",
    undefined,
    text,
    "File with a local sealing key, made when it is missing. For development; `SEAL_KEY_ID` wins.",
  ),
  vaultUrl: row<string | undefined>(
    "VAULT_URL",
    "",
    undefined,
    secureUrl(/^\/$/, "a Key Vault's address, https://VAULT.vault.azure.net"),
    "Key Vault that `${keyvault:NAME}` in a definition reads from.",
  ),
  vaultPrefix: row<string>(
    "VAULT_SECRET_PREFIX",
    "job-",
    "job-",
    (value) => {
      if (value === "*") return "";
      return /^[0-9a-z-]{1,126}$/i.test(value) ? value : { fault: "must be letters, digits and dashes, or *" };
    },
    "Secret names must begin with this; `*` only for a vault that holds nothing else.",
  ),
  pullIdentity: row<string | undefined>(
    "PULL_IDENTITY",
    "",
    undefined,
    identityId,
    "Resource id of the user-assigned identity that pulls images from `PULL_REGISTRY`.",
  ),
  pullRegistry: row<string | undefined>(
    "PULL_REGISTRY",
    "",
    undefined,
    host,
    "Registry whose images get the pull identity when a definition brings no credentials for it.",
  ),
  maskOutput: row(
    "MASK_OUTPUT",
    "false",
    false,
    yes,
    "Whether a definition's secrets are masked in what its containers write, too.",
  ),
  policyRegistries: row<readonly string[]>(
    "POLICY_REGISTRIES",
    "any",
    anything,
    words,
    "Registries that images may come from, like `contoso.azurecr.io,docker.io`. In this and the lists below `*` stands for any characters, and case does not count.",
  ),
  policyImages: row<readonly string[]>(
    "POLICY_IMAGES",
    "any",
    anything,
    words,
    "Images that may run, with their registry: `contoso.azurecr.io/etl/*`.",
  ),
  policyRegions: row<readonly string[]>(
    "POLICY_REGIONS",
    "any",
    anything,
    words,
    "Regions that a definition may name.",
  ),
  policyMaxCpu: row<number | undefined>("POLICY_MAX_CPU", "none", undefined, decimal, "CPUs that a group may ask for."),
  policyMaxMemoryGb: row<number | undefined>(
    "POLICY_MAX_MEMORY_GB",
    "none",
    undefined,
    decimal,
    "GB of memory that a group may ask for.",
  ),
  policyMaxContainers: row<number | undefined>(
    "POLICY_MAX_CONTAINERS",
    "none",
    undefined,
    integer(1, 60),
    "Containers that a group may have, init containers included.",
  ),
  policyPublicIp: row("POLICY_PUBLIC_IP", "true", true, yes, "Whether a group may have a public address."),
  policyPrivileged: row(
    "POLICY_PRIVILEGED",
    "true",
    true,
    yes,
    "Whether a container may ask for privileges: `privileged`, `allowPrivilegeEscalation`, `capabilities.add`, a `seccompProfile`.",
  ),
  policyVolumes: row<readonly string[]>(
    "POLICY_VOLUMES",
    "any",
    anything,
    words,
    "Kinds of volumes that a group may have: `azureFile`, `emptyDir`, `secret`, `secretReference`, `gitRepo`.",
  ),
  policyIdentities: row<readonly string[]>(
    "POLICY_IDENTITIES",
    "only `PULL_IDENTITY`; any on a local ACI",
    [],
    words,
    "Resource ids of user-assigned identities that a definition may name: whoever submits a job can act as them. An identity that is named by client id or address must be listed so.",
  ),
  policySubnets: row<readonly string[]>(
    "POLICY_SUBNETS",
    "nothing; any on a local ACI",
    [],
    words,
    "Resource ids of subnets that a group may join.",
  ),
  policyStorageAccounts: row<readonly string[]>(
    "POLICY_STORAGE_ACCOUNTS",
    "nothing; any on a local ACI",
    [],
    words,
    "Names of storage accounts whose file shares may be mounted.",
  ),
  policyProfiles: row<readonly string[]>(
    "POLICY_PROFILES",
    "nothing; any on a local ACI",
    [],
    words,
    "Resource ids of container group profiles and standby pools that a definition may name: what they bring no other rule sees.",
  ),
};

type Security = { readonly [K in keyof typeof securitySettings]: (typeof securitySettings)[K]["fallback"] };

/** Settings that contradict each other: a sentence for each fault. One that is set and faulty is reported as that alone. */
export function contradictionsOf(settings: Security, isSet: (name: string) => boolean): readonly string[] {
  const { authMode, entraAudiences } = settings;
  const { entraTenant, pullIdentity, pullRegistry } = securitySettings;
  const faults: string[] = [];
  if (authMode === "entra" && (!isSet(entraTenant.name) || entraAudiences.length === 0))
    faults.push("AUTH_MODE=entra needs ENTRA_TENANT_ID and ENTRA_AUDIENCE; without them nobody gets in.");
  if (isSet(pullIdentity.name) !== isSet(pullRegistry.name))
    faults.push("PULL_IDENTITY and PULL_REGISTRY must be set together.");
  return faults;
}

/**
 * Identities, subnets, storage accounts and profiles are closed unless they are listed. A local ACI has no real ones that could be
 * misused, so there they are open unless a list says otherwise.
 */
export function openedLocally<S extends Security>(settings: S, isSet: (name: string) => boolean): S {
  const open = (list: readonly string[], name: string): readonly string[] => (isSet(name) ? list : anything);
  return {
    ...settings,
    policyIdentities: open(settings.policyIdentities, securitySettings.policyIdentities.name),
    policySubnets: open(settings.policySubnets, securitySettings.policySubnets.name),
    policyStorageAccounts: open(settings.policyStorageAccounts, securitySettings.policyStorageAccounts.name),
    policyProfiles: open(settings.policyProfiles, securitySettings.policyProfiles.name),
  };
}
