import { Cursor } from "../definition/cursor.ts";
import type { Definition, DefinitionView } from "../definition/index.ts";
import { imageName } from "../definition/image-name.ts";
import type { Settings } from "../config/settings.ts";

/** What an operator's rule forbids, and where the definition asks for it. */
export interface PolicyFault {
  readonly path: string;
  /** Names the rule by its setting; repeats nothing of the definition. */
  readonly message: string;
}

export type PolicySettings = Pick<
  Settings,
  | "policyRegistries"
  | "policyImages"
  | "policyRegions"
  | "policyMaxCpu"
  | "policyMaxMemoryGb"
  | "policyMaxContainers"
  | "policyPublicIp"
  | "policyPrivileged"
  | "policyVolumes"
  | "policyIdentities"
  | "policySubnets"
  | "policyStorageAccounts"
  | "policyProfiles"
  | "pullIdentity"
>;

/**
 * Judges a definition by the operator's rules. What would lend a job something that is not its submitter's (an identity, a subnet, a
 * storage account, a profile of somebody else's making) is refused unless it is listed; all else is allowed unless it is restricted.
 *
 * @returns every fault at once, in the order of the rules
 */
export function policyFaults({ body, view }: Definition, settings: PolicySettings): PolicyFault[] {
  const root = Cursor.over(body);
  return [
    ...judgeImages(root, settings),
    ...judgeSize(view, settings),
    ...judgePlace(root, view, settings),
    ...judgePrivileges(root, settings),
    ...judgeVolumes(root, settings),
    ...judgeBorrowed(root, settings),
  ];
}

function* judgeImages(root: Cursor, { policyRegistries, policyImages }: PolicySettings): Generator<PolicyFault> {
  for (const container of containersOf(root)) {
    const image = container.get("properties").get("image");
    if (image.text === undefined) continue;
    const { registry, name, tagged } = imageName(image.text);
    if (!allows(policyRegistries, registry)) yield fault(image, "POLICY_REGISTRIES", "this image's registry");
    else if (!allows(policyImages, name) && !allows(policyImages, tagged))
      yield fault(image, "POLICY_IMAGES", "this image");
  }
}

function* judgeSize(view: DefinitionView, settings: PolicySettings): Generator<PolicyFault> {
  const { policyMaxCpu, policyMaxMemoryGb, policyMaxContainers } = settings;
  const path = "properties.containers";
  if (policyMaxCpu !== undefined && view.cpu > policyMaxCpu)
    yield { path, message: `POLICY_MAX_CPU allows ${policyMaxCpu} CPUs for all containers together.` };
  if (policyMaxMemoryGb !== undefined && view.memoryGB > policyMaxMemoryGb)
    yield { path, message: `POLICY_MAX_MEMORY_GB allows ${policyMaxMemoryGb} GB for all containers together.` };
  if (policyMaxContainers !== undefined && view.containers.length + view.initContainers.length > policyMaxContainers)
    yield { path, message: `POLICY_MAX_CONTAINERS allows ${policyMaxContainers} containers.` };
}

function* judgePlace(root: Cursor, view: DefinitionView, settings: PolicySettings): Generator<PolicyFault> {
  const location = root.get("location");
  const written = (region: string): string => region.replaceAll(" ", ""); // "West Europe" is westeurope
  if (location.text !== undefined && !allows(settings.policyRegions.map(written), written(location.text)))
    yield fault(location, "POLICY_REGIONS", "this region");
  if (view.publicIp && !settings.policyPublicIp)
    yield fault(root.get("properties").get("ipAddress"), "POLICY_PUBLIC_IP", "a public address");
}

function* judgePrivileges(root: Cursor, { policyPrivileged }: PolicySettings): Generator<PolicyFault> {
  if (policyPrivileged) return;
  for (const container of containersOf(root)) {
    const context = container.get("properties").get("securityContext");
    for (const name of ["privileged", "allowPrivilegeEscalation"]) {
      const asked = context.get(name);
      if (asked.value === true || asked.word?.trim() === "true")
        yield fault(asked, "POLICY_PRIVILEGED", "privileges of a container");
    }
    const added = context.get("capabilities").get("add");
    if (!added.empty) yield fault(added, "POLICY_PRIVILEGED", "further capabilities of a container");
    const profile = context.get("seccompProfile");
    // It takes the place of the default one, which forbids what it may allow.
    if (!profile.empty) yield fault(profile, "POLICY_PRIVILEGED", "a seccomp profile");
  }
}

const volumeKinds = ["azureFile", "emptyDir", "secret", "secretReference", "gitRepo"] as const;

function* judgeVolumes(root: Cursor, settings: PolicySettings): Generator<PolicyFault> {
  for (const volume of root.get("properties").get("volumes").records) {
    for (const kind of volumeKinds) {
      if (volume.get(kind).present && !allows(settings.policyVolumes, kind))
        yield fault(volume.get(kind), "POLICY_VOLUMES", "a volume of this kind");
    }
    const account = volume.get("azureFile").get("storageAccountName");
    if (account.text !== undefined && !allows(settings.policyStorageAccounts, account.text))
      yield fault(account, "POLICY_STORAGE_ACCOUNTS", "this storage account");
  }
}

/** What Azure lends a job because our identity may use it. */
function* judgeBorrowed(root: Cursor, settings: PolicySettings): Generator<PolicyFault> {
  const { policyIdentities, policySubnets, policyProfiles, pullIdentity } = settings;
  const group = root.get("properties");
  const attached = root.get("identity").get("userAssignedIdentities").members;
  for (const [id, place] of attached) {
    if (!isListed(policyIdentities, id) && id.toLowerCase() !== pullIdentity?.toLowerCase())
      yield fault(place, "POLICY_IDENTITIES", "this identity");
  }
  const named = [
    ...group.get("imageRegistryCredentials").records,
    ...group.get("secretReferences").records,
    ...group.get("identityAcls").get("acls").records,
    group.get("encryptionProperties"),
  ].map((user) => user.get("identity"));
  for (const identity of named) {
    const id = identity.text;
    if (id !== undefined && !isListed(policyIdentities, id) && id.toLowerCase() !== pullIdentity?.toLowerCase())
      yield fault(identity, "POLICY_IDENTITIES", "this identity");
  }
  // Named in another way than by resource id: only what a list names in that way is sure to be meant.
  const otherwiseNamed = [
    ...group.get("imageRegistryCredentials").records.map((credential) => credential.get("identityUrl")),
    ...group.get("volumes").records.map((volume) => volume.get("azureFile").get("userAssignedIdentityClientId")),
  ];
  for (const identity of otherwiseNamed) {
    if (!identity.empty && !allows(policyIdentities, identity.text ?? ""))
      yield fault(identity, "POLICY_IDENTITIES", "this identity");
  }
  for (const subnet of [...group.get("subnetIds").records, group.get("networkProfile")]) {
    const id = subnet.get("id");
    if (id.text !== undefined && !isListed(policySubnets, id.text)) yield fault(id, "POLICY_SUBNETS", "this subnet");
  }
  for (const name of ["containerGroupProfile", "standbyPoolProfile"]) {
    const id = group.get(name).get("id");
    if (id.text !== undefined && !isListed(policyProfiles, id.text)) yield fault(id, "POLICY_PROFILES", "this profile");
  }
}

function containersOf(root: Cursor): Cursor[] {
  const group = root.get("properties");
  return [...group.get("containers").records, ...group.get("initContainers").records];
}

function fault({ path }: Cursor, rule: string, what: string): PolicyFault {
  return { path, message: `${rule} does not allow ${what}; ask the operator of this service.` };
}

/** A resource id in its plain form; another form might be read in another way by Azure than by the list. */
function isListed(patterns: readonly string[], id: string): boolean {
  if (patterns.includes("*")) return true;
  const plain = /^(?:\/[\w.()-]{1,260}){2,}$/.test(id) && !/\/\.{1,2}(?:\/|$)/.test(id);
  return plain && allows(patterns, id);
}

/** `*` stands for any characters. Without regard to case, as Azure compares names. Takes time in proportion to the text. */
export function allows(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matches(pattern.toLowerCase().split("*"), text.toLowerCase()));
}

function matches([first = "", ...rest]: readonly string[], text: string): boolean {
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
