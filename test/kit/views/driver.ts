/**
 * Plays a trial to the pure core: what GET answers by the time since the PUT, and what every PUT or DELETE answers. No service, no clock: the machine's own decisions move the time.
 */
import { observedGroup, parseArmGroup, tagNames } from "../../../src/shared/aci/arm-group.ts";
import { InstallationTag } from "../../../src/shared/aci/installation-tag.ts";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { groupName } from "../../../src/shared/base/ids.ts";
import {
  afterCapture,
  afterCreate,
  afterDelete,
  type CreateAnswer,
  type DeleteAnswer,
} from "../../../src/shared/job/arm-answers.ts";
import { readRefusal } from "../../../src/shared/job/arm-errors.ts";
import { blame, describe, waitingOf } from "../../../src/shared/job/describe.ts";
import { hasEnded, type AzureError, type Job } from "../../../src/shared/job/job.ts";
import { nextStep } from "../../../src/shared/job/next-step.ts";
import type { Observation } from "../../../src/shared/job/observation.ts";
import { retryOnRules } from "../retry-rules.ts";
import { job as jobOf, target, rules as usualRules, start } from "../kit.ts";
import { scriptOfPut, viewAt } from "../../../local/aci/groups/script.ts";
import type { Rules } from "../../../src/shared/job/step.ts";
import type { Shown, Trial } from "./trials.ts";

interface Played {
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
function play(trial: Trial, most: number, changes: Partial<Rules> = {}): Played {
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
      case "observe":
        world.observations++;
        seen = observe(trial, job, world, now);
        break;
      case "admit":
        admitted = true;
        job = { ...job, placed: target };
        break;
      case "save":
        job = next.job;
        break;
      case "requeue":
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
        const answer = remove(next.do, trial, world);
        ({ job, now } = settle(afterDelete(next.do, next.job, answer, now, rules), now));
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
  const main = query.get("main");
  return jobOf({
    name: groupName("trial"),
    groupName: groupName("trial"),
    restartPolicy: trial.properties.restartPolicy,
    spot: trial.properties.priority === "Spot",
    containers: [
      ...names("i", trial.init).map((name) => ({ name, init: true })),
      ...names("c", trial.containers).map((name) => ({ name, init: false })),
    ],
    options: {
      retries: Number(query.get("retries") ?? 0),
      retryOn: retryOnRules(query.get("retryOn")),
      ...(startTimeout === undefined ? {} : { startTimeout }),
      ...(main === null ? {} : { main }),
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
  if (step.do === "requeue") return { job: { ...step.job, lookAt: step.until }, now: Math.max(now + 1, step.until) };
  throw new Error(`an answer leads to ${step.do}`);
}

interface World {
  deletes: number;
  puts: number;
  putAt: number;
  gone: boolean;
  stopped: boolean;
}

function create({ fault }: Trial, world: World, now: number): CreateAnswer {
  world.puts++;
  if (fault?.method !== "PUT") {
    Object.assign(world, { putAt: now, gone: false, stopped: false });
    return { kind: "accepted" };
  }
  const azure = azureOf(fault);
  const { reason, detail = `${azure.code}: ${azure.message}`, doubtful } = readRefusal(azure);
  return { kind: fault.status >= 500 ? "failed" : "refused", reason, detail, doubtful, azure, retryAfter: undefined };
}

function remove(how: "delete" | "stop", { fault }: Trial, world: World): DeleteAnswer {
  if (how === "stop") {
    world.stopped = true;
    return { kind: "accepted" };
  }
  world.deletes++;
  if (fault?.method === "DELETE") {
    const azure = azureOf(fault);
    return { kind: "refused", reason: readRefusal(azure).reason, azure, retryAfter: undefined };
  }
  world.gone = true;
  return { kind: "accepted" };
}

const azureOf = ({ status, code, text }: NonNullable<Trial["fault"]>): AzureError => ({
  code,
  message: text,
  httpStatus: status,
});

function observe(trial: Trial, job: Job, world: World, now: number): Observation {
  if (world.gone) return { group: "absent" };
  const script = scriptOfPut(trial.script ?? [], world.puts, trial.containers);
  const shown = viewAt(script, (now - world.putAt) / second);
  const placed = { ...target, name: job.groupName };
  if (shown.status === 404 && shown.code === "ResourceNotFound") return { group: "absent" };
  if (shown.status !== undefined) {
    const reason = shown.code === "ResourceGroupNotFound" ? "TargetGone" : "ArmUnavailable";
    const azure = { code: shown.code ?? "", message: "", httpStatus: shown.status };
    return { group: "unknown", reason, retryAfter: undefined, azure };
  }
  const at = (text: unknown): unknown =>
    typeof text === "string" && text.startsWith("@")
      ? new Date(world.putAt + Number(text.slice(1)) * second).toISOString()
      : text;
  const timed = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, each: unknown) => at(each)) as unknown;
  const { provisioningState = "Succeeded", events, containers, initContainers } = shown;
  const word = world.stopped ? "Stopped" : shown.state;
  const listed = (prefix: string, count: number, views: readonly unknown[] = []) =>
    names(prefix, count).map((name, index) => ({
      name,
      properties: { image: "x", ...(views[index] ? { instanceView: timed(views[index]) } : {}) },
    }));
  const json = parseArmGroup({
    name: job.groupName,
    location: "westeurope",
    tags: shown.tags ?? {
      [tagNames.job]: job.id,
      [tagNames.attempt]: String(job.attempt),
      [tagNames.installation]: tag.valueFor(placed),
    },
    properties: {
      provisioningState,
      ...(word || events ? { instanceView: { ...(word ? { state: word } : {}), events: timed(events ?? []) } } : {}),
      containers: listed("c", containers?.length === 0 ? 0 : trial.containers, containers ?? []),
      initContainers: listed("i", trial.init, initContainers ?? []),
    },
  });
  if (json === undefined) throw new Error("the script's view is no container group");
  return { group: "present", ...observedGroup(json, { tag, place: placed }) };
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** How long a trial may take in the pure core: its own time, and what proves the group's absence after it. */
const patience = 15 * minute;

/** What the caller of a trial sees in the end. A trial that only waits is watched for its own time. */
export function shownOf(trial: Trial): Shown & { readonly took: number } {
  const { expect } = trial;
  const onlyWaits = expect.ended !== true && expect.state === undefined;
  const { job, puts, said, reasons } = play(trial, onlyWaits ? trial.secs * second : patience);
  const { phase } = job;
  const verdict = hasEnded(phase) ? phase.verdict : undefined;
  return {
    state: phase.state,
    hasEnded: verdict !== undefined,
    reason: verdict?.reason ?? [...reasons].at(-1) ?? "",
    exitCode: verdict?.exitCode,
    fault: verdict && blame(verdict).party,
    reasons,
    said,
    puts,
    took: hasEnded(phase) ? phase.finishedAt - job.createdAt : 0,
  };
}
