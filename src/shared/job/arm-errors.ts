import type { Reason } from "./reasons.ts";
import { plainWords } from "./group-events.ts";

/** An error of Azure's, or one that stands inside it. */
export interface CodedError {
  readonly code: string;
  readonly message: string;
}

/** What Azure said when it refused a create, reduced to what decides. */
export interface ArmError extends CodedError {
  readonly httpStatus: number;
  /** The errors inside it, outer ones first: where its own code says nothing, theirs decide. */
  readonly inner?: readonly CodedError[];
}

/** What a refused create means for the job. */
export interface Refusal {
  readonly reason: Reason;
  /** A sentence that says more than Azure's own, where there is one. */
  readonly detail: string | undefined;
  /** Nobody knows this code: it may pass, or come for ever. Then it ends the job as `CreateFailed` in the end. */
  readonly doubtful: boolean;
}

/**
 * Azure's error codes, in lower case. A code decides; the words beside it decide only where the code has no meaning of its own.
 *
 * Sources: "Troubleshoot common issues in Azure Container Instances"; azure-docs#51738 (quota numbers); azure-cli#29490, #26925
 * (InternalServerError for a taken DNS label); "Resolve errors for resource provider registration"; "Lock your resources".
 */
const byCode: Readonly<Record<string, Reason>> = {
  containergroupquotareached: "QuotaReached",
  containergroupspotquotareached: "QuotaReached",
  quotaexceeded: "QuotaReached",
  resourcequotaexceeded: "QuotaReached",
  subscriptionrequeststhrottled: "Throttled",
  resourcerequeststhrottled: "Throttled",
  toomanyrequests: "Throttled",
  containergrouptransitioning: "GroupBusy",
  anotheroperationinprogress: "GroupBusy",
  serviceassociationlinknotready: "GroupBusy",
  registryerrorresponse: "RegistryBusy",
  inaccessibleimage: "InaccessibleImage",
  linkedauthorizationfailed: "IdentityRefused",
  linkedaccesscheckfailed: "IdentityRefused",
  authorizationfailed: "NotAuthorized",
  invalidauthenticationtoken: "NotAuthorized",
  expiredauthenticationtoken: "NotAuthorized",
  resourcegroupnotfound: "TargetGone",
  resourcegroupbeingdeleted: "TargetGone",
  subscriptionnotfound: "TargetGone",
  invalidsubscriptionid: "TargetGone",
  serviceunavailable: "NoCapacity",
  insufficientcapacity: "NoCapacity",
  skunotavailable: "NoCapacity",
  allocationfailed: "NoCapacity",
  zonalallocationfailed: "NoCapacity",
  overconstrainedallocationrequest: "NoCapacity",
  missingsubscriptionregistration: "SubscriptionNotReady",
  missingregistrationforlocation: "SubscriptionNotReady",
  invalidsubscriptionregistrationstate: "SubscriptionNotReady",
  subscriptionnotregistered: "SubscriptionNotReady",
  readonlydisabledsubscription: "SubscriptionNotReady",
  disallowedprovider: "SubscriptionNotReady",
  scopelocked: "ResourceLocked",
  requestdisallowedbypolicy: "PolicyDenied",
  requestdisallowedbyazure: "PolicyDenied",
  policyviolation: "PolicyDenied",
  invalidresourcelocation: "NameTaken",
  subnetisfull: "SubnetFull",
  containerstartfailed: "StartFailed",
  failedtostartcontainer: "StartFailed",
  azurefilemountfailed: "MountFailed",
  cannotaccessstorageaccount: "MountFailed",
};

/** Codes that say nothing: what they mean stands in the sentence beside them. */
const meaningless = new Set([
  "",
  "badrequest",
  "serviceunavailable",
  "deploymentfailed",
  "internalservererror",
  "operationnotallowed",
]);

/** What a refusal of ARM or ACI on create means. Pure. */
export function readRefusal(error: ArmError): Refusal {
  for (const guesses of [false, true]) {
    for (const each of [error, ...(error.inner ?? [])]) {
      const reason = reasonOf(each, guesses);
      if (reason === "QuotaReached") return quota(each);
      if (reason !== undefined) return { reason, detail: undefined, doubtful: false };
    }
  }
  return byStatus(error);
}

/** @param guesses whether a code that may mean several things counts where no words tell which */
function reasonOf({ code, message }: CodedError, guesses: boolean): Reason | undefined {
  const name = code.toLowerCase();
  const known = Object.hasOwn(byCode, name) ? byCode[name] : undefined;
  if (!meaningless.has(name)) return known;
  return byWords(plainWords(message)) ?? (guesses ? known : undefined);
}

function byWords(words: string): Reason | undefined {
  if (/\bquota\b/i.test(words)) return "QuotaReached";
  if (/\b(?:not available in the location|insufficient capacity)\b/i.test(words)) return "NoCapacity";
  if (/\bsubnet\b.*\bfull\b/i.test(words)) return "SubnetFull";
  return undefined;
}

/** An answer without a code comes from something on the way: it says nothing of the definition. */
function byStatus({ httpStatus, code }: ArmError): Refusal {
  const plain = (reason: Reason): Refusal => ({ reason, detail: undefined, doubtful: false });
  if (httpStatus === 429) return plain("Throttled");
  if (httpStatus === 401 || httpStatus === 403) return plain("NotAuthorized");
  if (httpStatus === 409) return { reason: "GroupBusy", detail: undefined, doubtful: true };
  if (httpStatus >= 500 || httpStatus === 408 || code === "")
    return { reason: "ArmUnavailable", detail: undefined, doubtful: true };
  return plain("InvalidDefinition");
}

/**
 * A quota that is used up is waited for; a group that is larger than the whole quota never fits. Numbers that can't be read mean
 * wait, and so does a limit of 0 from ServiceUnavailable: Azure's fraud detection says so for a while.
 */
function quota({ code, message }: CodedError): Refusal {
  const numberOf = (name: string): number | undefined => {
    const text = new RegExp(`${name}:\\s*'?(\\d+(?:\\.\\d+)?)`, "i").exec(message)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const [limit, usage, requested] = [numberOf("Limit"), numberOf("Usage"), numberOf("Requested")];
  const isPassing = /^serviceunavailable$/i.test(code) && limit === 0;
  if (limit === undefined || requested === undefined || requested <= limit || isPassing)
    return { reason: "QuotaReached", detail: undefined, doubtful: false };
  const what = /quota '([^']+)'/i.exec(message)?.[1] ?? "of the quota";
  const used = usage === undefined ? "" : `, and ${usage} are in use`;
  const detail = `The group asks for ${requested} ${what}; the limit is ${limit}${used}.`;
  return { reason: "QuotaTooSmall", detail, doubtful: false };
}
