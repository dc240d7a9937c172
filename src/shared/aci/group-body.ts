import type { Definition } from "../definition/index.ts";
import { tagNames } from "./arm-group.ts";
import type { Job, Placed } from "../job/job.ts";
import { isJsonObject, member, withMember, type JsonObject, type JsonValue } from "../base/json.ts";
import { withPullIdentity, type PullIdentity } from "./pull-identity.ts";

/**
 * The body that ACI gets: the definition as it was written, and added to it only our tags, a missing location, the pull identity for
 * the house's own registry, and what an option asks for. Pure; nothing of the definition is dropped or reordered.
 */
export function composeGroup(
  definition: Definition,
  job: Job,
  placed: Placed,
  installation: string,
  pull?: PullIdentity,
): JsonObject {
  const body = pull === undefined ? definition.body : withPullIdentity(definition, pull);
  const written = member(body, "tags")?.value;
  const all: JsonObject = { ...(isJsonObject(written) ? written : {}), ...tagsOf(job, installation) };
  const located = withMember(
    withMember(body, "tags", all),
    "location",
    member(body, "location")?.value ?? placed.location,
  );
  return job.options.env ? withVariables(located, job) : located;
}

/** What the job asks for, and what tells everybody whose the group is. */
export function tagsOf({ id, attempt, options: { source, tags } }: Job, installation: string): Record<string, string> {
  return {
    ...tags,
    ...(source === undefined
      ? {}
      : {
          "aciproxy-factory": source.factory,
          "aciproxy-pipeline": source.pipeline,
          "aciproxy-run": source.pipelineRunId,
          "aciproxy-activity": source.activity,
        }),
    [tagNames.job]: id,
    [tagNames.attempt]: String(attempt),
    [tagNames.installation]: installation,
  };
}

function withVariables(body: JsonObject, job: Job): JsonObject {
  const variables: JsonObject[] = [
    { name: "ACI_PROXY_JOB_ID", value: job.id },
    { name: "ACI_PROXY_NAME", value: job.name },
    { name: "ACI_PROXY_ATTEMPT", value: String(job.attempt) },
    { name: "ACI_PROXY_DEADLINE", value: new Date(job.deadlineAt).toISOString() },
  ];
  const properties = member(body, "properties")?.value;
  if (!isJsonObject(properties)) return body;
  const add = (list: JsonValue): JsonValue[] =>
    (Array.isArray(list) ? list : []).map((container) => {
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
