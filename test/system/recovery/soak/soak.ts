import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { minute, second } from "../../../../src/shared/base/duration.ts";
import { terminalStates } from "../../../../src/shared/job/job.ts";
import { armEffects } from "../arm-effects.ts";
import { countsOf, generator } from "../random.ts";
import { World, type Row } from "../world.ts";
import { follow, type Poll } from "./follow.ts";
import { loseIndex } from "./lost-index.ts";
import { meddle, type Foreign } from "./mischief.ts";
import { burstPlan, definitionOf, steadyPlan, type Plan } from "./plans.ts";
import { BadStorage, makeTrouble, type Struck } from "./trouble.ts";

/**
 * Everything at once, for minutes: two hosts whose clocks are three minutes apart are killed and frozen; calls to storage and ARM are
 * cut, refused and slow; rows can't be read; somebody deletes groups and makes his own; hundreds of messages come at once; in a run of
 * a minute and more the job index is wiped and rebuilt. No job may be lost, doubled or leaked, no foreign group touched, nothing
 * accepted without an index, and a poll ends by its job's own end alone.
 */
export interface SoakOptions {
  readonly seed: number;
  /** How long jobs are submitted, in real time; the shortest form submits a fixed number. */
  readonly minutes: number;
  readonly most: number;
  readonly factor: number;
  /** How often something befalls storage or a host. */
  readonly strikes: number;
  /** Messages that come at once. */
  readonly burst: number;
  readonly tell: (line: string) => void;
}

export interface SoakFigures extends Struck {
  readonly jobs: number;
  readonly foreignGroups: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly leaked: readonly string[];
  readonly foreignTouched: readonly string[];
  readonly wrongVerdicts: readonly string[];
  readonly brokenPolls: readonly string[];
  /** What was accepted or taken while the job index was lost. */
  readonly takenWithoutIndex: readonly string[];
  /** Functions that exceeded `functionTimeout`. */
  readonly timedOut: readonly string[];
  readonly reasons: Readonly<Record<string, number>>;
  readonly seconds: number;
}

const apart = 3 * minute;
/** So that no job is judged for what a busy machine takes longer for. */
const patient = { DEFAULT_START_TIMEOUT: "PT12H", STOP_TIMEOUT: "PT6H", REFUSAL_TIME: "PT6H" };
/** Chance that a call to storage is cut, and that one to ARM fails. */
const chance = 0.04;

export async function soak({ seed, minutes, most, factor, strikes, burst, tell }: SoakOptions): Promise<SoakFigures> {
  const random = generator(seed);
  const storage = new BadStorage(random, factor);
  const world = await World.start({ factor, gate: storage, clocks: [0, apart], environment: patient });
  const began = performance.now();
  let isOver = false;
  /** What goes on in the background; its failure fails the soak at the end, and not the process before. */
  const all: Promise<unknown>[] = [];
  const begin = (work: Promise<unknown>): void => {
    work.catch(() => undefined);
    all.push(work);
  };
  try {
    storage.chance = chance;
    for (const effect of armEffects)
      await world.aci("POST", "faults", {
        match: { name: "^(?!theirs|copy)" },
        effect,
        probability: chance / armEffects.length,
      });
    const trouble = makeTrouble(world, storage, random, { isOver: () => isOver, most: strikes });
    trouble.catch(() => undefined);
    const plans: Plan[] = Array.from({ length: burst }, (_, n) => burstPlan(n));
    const foreign: Foreign[] = [];
    const brokenPolls: string[] = [];
    const takenWithoutIndex: string[] = [];
    begin(postAll(world, [...plans]));
    const enough = 12 * minute * factor + 2 * second * burst * factor;
    const wipe = async (): Promise<void> => {
      const loss = await loseIndex(world, enough);
      plans.push(...loss.plans);
      takenWithoutIndex.push(...loss.faults);
    };
    let wipeAt = minutes >= 1 ? (minutes * minute) / 2 : Infinity;
    for (let n = 0; n < most && performance.now() - began < minutes * minute; n++) {
      const plan = steadyPlan(n, random);
      plans.push(plan);
      begin(runOne(world, plan, { enough, foreign, brokenPolls }));
      if (performance.now() - began > wipeAt) {
        wipeAt = Infinity;
        begin(wipe());
      }
      await delay(world.ours((8 + 16 * random()) * second));
    }
    tell(`${plans.length} jobs submitted`);
    await Promise.all(all);
    await world.until("the end of all jobs", () => allEnded(world, plans, tell), enough);
    isOver = true;
    await trouble;
    storage.chance = 0;
    await world.aci("DELETE", "faults");
    const allGone = async () => ((await world.index("job_")).length === 0 ? true : undefined);
    await world.until("the last group to go", allGone, enough);
    return {
      ...(await judge(world, plans, foreign)),
      ...storage.struck,
      jobs: plans.length,
      foreignGroups: foreign.length,
      brokenPolls,
      takenWithoutIndex,
      timedOut: await world.timedOut(),
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    isOver = true;
    await world.stop();
  }
}

interface Running {
  readonly enough: number;
  readonly foreign: Foreign[];
  readonly brokenPolls: string[];
}

async function runOne(world: World, plan: Plan, { enough, foreign, brokenPolls }: Running): Promise<void> {
  const query = `polling=true${plan.retries > 0 ? `&retries=${plan.retries}` : ""}`;
  const id = await world.submit(definitionOf(plan), plan.name, query, enough);
  const poll: Promise<Poll> = follow(world, id, enough);
  const made = await meddle(world, plan, id, enough);
  if (made !== undefined) foreign.push(made);
  const ended = await poll;
  if (ended.kind === "broken") brokenPolls.push(`${plan.name}: ${ended.why}`);
}

async function postAll(world: World, plans: readonly Plan[]): Promise<void> {
  const queue = world.storage.queues.getQueueClient("aci-jobs");
  await queue.createIfNotExists();
  await Promise.all(plans.map((plan) => queue.sendMessage(definitionOf(plan))));
}

const hasEnded = ({ state }: Row): boolean => terminalStates.some((terminal) => terminal === state);

async function allEnded(world: World, plans: readonly Plan[], tell: (line: string) => void): Promise<true | undefined> {
  const rows = await world.rows();
  const ended = rows.filter(hasEnded).length;
  tell(`${ended} of ${plans.length} ended`);
  if (ended >= plans.length) return true;
  await delay(second);
  return undefined;
}

const group = z.object({
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.object({
    containers: z.array(
      z.object({ properties: z.object({ instanceView: z.object({ currentState: z.object({ state: z.string() }) }) }) }),
    ),
  }),
});

async function judge(world: World, plans: readonly Plan[], foreign: readonly Foreign[]) {
  const [rows, counters] = await Promise.all([world.rows(), world.counters()]);
  const rowsOf = (name: string): readonly Row[] => rows.filter((row) => row.name === name);
  const creates = new Map(
    Object.entries(counters.deploymentsByGroup).map(([key, times]) => [key.split("/").at(-1) ?? "", times]),
  );
  const theirs = new Map(foreign.map(({ name, creates: times }) => [name, times]));
  const doubled = plans.filter(({ name }) => {
    const own = rowsOf(name);
    const attempts = own.reduce((sum, { attempt }) => sum + attempt, 0);
    return own.length > 1 || (creates.get(name) ?? 0) - (theirs.get(name) ?? 0) > attempts;
  });
  const foreignTouched: string[] = [];
  for (const { name, tags } of foreign) {
    const { status, body } = await world.arm("GET", name);
    const found = status === 200 ? group.safeParse(body) : undefined;
    const isWhole =
      found?.success === true &&
      JSON.stringify(found.data.tags ?? {}) === JSON.stringify(tags) &&
      found.data.properties.containers.every(
        ({ properties }) => properties.instanceView.currentState.state === "Running",
      );
    if (!isWhole) foreignTouched.push(`${name}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
  }
  const wrong = plans.flatMap((plan) =>
    rowsOf(plan.name)
      .filter((row) => !isRight(plan, row))
      .map((row) => `${plan.name} (${plan.mischief}): ${row.state} ${row.reason} ${row.exitCode ?? ""}`),
  );
  return {
    lost: plans.filter(({ name }) => rowsOf(name).length === 0).map(({ name }) => name),
    doubled: doubled.map(({ name }) => name),
    leaked: rows
      .filter(({ groupDeleted }) => !groupDeleted)
      .map(({ name }) => name)
      .concat(counters.liveGroups > foreign.length ? [`${counters.liveGroups - foreign.length} groups`] : []),
    foreignTouched,
    wrongVerdicts: wrong,
    reasons: countsOf(rows.map(({ state, reason }) => `${state} ${reason}`)),
  };
}

/** Who was meddled with too late ended as planned. */
function isRight({ exitCode, mischief }: Plan, { state, reason, exitCode: code }: Row): boolean {
  const asPlanned = code === exitCode && state === (exitCode === 0 ? "Succeeded" : "Failed");
  if (mischief === "cancel") return asPlanned || (state === "Canceled" && reason === "CanceledByCaller");
  if (mischief === "replace")
    return asPlanned || (state === "Failed" && ["GroupReplaced", "GroupDisappeared", "NameTaken"].includes(reason));
  return asPlanned;
}
