import { check, type Checked, type Submission } from "../../src/shared/intake/submission.ts";
import type { Settings } from "../../src/shared/config/settings.ts";
import type { Job } from "../../src/shared/job/job.ts";
import { submission as plainOrder } from "../kit/kit.ts";
import type { Program, Spec } from "./specs.ts";

/** Specs as callers send them. What the containers do is in the definition's tags; a tag of the options names the spec. */
interface Made {
  readonly spec: Spec;
  readonly text: string;
  readonly order: Submission;
  readonly checked: Checked;
}

const known = new Map<string, Made>();
const numbered: Made[] = [];

export function submissionOf(spec: Spec, via: Submission["via"], settings: Settings): Made {
  const key = JSON.stringify([via, spec, settings.teams.length]);
  const before = known.get(key);
  if (before) return before;
  const envelope = { ...spec.options, tags: { spec: String(numbered.length) } };
  const text = definitionOf(spec);
  const order = plainOrder(text, { envelope, via });
  const checked = check(order, settings);
  if (!checked.ok) throw new Error(checked.error.message);
  const made = { spec, text, order, checked: checked.value };
  known.set(key, made);
  numbered.push(made);
  return made;
}

export function specOf({ options, child }: Pick<Job, "options" | "child">): Spec {
  const made = numbered[Number(options.tags["spec"])];
  if (made === undefined) throw new Error("Every job of the model has a spec.");
  return child === undefined ? made.spec : ofChild(made.spec, child.index);
}

/** What callers were promised of an array is not promised of its children. */
function ofChild({ name, app, options, ...spec }: Spec, index: number): Spec {
  const { lease: _lease, timeout: _timeout, uniqueName: _unique, ...own } = options;
  const code = app.codeIsIndex ? index : app.code;
  const isPack = options.pack !== undefined;
  return {
    ...spec,
    name: `${name}-${isPack ? "p" : ""}${index}`,
    app: { ...app, code },
    options: { ...own, onConflict: "wait" },
  };
}

function definitionOf({ name, app, helper, startSeconds, script, spot, restartPolicy, options }: Spec): string {
  // Of a pack the tags are of the whole group: each container has its index in its name.
  const index = options.pack === undefined ? "${index}" : "index";
  const plan = ({ seconds, code, codeIsIndex, fails }: Program): string =>
    `${seconds} ${codeIsIndex ? index : code} ${fails ?? "always"}`;
  const programs = Object.entries({ app, ...(helper ? { helper } : {}) });
  return `
name: ${name}
tags:
  start: "${startSeconds ?? 3}"
  platform: '${script === undefined ? "" : JSON.stringify(script)}'
${programs.map(([container, program]) => `  ${container}: "${plan(program)}"`).join("\n")}
properties:
  osType: Linux
  restartPolicy: ${restartPolicy ?? "Never"}
  priority: ${spot ? "Spot" : "Regular"}
  containers:
${programs
  .map(
    ([container]) => `    - name: ${container}
      properties: {image: example/app:1, resources: {requests: {cpu: 1, memoryInGB: 1}}}`,
  )
  .join("\n")}
`;
}
