import type { Definition } from "./definition.ts";
import { tagNames } from "./arm-group.ts";
import type { Job, Placed } from "./job.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/**
 * The body that ACI gets: the definition as it was written, and added to it only our tags, a missing location, and what an option
 * asks for. Pure; nothing of the definition is dropped or reordered.
 */
export function composeGroup(definition: Definition, job: Job, placed: Placed, installation: string): JsonObject {
  const { body } = definition;
  const { source, tags } = job.options;
  const written = memberOf(body, "tags");
  const all: JsonObject = {
    ...(isObject(written) ? written : {}),
    ...tags,
    ...(source === undefined
      ? {}
      : {
          "aciproxy-factory": source.factory,
          "aciproxy-pipeline": source.pipeline,
          "aciproxy-run": source.pipelineRunId,
          "aciproxy-activity": source.activity,
        }),
    [tagNames.job]: job.id,
    [tagNames.attempt]: String(job.attempt),
    [tagNames.installation]: installation,
  };
  const located = withMember(withMember(body, "tags", all), "location", memberOf(body, "location") ?? placed.location);
  return job.options.env ? withVariables(located, job) : located;
}

function withVariables(body: JsonObject, job: Job): JsonObject {
  const variables: JsonObject[] = [
    { name: "ACI_PROXY_JOB_ID", value: job.id },
    { name: "ACI_PROXY_NAME", value: job.name },
    { name: "ACI_PROXY_ATTEMPT", value: String(job.attempt) },
    { name: "ACI_PROXY_DEADLINE", value: new Date(job.deadlineAt).toISOString() },
  ];
  const properties = memberOf(body, "properties");
  if (!isObject(properties)) return body;
  const add = (list: JsonValue | undefined): JsonValue[] =>
    (Array.isArray(list) ? list : []).map((container) => {
      const inner = isObject(container) ? memberOf(container, "properties") : undefined;
      if (!isObject(container) || !isObject(inner)) return container;
      const own = memberOf(inner, "environmentVariables");
      const kept = (Array.isArray(own) ? own : []).filter(
        (variable) => !variables.some(({ name }) => isObject(variable) && memberOf(variable, "name") === name),
      );
      return withMember(container, "properties", withMember(inner, "environmentVariables", [...kept, ...variables]));
    });
  let changed = properties;
  for (const name of ["containers", "initContainers"]) {
    const list = memberOf(changed, name);
    if (list !== undefined) changed = withMember(changed, name, add(list));
  }
  return withMember(body, "properties", changed);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** ARM takes member names without regard to case. */
function keyOf(object: JsonObject, name: string): string | undefined {
  return Object.hasOwn(object, name)
    ? name
    : Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase());
}

function memberOf(object: JsonObject, name: string): JsonValue | undefined {
  const key = keyOf(object, name);
  return key === undefined ? undefined : (object[key] ?? undefined);
}

function withMember(object: JsonObject, name: string, value: JsonValue): JsonObject {
  return { ...object, [keyOf(object, name) ?? name]: value };
}
