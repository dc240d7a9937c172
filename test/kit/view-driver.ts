/**
 * Plays a script of views of a container group to the pure core: what GET answers by the time since the PUT, and what every PUT
 * answers. No service, no clock: the machine's own decisions move the time.
 */
import { z } from "zod";
import { groupSeen, parseArmGroup, tagNames } from "../../src/shared/aci/arm-group.ts";
import { InstallationTag } from "../../src/shared/aci/installation-tag.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import { groupName } from "../../src/shared/base/ids.ts";
import { afterCapture, afterCreate, afterDelete, type CreateAnswer } from "../../src/shared/job/arm-answers.ts";
import { readRefusal } from "../../src/shared/job/arm-errors.ts";
import { describe, waitingOf } from "../../src/shared/job/describe.ts";
import { hasEnded, type Job } from "../../src/shared/job/job.ts";
import { nextStep } from "../../src/shared/job/next-step.ts";
import type { Observation } from "../../src/shared/job/observation.ts";
import { retryOnRules } from "./retry-rules.ts";
import { job as jobOf, place, rules as usualRules, start } from "./kit.ts";
import type { Rules } from "../../src/shared/job/step.ts";

const time = z.union([z.string(), z.null()]).optional();
const state = z.looseObject({ state: z.string().optional(), startTime: time, finishTime: time });
const view = z.looseObject({ currentState: state.optional(), previousState: state.optional() }).nullable();
const step = z.looseObject({
  after: z.number(),
  put: z.number().optional(),
  status: z.number().optional(),
  code: z.string().optional(),
  provisioningState: z.string().optional(),
  state: z.string().optional(),
  events: z.array(z.looseObject({})).optional(),
  containers: z.array(view).optional(),
  initContainers: z.array(view).optional(),
});
export const trialSchema = z.object({
  script: z.array(step).default([]),
  fault: z.object({ method: z.string(), status: z.number(), code: z.string(), text: z.string() }).optional(),
  containers: z.number().default(1),
  init: z.number().default(0),
  query: z.string().default(""),
  secs: z.number().default(90),
  restartPolicy: z.enum(["Always", "OnFailure", "Never"]).default("Never"),
  spot: z.boolean().default(false),
  main: z.string().optional(),
  expect: z.object({
    state: z.string().optional(),
    exit: z.number().optional(),
    reason: z.string().optional(),
    notReason: z.string().optional(),
    puts: z.number().optional(),
    says: z.string().optional(),
    notFault: z.string().optional(),
    ended: z.boolean().optional(),
    seen: z.string().optional(),
  }),
});
export type Trial = z.infer<typeof trialSchema>;

export interface Played {
  readonly job: Job;
  readonly puts: number;
  readonly deletes: number;
  /** How many milliseconds it took, until the end or until it was given up. */
  readonly took: number;
  /** Every reason that the job showed on the way. */
  readonly reasons: ReadonlySet<string>;
  /** Everything that it said to people. */
  readonly said: string;
  readonly observations: number;
}

const tag = new InstallationTag({ id: "installation", tagKey: "key" });

/** @param most how long to play at the most, in milliseconds */
export function play(trial: Trial, most: number, changes: Partial<Rules> = {}): Played {
  const rules = { ...usualRules, ...changes };
  let job = jobOfTrial(trial);
  const world = { puts: 0, deletes: 0, putAt: 0, gone: true, stopped: false, observations: 0 };
  const reasons = new Set<string>();
  const said = new Set<string>();
  let [now, seen, admitted]: [number, Observation | undefined, boolean] = [start, undefined, false];
  for (let steps = 0; steps < 5000 && now <= start + most; steps++) {
    listen(job, reasons, said);
    const { phase } = job;
    if (hasEnded(phase) && (phase.group === "gone" || phase.tidy)) break;
    const next = nextStep(job, seen, admitted, now, rules);
    switch (next.do) {
      case "look":
        world.observations++;
        seen = observe(trial, job, world, now);
        break;
      case "admit":
        admitted = true;
        job = { ...job, placed: place };
        break;
      case "save":
        job = next.job;
        break;
      case "rest":
        job = { ...next.job, lookAt: next.until };
        [now, seen, admitted] = [Math.max(next.until, now + 1), undefined, false];
        break;
      case "capture":
        job = afterCapture(next.job, next.group, now, rules);
        break;
      case "create": {
        const answer = create(trial, world, now);
        ({ job, now } = settle(afterCreate(next.job, answer, now, rules), now));
        [seen, admitted] = [undefined, false];
        break;
      }
      case "delete":
      case "stop": {
        if (next.do === "delete") {
          world.deletes++;
          world.gone = true;
        } else world.stopped = true;
        ({ job, now } = settle(afterDelete(next.do, next.job, { kind: "accepted" }, now, rules), now));
        seen = undefined;
        break;
      }
      default:
        throw new Error(`the driver knows no ${next.do}`);
    }
  }
  return { job, ...world, took: now - start, reasons, said: [...said].join("\n") };
}

function jobOfTrial(trial: Trial): Job {
  const query = new URLSearchParams(trial.query);
  const seconds = (name: string): number | undefined =>
    query.has(name) ? Number(query.get(name)) * second : undefined;
  const startTimeout = seconds("startTimeout");
  return jobOf({
    name: groupName("trial"),
    groupName: groupName("trial"),
    restartPolicy: trial.restartPolicy,
    spot: trial.spot,
    containers: [
      ...names("i", trial.init).map((name) => ({ name, init: true })),
      ...names("c", trial.containers).map((name) => ({ name, init: false })),
    ],
    options: {
      retries: Number(query.get("retries") ?? 0),
      retryOn: retryOnRules(query.get("retryOn")),
      ...(startTimeout === undefined ? {} : { startTimeout }),
      ...(trial.main === undefined ? {} : { main: trial.main }),
    },
  });
}

/** What the job shows to people now. */
function listen(job: Job, reasons: Set<string>, said: Set<string>): void {
  const { phase } = job;
  for (const reason of [waitingOf(job)?.reason, hasEnded(phase) ? phase.verdict.reason : undefined])
    if (reason !== undefined) reasons.add(reason);
  for (const { reason } of job.history) reasons.add(reason);
  said.add(`${describe(job)} ${waitingOf(job)?.detail ?? ""} ${job.azure?.message ?? ""}`);
}

function settle(step: ReturnType<typeof afterCreate>, now: number): { job: Job; now: number } {
  if (step.do === "save") return { job: step.job, now };
  if (step.do === "rest") return { job: { ...step.job, lookAt: step.until }, now: Math.max(now + 1, step.until) };
  throw new Error(`an answer leads to ${step.do}`);
}

interface World {
  puts: number;
  putAt: number;
  gone: boolean;
  stopped: boolean;
}

function create({ fault }: Trial, world: World, now: number): CreateAnswer {
  world.puts++;
  if (fault === undefined) {
    Object.assign(world, { putAt: now, gone: false, stopped: false });
    return { kind: "accepted" };
  }
  const azure = { code: fault.code, message: fault.text, httpStatus: fault.status };
  const { reason, detail = `${azure.code}: ${azure.message}`, doubtful } = readRefusal(azure);
  return { kind: fault.status >= 500 ? "failed" : "refused", reason, detail, doubtful, azure, retryAfter: undefined };
}

function observe(trial: Trial, job: Job, world: World, now: number): Observation {
  if (world.gone) return { group: "absent" };
  const age = (now - world.putAt) / second;
  const steps = trial.script.filter(({ put }) => put === undefined || put === world.puts);
  const shown = steps.findLast(({ after }) => after <= age) ?? (steps.length > 0 ? steps[0] : undefined);
  const place_ = { ...place, name: job.groupName };
  if (shown?.status === 404 && shown.code === "ResourceNotFound") return { group: "absent" };
  if (shown?.status !== undefined)
    return { group: "unknown", reason: "ArmUnavailable", retryAfter: undefined, azure: undefined };
  const at = (text: unknown): unknown =>
    typeof text === "string" && text.startsWith("@")
      ? new Date(world.putAt + Number(text.slice(1)) * second).toISOString()
      : text;
  const timed = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, each: unknown) => at(each)) as unknown;
  const well = {
    state: age < 1 ? "Running" : "Succeeded",
    containers: names("c", trial.containers).map(() => ({
      restartCount: 0,
      currentState:
        age < 1
          ? { state: "Running", startTime: "@0" }
          : { state: "Terminated", startTime: "@0", finishTime: "@1", exitCode: 0 },
    })),
    initContainers: [],
  };
  const { provisioningState = "Succeeded", events = [], ...rest } = step.parse(shown ?? { after: 0, ...well });
  const { state: word, containers = [], initContainers = [] } = world.stopped ? { ...rest, state: "Stopped" } : rest;
  const listed = (prefix: string, views: readonly unknown[]) =>
    views.map((instanceView, index) => ({
      name: `${prefix}${index}`,
      properties: { image: "x", ...(instanceView === null ? {} : { instanceView: timed(instanceView) }) },
    }));
  const json = parseArmGroup({
    name: job.groupName,
    location: "westeurope",
    tags: {
      [tagNames.job]: job.id,
      [tagNames.attempt]: String(job.attempt),
      [tagNames.installation]: tag.valueFor(place_),
    },
    properties: {
      provisioningState,
      instanceView: { ...(word === undefined ? {} : { state: word }), events: timed(events) },
      containers: listed("c", containers),
      initContainers: listed("i", initContainers),
    },
  });
  if (json === undefined) throw new Error("the script's view is no container group");
  return { group: "present", ...groupSeen(json, { tag, place: place_ }) };
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** How long a trial may take in the pure core: its own time, and what proves the group's absence after it. */
export const patience = 10 * minute;
