import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { evaluate, type Json, type Scope } from "./expressions.ts";
import type { Activity, ForEach, Lookup, Pipeline } from "./pipeline.ts";
import { failed, runWeb, text, type Outcome, type World } from "./web.ts";
import { runWebHook } from "./webhook.ts";

/**
 * Runs a pipeline by Data Factory's rules ("Pipelines and activities", "Pipeline failure and error message"): an activity runs once all
 * it depends on have ended in a way that it waits for, and is skipped when one ended otherwise; a pipeline succeeded when all its leaves
 * did, where a skipped leaf counts as what it waited for.
 */
interface ActivityRun {
  readonly name: string;
  readonly status: "Succeeded" | "Failed" | "Skipped";
  /** As the monitor shows them: `***` where the policy says secure. */
  readonly input: Json;
  readonly output: Json;
  readonly error: Json;
}

export interface PipelineRun {
  readonly runId: string;
  readonly status: "Succeeded" | "Failed";
  readonly message: string;
  readonly activities: readonly ActivityRun[];
}

export interface FactoryOptions {
  readonly name: string;
  readonly globalParameters: Readonly<Record<string, Json>>;
  readonly world: World;
}

type Ended = { readonly status: "Skipped" } | Outcome;

export async function runPipeline(
  pipeline: Pipeline,
  factory: FactoryOptions,
  parameters: Readonly<Record<string, Json>> = {},
): Promise<PipelineRun> {
  const runId = randomUUID();
  const defaults = Object.entries(pipeline.properties.parameters).map(
    ([name, { defaultValue }]) => [name, defaultValue] as const,
  );
  const facts: Json = {
    DataFactory: factory.name,
    Pipeline: pipeline.name,
    RunId: runId,
    TriggerTime: new Date().toISOString(),
    parameters: { ...Object.fromEntries(defaults), ...parameters },
    globalParameters: { ...factory.globalParameters },
  };
  const shown: ActivityRun[] = [];
  const ended = await runAll(pipeline.properties.activities, facts, factory.world, shown, { activity: notRun });
  const error = verdict(pipeline.properties.activities, ended);
  return { runId, status: error === undefined ? "Succeeded" : "Failed", message: error ?? "", activities: shown };
}

function notRun(name: string): never {
  throw new Error(`${name} has not run`);
}

async function runAll(
  activities: readonly Activity[],
  pipeline: Json,
  world: World,
  shown: ActivityRun[],
  around: Pick<Scope, "item" | "activity">,
): Promise<ReadonlyMap<string, Ended>> {
  const ended = new Map<string, Ended>();
  const running = new Map<string, Promise<Ended>>();
  const scope: Scope = {
    pipeline,
    ...around,
    activity: (name) => {
      const end = ended.get(name);
      if (end === undefined || end.status === "Skipped") return around.activity(name);
      return end.status === "Succeeded" ? { output: end.output } : { output: {}, error: end.error };
    },
  };
  const start = (activity: Activity): Promise<Ended> => {
    const known = running.get(activity.name);
    if (known) return known;
    const run = (async (): Promise<Ended> => {
      for (const { activity: name, dependencyConditions } of activity.dependsOn) {
        const before = activities.find((candidate) => candidate.name === name);
        if (before === undefined) throw new Error(`${activity.name} depends on ${name}, which is not there`);
        const { status } = await start(before);
        if (
          !dependencyConditions.some((wanted) => wanted === status || (wanted === "Completed" && status !== "Skipped"))
        )
          return { status: "Skipped" };
      }
      return runOne(activity, scope, world, shown);
    })().then((end) => {
      ended.set(activity.name, end);
      shown.push(show(activity, end, scope));
      return end;
    });
    running.set(activity.name, run);
    return run;
  };
  await Promise.all(activities.map(start));
  return ended;
}

async function runOne(activity: Activity, scope: Scope, world: World, shown: ActivityRun[]): Promise<Outcome> {
  switch (activity.type) {
    case "WebActivity": {
      for (let retry = 0; ; retry++) {
        const outcome = await runWeb(activity, scope, world);
        if (outcome.status === "Succeeded" || retry >= activity.policy.retry) return outcome;
        await delay(world.retryMs);
      }
    }
    case "WebHook":
      return runWebHook(activity, scope, world);
    case "Lookup":
      return runLookup(activity, scope, world);
    case "Fail":
      return failed(
        text(evaluate(activity.typeProperties.errorCode, scope)),
        text(evaluate(activity.typeProperties.message, scope)),
      );
    case "ForEach":
      return runForEach(activity, scope, world, shown);
  }
}

/** The first 5,000 rows, in at most 4 MB ("Lookup activity in Azure Data Factory"). */
function runLookup({ typeProperties: { dataset } }: Lookup, scope: Scope, world: World): Outcome {
  const parameters = Object.entries(dataset.parameters).map(([name, value]) => [name, evaluate(value, scope)] as const);
  const value = world.rows(dataset.referenceName, Object.fromEntries(parameters)).slice(0, 5000);
  return JSON.stringify(value).length > 4 * 1024 * 1024
    ? failed("2100", "The size of the lookup activity result exceeds 4 MB.")
    : { status: "Succeeded", output: { count: value.length, value } };
}

/** Every item is run, however many fail; at most `batchCount` at a time. */
async function runForEach(activity: ForEach, scope: Scope, world: World, shown: ActivityRun[]): Promise<Outcome> {
  const { items, isSequential, batchCount, activities } = activity.typeProperties;
  const list = evaluate(items, scope);
  if (!Array.isArray(list)) return failed("BadRequest", "The items of a ForEach must be a list.");
  const waiting = list.map((item: Json) => item);
  const faults: string[] = [];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      const ended = await runAll(activities, scope.pipeline, world, shown, { item, activity: scope.activity });
      const fault = verdict(activities, ended);
      if (fault !== undefined) faults.push(fault);
    }
  };
  await Promise.all(Array.from({ length: isSequential ? 1 : batchCount }, lane));
  return faults.length > 0
    ? failed("ActionFailed", faults.join("; "))
    : { status: "Succeeded", output: { ItemsCount: list.length } };
}

/** Why a pipeline failed; `undefined` when it did not. */
function verdict(activities: readonly Activity[], ended: ReadonlyMap<string, Ended>): string | undefined {
  const needed = new Set(activities.flatMap(({ dependsOn }) => dependsOn.map(({ activity }) => activity)));
  const faultOf = (activity: Activity): string | undefined => {
    const end = ended.get(activity.name);
    if (end?.status === "Failed") return end.error.message;
    if (end?.status !== "Skipped") return undefined;
    const parents = activities.filter(({ name }) =>
      activity.dependsOn.some((dependency) => dependency.activity === name),
    );
    return parents.map(faultOf).find((fault) => fault !== undefined);
  };
  return activities
    .filter(({ name }) => !needed.has(name))
    .map(faultOf)
    .find((fault) => fault !== undefined);
}

function show(activity: Activity, end: Ended, scope: Scope): ActivityRun {
  const policy = "policy" in activity ? activity.policy : { secureInput: false, secureOutput: false };
  const hidden = "***";
  const { name } = activity;
  if (end.status === "Skipped") return { name, status: "Skipped", input: null, output: null, error: null };
  // The items of a ForEach are shown with the activity itself.
  const asked: Json =
    activity.type === "ForEach" ? evaluate(activity.typeProperties.items, scope) : inputOf(activity, scope);
  const input = policy.secureInput ? hidden : asked;
  if (end.status === "Failed") return { name, status: "Failed", input, output: null, error: end.error };
  return { name, status: "Succeeded", input, output: policy.secureOutput ? hidden : end.output, error: null };
}

function inputOf(activity: Exclude<Activity, ForEach>, scope: Scope): Json {
  if (activity.type === "Fail") return evaluate(activity.typeProperties.message, scope);
  if (activity.type === "Lookup") return { dataset: activity.typeProperties.dataset.referenceName };
  const { url, headers, body = null } = activity.typeProperties;
  return { url: evaluate(url, scope), headers: evaluate(headers, scope), body: evaluate(body, scope) };
}
