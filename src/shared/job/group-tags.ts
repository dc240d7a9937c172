import { isJsonObject, member, type JsonObject } from "../base/json.ts";
import type { Definition } from "../definition/index.ts";
import type { JobOptions } from "./options.ts";

/** The tags of a container group: those that its definition has, those that its caller asks for, and those that say whose it is. */
export const tagNames = {
  job: "aciproxy-job",
  attempt: "aciproxy-attempt",
  installation: "aciproxy-installation",
} as const;

const sourceTags = {
  factory: "aciproxy-factory",
  pipeline: "aciproxy-pipeline",
  pipelineRunId: "aciproxy-run",
  activity: "aciproxy-activity",
} as const;
const reserved: ReadonlySet<string> = new Set([...Object.values(tagNames), ...Object.values(sourceTags)]);

/** What Azure Resource Manager allows a resource ("Use tags to organize your Azure resources", limitations). */
const maxTags = 50;

/** The tags that the options `tags` and `source` ask for. */
export function addedTags({ tags, source }: JobOptions): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(tags).filter(([name]) => !reserved.has(tagKey(name)))),
    ...(source === undefined
      ? {}
      : {
          [sourceTags.factory]: source.factory,
          [sourceTags.pipeline]: source.pipeline,
          [sourceTags.pipelineRunId]: source.pipelineRunId,
          [sourceTags.activity]: source.activity,
        }),
  };
}

/**
 * A definition's tags, and over them ours. ARM compares tags without case and takes one of a kind, so a tag with one of our names, however
 * it is written, must not stand beside it; and one that we would only have set if an option had asked for it says nothing true.
 */
export function mergeTags(written: JsonObject, ours: Readonly<Record<string, string>>): JsonObject {
  const taken = new Set([...Object.keys(ours).map(tagKey), ...reserved]);
  const kept = Object.entries(written).filter(([name]) => !taken.has(tagKey(name)));
  return { ...Object.fromEntries(kept), ...ours };
}

/** What tag names are compared by: look-alikes that some comparison folds into plain letters count as these. */
function tagKey(name: string): string {
  return name
    .normalize("NFKC")
    .replaceAll(/[\s\p{Cc}\p{Cf}]/gu, "")
    .toUpperCase()
    .toLowerCase();
}

/** What is wrong with the number of tags that the group would carry, the service's own among them. */
export function tagsFault({ body }: Definition, options: JobOptions): string | undefined {
  const written = member(body, "tags")?.value;
  const ours = { ...addedTags(options), ...Object.fromEntries(Object.values(tagNames).map((name) => [name, ""])) };
  const names = Object.keys(mergeTags(isJsonObject(written) ? written : {}, ours));
  const all = new Set(names.map((name) => name.toLowerCase())).size;
  if (all <= maxTags) return undefined;
  const more = Object.keys(ours).length;
  return `The group would carry ${all} tags, ${more} of them from the options and this service, and Azure allows ${maxTags}; remove ${all - maxTags}.`;
}
