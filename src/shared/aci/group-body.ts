import { itemText, longestItem, type ArrayChild, type Definition } from "../definition/index.ts";
import type { InstallationTag } from "./installation-tag.ts";
import { addedTags, mergeTags, tagNames } from "../job/group-tags.ts";
import type { Job, JobTarget } from "../job/job.ts";
import { isPack } from "../job/observed-group.ts";
import { isJsonObject, member, withMember, type JsonObject, type JsonValue } from "../base/json.ts";
import { traceparentOf } from "../base/traceparent.ts";
import { withPullIdentity, type PullIdentity } from "./pull-identity.ts";

interface Further {
  readonly pull?: PullIdentity | undefined;
  readonly resultUrl?: string | undefined;
  /** Of an array's child that child; of a pack one for each container. */
  readonly children?: readonly ArrayChild[] | undefined;
}

/**
 * The body that ACI gets: the definition as it was written, and added to it only our tags, a missing location, the pull identity for
 * the house's own registry, and what an option asks for. Pure; nothing of the definition is dropped or reordered.
 */
export function composeGroup(
  definition: Definition,
  job: Job,
  placed: JobTarget,
  installation: InstallationTag,
  { pull, resultUrl, children = [] }: Further = {},
): JsonObject {
  const body = pull === undefined ? definition.body : withPullIdentity(definition, pull);
  const written = member(body, "tags")?.value;
  const located = withMember(
    withMember(body, "tags", mergeTags(isJsonObject(written) ? written : {}, tagsOf(job, placed, installation))),
    "location",
    member(body, "location")?.value ?? placed.location,
  );
  const placeable = job.regular ? withRegularPriority(located) : located;
  const ofJob = job.options.env ? jobVariables(job, resultUrl) : [];
  const ofChild = children.map(arrayVariables);
  if (ofJob.length === 0 && ofChild.length === 0) return placeable;
  return withVariables(placeable, (at) => [...ofJob, ...((isPack(job) ? ofChild[at] : ofChild[0]) ?? [])]);
}

/** What the job asks for, and the tags that show everybody whose the group is. */
function tagsOf(
  { id, attempt, groupName, options }: Job,
  placed: JobTarget,
  installation: InstallationTag,
): Record<string, string> {
  return {
    ...addedTags(options),
    [tagNames.job]: id,
    [tagNames.attempt]: String(attempt),
    [tagNames.installation]: installation.valueFor({ ...placed, name: groupName }),
  };
}

/** Spot was given up for this job. */
function withRegularPriority(body: JsonObject): JsonObject {
  const properties = member(body, "properties")?.value;
  if (!isJsonObject(properties)) return body;
  return withMember(body, "properties", withMember(properties, "priority", "Regular"));
}

function jobVariables(job: Job, resultUrl: string | undefined): readonly JsonObject[] {
  return [
    { name: "ACI_PROXY_JOB_ID", value: job.id },
    { name: "ACI_PROXY_NAME", value: job.name },
    { name: "ACI_PROXY_ATTEMPT", value: String(job.attempt) },
    { name: "ACI_PROXY_DEADLINE", value: new Date(job.deadlineAt).toISOString() },
    { name: "TRACEPARENT", value: job.traceparent ?? traceparentOf(job.id) },
    // Whoever has it may give the job its result.
    ...(resultUrl === undefined ? [] : [{ name: "ACI_PROXY_RESULT_URL", secureValue: resultUrl }]),
  ];
}

/** Whatever the option `env` says. An item that no program could be given is left out: it stands where the definition puts it. */
function arrayVariables({ index, size, item, isSecret }: ArrayChild): readonly JsonObject[] {
  const text = item === undefined ? undefined : itemText(item);
  const isGiven = text !== undefined && text.length <= longestItem;
  return [
    { name: "ACI_PROXY_ARRAY_INDEX", value: String(index) },
    { name: "ACI_PROXY_ARRAY_SIZE", value: String(size) },
    ...(isGiven ? [{ name: "ACI_PROXY_ARRAY_ITEM", [isSecret ? "secureValue" : "value"]: text }] : []),
  ];
}

/** @param variablesOf a container, by its place in its list */
function withVariables(body: JsonObject, variablesOf: (at: number) => readonly JsonObject[]): JsonObject {
  const properties = member(body, "properties")?.value;
  if (!isJsonObject(properties)) return body;
  const add = (list: JsonValue): JsonValue[] =>
    (Array.isArray(list) ? list : []).map((container, at) => {
      const variables = variablesOf(at);
      const inner = isJsonObject(container) ? member(container, "properties")?.value : undefined;
      if (!isJsonObject(container) || !isJsonObject(inner)) return container;
      const own = member(inner, "environmentVariables")?.value;
      const kept = (Array.isArray(own) ? own : []).filter(
        (variable) => !variables.some(({ name }) => isJsonObject(variable) && member(variable, "name")?.value === name),
      );
      return withMember(container, "properties", withMember(inner, "environmentVariables", [...kept, ...variables]));
    });
  let changed = properties;
  for (const name of ["containers", "initContainers"]) {
    const list = member(changed, name)?.value;
    if (list !== undefined && list !== null) changed = withMember(changed, name, add(list));
  }
  return withMember(body, "properties", changed);
}
