import type { OpenWord } from "../base/open.ts";

/**
 * The catalogue of reasons: whose fault each is, what is done about it, and what to do. It feeds every reply's `reason`, `fault` and
 * advice, and docs/faults.md is generated from it.
 *
 * Sources: "Troubleshoot common issues in Azure Container Instances", "Container group restart, killing event, interruption",
 * "Quotas and limits" (learn.microsoft.com), and the issues of the ACI runners that met them first.
 */
export type FaultDomain =
  "definition" | "image" | "quota" | "capacity" | "network" | "identity" | "platform" | "program" | "caller";

/**
 * What is done about it.
 * - `end`: the job fails.
 * - `caller`: it fails unless the caller's `retries` and `retryOn` say otherwise.
 * - `free`: a new attempt that costs the caller nothing, at most the setting `FREE_RETRIES` in a row, and only where no program ran.
 * - `wait`: nothing was created; the same attempt is tried again later.
 * - `few`: like `wait`, but at most four times, for what is usually permanent.
 * - `hour`: like `wait`, but for the time of the setting `REFUSAL_TIME`: somebody has to change the installation, and may be at it.
 */
export type Rule = "end" | "caller" | "free" | "wait" | "few" | "hour";

export interface Entry {
  readonly party: FaultDomain;
  readonly rule: Rule;
  readonly advice: string;
}

const entry = (party: FaultDomain, rule: Rule, advice: string): Entry => ({ party, rule, advice });

/** Every reason that a row, reply or event may carry. Stable: a reason is never renamed. */
export const catalogue = {
  // Waiting: the job has not begun.
  Accepted: entry("platform", "wait", "It will be picked up within seconds."),
  Starting: entry("platform", "wait", "Its container group is being placed and started."),
  ImagePull: entry("image", "wait", "Its images are being pulled; smaller ones, or a registry nearby, start sooner."),
  VolumeMount: entry(
    "definition",
    "wait",
    "Its volumes are being mounted. Check the share's name and its storage account's key.",
  ),
  ContainerStart: entry("program", "wait", "A container does not start yet. Check the command and the image."),
  NotVisible: entry("platform", "wait", "Azure does not show the container group now; it is observed again."),
  Paused: entry("caller", "wait", "An operator paused the service; it goes on after resume."),
  NameBusy: entry(
    "caller",
    "wait",
    "Another job holds the name, or its group is still there. Use uniqueName to run side by side.",
  ),
  GroupFull: entry(
    "caller",
    "wait",
    "Its group has no free slot, or others wait before it; it starts when one of the group ends. GET /api/groups shows who holds them.",
  ),
  TeamFull: entry(
    "caller",
    "wait",
    "As many jobs of its team hold a container group as the operator allows, or others wait before it; it starts when one of them ends.",
  ),
  Budget: entry("quota", "wait", "The day's budget of vCPU and GB seconds is used up; it goes on at midnight UTC."),
  TooManyJobs: entry("quota", "wait", "The configured ceiling of active jobs is reached; it starts when others end."),
  CreateLimit: entry(
    "quota",
    "wait",
    "ACI's limit of creates per hour is used up; it starts when it refills. Ask Azure to raise it.",
  ),
  QuotaReached: entry(
    "quota",
    "wait",
    "The region's quota is used up; it starts when other groups end. Ask Azure to raise it.",
  ),
  NoCapacity: entry("capacity", "wait", "The region has no capacity now. Use another region, or a smaller group."),
  Throttled: entry(
    "quota",
    "wait",
    "Azure Resource Manager asked to slow down; it is tried again when the time that it gave is over.",
  ),
  ArmUnavailable: entry(
    "platform",
    "wait",
    "Azure Resource Manager can't be reached; the call is repeated. If it lasts, check /api/health/details.",
  ),
  GroupBusy: entry(
    "platform",
    "wait",
    "The container group's previous operation has not settled yet; it is tried again.",
  ),
  SealKeyUnavailable: entry(
    "platform",
    "wait",
    "The sealing key can't be reached, or a newer release sealed the definition; check the vault and the app's access to it.",
  ),
  VaultUnavailable: entry(
    "platform",
    "wait",
    "The Key Vault of the definition's references can't be reached; check the vault and the app's access to it.",
  ),
  RegistryBusy: entry(
    "image",
    "few",
    "The registry refused for now, usually because of Docker Hub's rate limit. Use credentials or your own registry.",
  ),
  NotAuthorized: entry(
    "identity",
    "hour",
    "The app's identity may not do this in the resource group. Check its role assignments; new ones take minutes to work.",
  ),
  IdentityRefused: entry(
    "identity",
    "hour",
    "The app may not attach an identity or join a subnet that the definition names. Check its role assignments.",
  ),
  SubscriptionNotReady: entry(
    "identity",
    "hour",
    "The subscription can't run container groups now: register the provider Microsoft.ContainerInstance, or enable the subscription.",
  ),
  ResourceLocked: entry(
    "identity",
    "hour",
    "A resource lock forbids it. Remove the lock from the container group, its resource group or the subscription.",
  ),
  TargetGone: entry(
    "identity",
    "hour",
    "The resource group, subscription or region does not exist. Create it, or correct AZURE_RESOURCE_GROUP, AZURE_LOCATION or TARGETS.",
  ),
  SubnetFull: entry(
    "network",
    "wait",
    "The subnet has no free address; it starts when other groups end. Use a larger subnet.",
  ),
  RetryDelay: entry("platform", "wait", "A new attempt starts shortly."),

  // The definition's own faults.
  InvalidDefinition: entry("definition", "end", "Correct the definition as the message says."),
  InvalidOptions: entry("definition", "end", "Correct the options as the message says."),
  InvalidParameters: entry("definition", "end", "Give the template's parameters as the message says."),
  TemplateNotFound: entry("definition", "end", "Store the template first, or correct its name or version."),
  InvalidMessage: entry("definition", "end", "Correct the message as the documented schema says."),
  NeverEnds: entry(
    "definition",
    "end",
    "Set restartPolicy to Never or OnFailure, or name main, timeout or runTimeout.",
  ),
  PolicyRefused: entry(
    "definition",
    "end",
    "The operator's policy forbids this. Change the definition as the message says, or ask the operator.",
  ),
  PolicyDenied: entry(
    "definition",
    "end",
    "A policy of the subscription forbids this container group. Change it as the policy says.",
  ),
  QuotaTooSmall: entry(
    "quota",
    "end",
    "The group is larger than the whole quota of each region that it may go to. Ask for less, or ask Azure to raise it.",
  ),
  CreateFailed: entry(
    "platform",
    "end",
    "Azure refuses to create this group again and again. Check the definition; ask Azure with the request's id.",
  ),
  DefinitionGone: entry("definition", "end", "The stored definition is no longer there; submit the job again."),
  SealKeyUnknown: entry("platform", "end", "The key that sealed this definition is gone; submit the job again."),
  VaultRefused: entry(
    "identity",
    "end",
    "A vault reference can't be read: check the secret's name and the app's access to it.",
  ),
  NameTaken: entry(
    "definition",
    "end",
    "A container group of this name exists that this service did not create. Delete it or use another name.",
  ),

  NameActive: entry(
    "caller",
    "end",
    "Another job has this name. Use onConflict wait, replace or attach, or uniqueName to run beside it.",
  ),
  KeyReused: entry("caller", "end", "Use a new idempotency key for another definition."),

  // Before the containers run.
  InaccessibleImage: entry(
    "image",
    "few",
    "The image, tag or registry credentials are wrong, or the registry can't be reached.",
  ),
  ImagePullFailed: entry("image", "caller", "The image could not be pulled. Check its name, tag and credentials."),
  MountFailed: entry(
    "definition",
    "few",
    "A volume can't be mounted. Check the share's name and its storage account's name and key.",
  ),
  StartFailed: entry(
    "program",
    "caller",
    "A container can't be started. Check the command, its working directory and the image.",
  ),
  NetworkFailed: entry(
    "network",
    "caller",
    "The group's network could not be set up. Check the subnet, its delegation and its addresses.",
  ),
  StartTimeout: entry(
    "platform",
    "caller",
    "The group did not start in time. Look at its events; a smaller image starts sooner.",
  ),
  QueueTimeout: entry(
    "quota",
    "end",
    "It waited longer than queueTimeout allows. Raise queueTimeout, or submit fewer jobs at once.",
  ),
  ProvisioningFailed: entry(
    "platform",
    "free",
    "ACI could not start the group and does not say why. Look at the job's events; try another region.",
  ),
  CrashLoop: entry("program", "caller", "The program ends at once again and again. Look at its log."),

  // While and after they run.
  Completed: entry("program", "end", ""),
  ExitCode: entry("program", "caller", "Look at the container's log."),
  ExitUnknown: entry(
    "platform",
    "caller",
    "The program ended, and Azure does not say how. Look at its log; it may have succeeded.",
  ),
  ProbeFailed: entry(
    "program",
    "caller",
    "A liveness probe failed and the container was killed for it. Look at the probe and the log.",
  ),
  OutOfMemory: entry("program", "caller", "Raise memoryInGB."),
  PlatformRestart: entry(
    "platform",
    "free",
    "Azure stopped the container for maintenance; the program is not at fault.",
  ),
  SpotEvicted: entry(
    "capacity",
    "free",
    "Spot capacity was reclaimed. Use priority Regular for a job that must not be interrupted.",
  ),
  GroupDisappeared: entry(
    "platform",
    "caller",
    "The container group was deleted by somebody else, or vanished. Azure's activity log says who did it; submit the job again.",
  ),
  GroupReplaced: entry(
    "definition",
    "end",
    "Somebody else's container group stands in its place; nothing was done to it. Use a name of your own.",
  ),
  StoppedExternally: entry(
    "caller",
    "end",
    "The container group was stopped by somebody else. Submit the job again if it should run.",
  ),
  RunTimeout: entry(
    "program",
    "caller",
    "It ran longer than runTimeout allows. Check its log for what takes the time, or raise runTimeout.",
  ),
  DeadlineExceeded: entry(
    "program",
    "end",
    "It took longer than timeout allows, waiting and retries included. Raise timeout, or check what it waited for.",
  ),
  ChildrenFailed: entry(
    "program",
    "end",
    "Too many of its items did not succeed. GET /api/jobs/{id}/results says which and why; a rerun runs those alone.",
  ),
  ArrayEnded: entry("caller", "end", "Its array was ended before this item had."),
  CanceledByCaller: entry("caller", "end", "It was canceled."),
  Replaced: entry("caller", "end", "A newer job of the same name replaced it."),
  LeaseExpired: entry(
    "caller",
    "end",
    "The lease expired: nobody polled the job's status in time. Poll more often, or set a longer lease.",
  ),
  InternalError: entry("platform", "end", "This is a fault of the service: report it with the job's id."),
} as const satisfies Record<string, Entry>;

export type Reason = keyof typeof catalogue;

/** Waits that end only when something outside the service changes; operators are alerted of them. The others pass, or are its own pacing. */
export const outsideWaits: readonly Reason[] = [
  "QuotaReached",
  "NoCapacity",
  "ArmUnavailable",
  "SealKeyUnavailable",
  "VaultUnavailable",
  "RegistryBusy",
  "InaccessibleImage",
  "MountFailed",
  "NotAuthorized",
  "IdentityRefused",
  "SubscriptionNotReady",
  "ResourceLocked",
  "TargetGone",
  "SubnetFull",
];

/** A reason as a row may hold it: the next release may have written one that we don't know. */
export type ReasonWord = OpenWord<Reason>;

const newerReason = entry("platform", "end", "A newer release of the service gave this reason; see its documentation.");

/** What the catalogue says of a reason. */
export function entryOf(reason: ReasonWord): Entry {
  return isReason(reason) ? catalogue[reason] : newerReason;
}

export function isReason(text: string): text is Reason {
  return Object.hasOwn(catalogue, text);
}

/** In any letter case. */
export function reasonNamed(text: string): Reason | undefined {
  const found = Object.keys(catalogue).find((name) => name.toLowerCase() === text.toLowerCase());
  return found !== undefined && isReason(found) ? found : undefined;
}
