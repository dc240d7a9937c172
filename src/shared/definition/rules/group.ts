import { isUuidLike } from "../../base/ids.ts";
import type { Cursor } from "../cursor.ts";
import { leftover, vaultReferencesIn } from "../placeholders.ts";
import type { Findings } from "../text/positions.ts";
import { judgeLeftover, type Judge } from "./judge.ts";

/**
 * Judges what the group says as a whole. Sources: azure-docs "Resource availability & quota limits for ACI" and "Troubleshoot
 * common issues in Azure Container Instances"; SupportArticles "Error codes for Spot container creation".
 */
export function judgeGroup(judge: Judge): void {
  judgeLocation(judge.root.get("location"), judge.findings);
  judgeZones(judge.root.get("zones"), judge.findings);
  judgeTags(judge.root.get("tags"), judge.findings);
  judgeIdentity(judge);
  judgeOs(judge);
  judgeCounts(judge);
  judgeSpot(judge);
}

/**
 * A container group's name: 1 to 63 letters, digits and dashes. Upper case is taken, as Azure compares names without regard to it.
 * A name like a UUID would be taken for a job's id in our own addresses.
 */
export function judgeName(name: Cursor, findings: Findings): void {
  const { text } = name;
  if (text === undefined) {
    if (name.empty) findings.fault(name, "name is missing: give the container group a name.");
    return;
  }
  if (judgeLeftover(name, "name", "put the group's name there", findings)) return;
  if (!/^(?!.*--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(text.slice(0, 65))) {
    findings.fault(
      name,
      "name must be 1 to 63 letters, digits and dashes, with no dash first, last or twice in a row.",
    );
  } else if (isUuidLike(text))
    findings.fault(name, "name looks like a UUID, which would be taken for a job's id; choose another.");
}

function judgeLocation(location: Cursor, findings: Findings): void {
  const { text } = location;
  if (text === undefined || vaultReferencesIn(text).length > 0) return;
  if (judgeLeftover(location, "location", "write a region, or leave it out", findings)) return;
  if (text.toLowerCase() === "string" || !/^[A-Za-z0-9 ]{1,90}$/.test(text)) {
    findings.fault(
      location,
      "location is a placeholder or no region's name; write a region, such as westeurope, or leave it out.",
    );
  }
}

/** A zonal group stands in one zone (azure-docs "Deploy an ACI container group in an availability zone"; ResourceTypeNotSupportMultiZones). */
function judgeZones(zones: Cursor, findings: Findings): void {
  const [, second] = zones.items;
  if (second) findings.fault(second, "A container group stands in one zone only; keep one of zones.");
  for (const zone of zones.items) judgeLeftover(zone, "zones", "write a zone's number, or leave zones out", findings);
}

/** Azure Resource Manager's limits ("Use tags to organize your Azure resources"). */
function judgeTags(tags: Cursor, findings: Findings): void {
  const { members } = tags;
  if (members.length > 50) findings.fault(tags, "tags has more than the 50 that a resource may carry.");
  for (const [name, tag] of members) {
    if (name.trim() === "") findings.fault(tag, "A tag's name is empty; give it one, or remove the tag.");
    else if (name.length > 512 || /[<>%&\\?/]/.test(name)) {
      findings.fault(tag, "A tag's name may have at most 512 characters and may not contain < > % & \\ ? /.");
    }
    if ((tag.text?.length ?? 0) > 256) findings.fault(tag, "A tag's value may have at most 256 characters.");
  }
}

const identityId =
  /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+\/providers\/microsoft\.managedidentity\/userassignedidentities\/[^/]+$/i;

function judgeIdentity({ root, findings }: Judge): void {
  const identity = root.get("identity");
  const assigned = identity.get("userAssignedIdentities");
  const type = identity.get("type").word ?? "";
  if (type.includes("userassigned") && assigned.members.length === 0) {
    findings.warn(
      assigned,
      "identity names no userAssignedIdentities, though its type has UserAssigned; it is likely to be refused.",
    );
  }
  for (const [id, each] of assigned.members) {
    const left = leftover(id);
    if (left !== undefined) findings.warn(each, `${left} is left in an identity's id; it is likely to be refused.`);
    else if (!identityId.test(id)) {
      findings.warn(
        each,
        "A user-assigned identity is named by its full resource id; this one is likely to be refused.",
      );
    }
  }
}

function judgeOs({ group, root, findings, containers, initContainers, fromProfile }: Judge): void {
  const osType = group.get("osType");
  if (!osType.present && !fromProfile) findings.fault(osType, "osType is missing: write Linux or Windows.");
  if (osType.word !== "windows") return;
  if (containers.length > 1 || initContainers.length > 0) {
    findings.fault(osType, "A Windows group may have one container only, and no init containers.");
  }
  if ((root.get("identity").get("type").word ?? "none") !== "none") {
    findings.warn(
      root.get("identity"),
      "Managed identities are not supported in every Windows group; it may be refused.",
    );
  }
}

function judgeCounts({ group, findings, containers, initContainers, fromProfile }: Judge): void {
  const list = group.get("containers");
  if (list.empty && !fromProfile)
    findings.fault(list, "containers is missing or empty: a group needs at least one container.");
  if (containers.length + initContainers.length > 60) findings.fault(list, "A group may have at most 60 containers.");
}

function judgeSpot({ root, group, findings, containers }: Judge): void {
  const priority = group.get("priority");
  if (priority.word !== "spot") return;
  if (group.get("ipAddress").present)
    findings.fault(group.get("ipAddress"), "A Spot group can't have an ipAddress; remove it or make priority Regular.");
  if (!group.get("subnetIds").empty)
    findings.warn(
      group.get("subnetIds"),
      "Spot groups are not supported in virtual networks; it is likely to be refused.",
    );
  if (!root.get("zones").empty)
    findings.warn(root.get("zones"), "Spot groups are not supported in zones; it is likely to be refused.");
  const sku = group.get("sku").word ?? "standard";
  if (sku !== "standard" && sku !== "notspecified")
    findings.fault(group.get("sku"), "A Spot group must have sku Standard.");
  const gpu = containers
    .map((container) => container.get("properties").get("resources").get("requests").get("gpu"))
    .find(({ present }) => present);
  if (gpu) findings.fault(gpu, "A Spot group can't have GPUs; remove gpu or make priority Regular.");
}
