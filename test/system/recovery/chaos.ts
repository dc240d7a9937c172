import { second } from "../../../src/shared/base/duration.ts";
import { terminalStates } from "../../../src/shared/job/job.ts";
import type { Gate, ProxiedCall } from "../../kit/proxy.ts";
import { definition, type Simulated } from "../simulated.ts";
import { troubles, type Trouble } from "./troubles.ts";
import { armEffects } from "./arm-effects.ts";
import { countsOf, generator } from "./random.ts";
import { World, type Counters, type Row } from "./world.ts";

/**
 * Many jobs at once, a tenth of all calls to ARM and storage going wrong in all the ways there are, Container Instances doing to two
 * groups of three what it was seen to do, the host killed again and again: no job may be lost, doubled or leaked, and every verdict must be
 * right.
 */
export interface ChaosOptions {
  readonly jobs: number;
  readonly kills: number;
  /** Chance of a fault, for each call. */
  readonly faults: number;
  readonly seed: number;
  readonly factor: number;
  /** Called with what goes on. */
  readonly tell: (line: string) => void;
}

export interface Figures {
  readonly jobs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly kills: number;
  readonly armFaults: number;
  readonly storageFaults: number;
  readonly lost: number;
  readonly doubled: number;
  readonly leaked: number;
  /** How many groups ran beyond the limit of their group of jobs, or of their team, at most. */
  readonly overLimit: number;
  /** Another verdict or exit code than the trouble and the program allow, or an attempt that no rule asked for; a line each. */
  readonly wrong: readonly string[];
  /** Jobs that had ended while a container of theirs ran. */
  readonly alive: number;
  /** Of the rows: how many ended for which reason. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly seconds: number;
}

interface Plan {
  readonly name: string;
  readonly program: Required<Pick<Simulated, "seconds" | "exitCode">>;
  readonly retries: number;
  readonly trouble: Trouble | undefined;
  /** Its group of jobs, and its team, where it has one. */
  readonly limitedBy: readonly Limited[];
}

/** A group of jobs, and a team: how many of their container groups may be there at once. The tag counts them. */
type Limited = keyof typeof limits;
const limits = { "chaos-group": 5, "chaos-team": 8 } as const;
const limited = ["chaos-group", "chaos-team"] as const satisfies readonly Limited[];

/**
 * Three programs of four end well; the others with a code of their own, after a retry where there is no trouble. Two jobs of three have a
 * trouble. Two of five are of a group with a limit, three of seven of a team with one.
 */
function planOf(n: number): Plan {
  const trouble = n % 3 === 0 ? undefined : troubles[(n - Math.ceil(n / 3)) % troubles.length];
  const { seconds = 1 + (n % 20), exitCode = n % 4 === 2 ? 1 + (n % 100) : 0 } = trouble?.program ?? {};
  const retries = trouble === undefined && n % 4 === 2 ? 1 : 0;
  const name = `chaos-${n}-${trouble?.name ?? "plain"}`;
  const limitedBy = limited.filter((by) => (by === "chaos-group" ? n % 5 < 2 : n % 7 < 3));
  return { name, program: { seconds, exitCode }, retries, trouble, limitedBy };
}

/** A share of storage's calls: the connection is cut before the service sees the call, or after it answered. */
class StorageFaults implements Gate {
  readonly #random: () => number;
  chance = 0;
  count = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  before(call: ProxiedCall): "pass" | "cut" {
    return this.#strike(call);
  }

  after(call: ProxiedCall): "pass" | "cut" {
    return this.#strike(call);
  }

  #strike({ service }: ProxiedCall): "pass" | "cut" {
    if (service === "arm" || this.#random() >= this.chance / 2) return "pass";
    this.count++;
    return "cut";
  }
}

/** What a busy machine takes longer for is no verdict: only what the troubles themselves ask for runs out. */
const patient = { EXIT_CODE_TIME: "PT2M", STOP_TIMEOUT: "PT6H", REFUSAL_TIME: "PT6H" };
const teams = { TEAMS: JSON.stringify({ etl: { limit: limits["chaos-team"], weight: 2 }, web: {} }) };

/** Every effect of the local ACI's fault endpoint that may strike at random, sharing the chance. */
const effects: readonly object[] = [
  ...armEffects,
  { type: "clockSkew", seconds: 3 },
  { type: "unknownState", groupState: "Floating", containerState: "Hovering" },
];

export async function chaos(options: ChaosOptions): Promise<Figures> {
  const { jobs, kills, faults, seed, factor, tell } = options;
  const random = generator(seed);
  const gate = new StorageFaults(random);
  const began = performance.now();
  const world = await World.start({ factor, gate, environment: { ...patient, ...teams } });
  // Two real seconds for each job.
  const enough = 2 * second * jobs * factor;
  try {
    gate.chance = faults;
    const plans = Array.from({ length: jobs }, (_, n) => planOf(n));
    for (const { name, trouble } of plans)
      for (const fault of trouble?.faults ?? [])
        await world.aci("POST", "faults", { ...fault, match: { ...fault.match, name: `^${name}$` } });
    for (const effect of effects) await world.aci("POST", "faults", { effect, probability: faults / effects.length });
    const alive = new Set<string>();
    await Promise.all([
      killNowAndThen(world, options, enough),
      submitAll(world, plans, enough).then(() =>
        world.until("the end of all jobs", () => allEnded(world, plans, alive, tell), enough),
      ),
    ]);
    const struck = gate.count;
    gate.chance = 0;
    const armFaults = await faultsStruck(world);
    await world.aci("DELETE", "faults");
    const allGone = async () => ((await world.index("job_")).length === 0 ? true : undefined);
    await world.until("the last group to go", allGone, enough);
    const noSlots = async () => ((await world.index("group_")).length === 0 ? true : undefined);
    await world.until("the last slot to be given back", noSlots, enough);
    const rows = await world.rows();
    const figures = judged(rows, await world.counters(), plans);
    const over = await Promise.all(
      limited.map(async (by) => ((await world.counters(by)).liveByTag[`${by}=yes`]?.most ?? 0) - limits[by]),
    );
    // So that a failure can be understood: every attempt of the job, with its end.
    for (const fault of figures.wrong) {
      const { id } = rows.find(({ name }) => fault.startsWith(`${name}: `)) ?? {};
      tell(`${fault}\n${(await world.call("GET", `jobs/${id ?? ""}`))?.text ?? "no answer"}`);
    }
    const seconds = Math.round((performance.now() - began) / 1000);
    const overLimit = Math.max(0, ...over);
    return { ...figures, overLimit, alive: alive.size, jobs, kills, armFaults, storageFaults: struck, seconds };
  } finally {
    await world.stop();
  }
}

async function submitAll(world: World, plans: readonly Plan[], enough: number): Promise<void> {
  const left = [...plans];
  const one = async (): Promise<void> => {
    for (let plan = left.shift(); plan; plan = left.shift()) {
      const { name, program, retries, trouble, limitedBy } = plan;
      const top = {
        ...(trouble?.ownRegion === true ? { location: name.replaceAll("-", "") } : {}),
        tags: Object.fromEntries(limitedBy.map((by) => [by, "yes"])),
      };
      const text = definition(name, { app: program }, trouble?.properties, top);
      const slot = limitedBy.includes("chaos-group")
        ? `&group=chaos&groupLimit=${limits["chaos-group"]}&priority=${10 * retries}`
        : "";
      const team = `&team=${limitedBy.includes("chaos-team") ? "etl" : "web"}`;
      const query = (trouble?.query ?? `startTimeout=PT6H&retries=${retries}`) + slot + team;
      await world.submit(text, name, query, enough);
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
}

/** Each time that another share of the jobs has ended. */
async function killNowAndThen(world: World, { kills, jobs, tell }: ChaosOptions, enough: number): Promise<void> {
  for (let n = 0; n < kills; n++) {
    const share = (jobs * n) / (kills + 1);
    const isDue = async () => (endedOf(await world.rows()).length >= share ? true : undefined);
    await world.until(`kill ${n + 1}`, isDue, enough);
    await world.kill();
    tell(`host killed (${n + 1})`);
  }
}

const endedOf = (rows: readonly Row[]): readonly Row[] =>
  rows.filter(({ state }) => terminalStates.some((terminal) => terminal === state));

async function allEnded(
  world: World,
  plans: readonly Plan[],
  alive: Set<string>,
  tell: (line: string) => void,
): Promise<true | undefined> {
  const ended = endedOf(await world.rows());
  const { liveByTag } = await world.counters();
  for (const { id } of ended) if ((liveByTag[`aciproxy-job=${id}`]?.now ?? 0) > 0) alive.add(id);
  tell(`${ended.length} of ${plans.length} ended`);
  if (ended.length >= plans.length) return true;
  await new Promise((resolve) => setTimeout(resolve, second));
  return undefined;
}

async function faultsStruck(world: World): Promise<number> {
  const armed = await world.aci("GET", "faults");
  if (!Array.isArray(armed)) return 0;
  return armed.reduce<number>((sum, each: unknown) => {
    const hits = typeof each === "object" && each !== null && "hits" in each ? each.hits : 0;
    return sum + Number(hits);
  }, 0);
}

function judged(rows: readonly Row[], counters: Counters, plans: readonly Plan[]) {
  const rowsOf = (name: string): readonly Row[] => rows.filter((row) => row.name === name);
  const deployments = new Map(
    Object.entries(counters.deploymentsByGroup).map(([key, times]) => [key.split("/").at(-1) ?? "", times]),
  );
  const lost = plans.filter(({ name }) => rowsOf(name).length === 0).length;
  const doubled = plans.filter(({ name }) => {
    const own = rowsOf(name);
    const attempts = own.reduce((sum, { attempt }) => sum + attempt, 0);
    return own.length > 1 || (deployments.get(name) ?? 0) > attempts;
  }).length;
  const twice = Object.values(counters.liveByTag).filter(({ most }) => most > 1).length;
  const leaked = counters.liveGroups + rows.filter(({ groupDeleted }) => !groupDeleted).length;
  return {
    succeeded: rows.filter(({ state }) => state === "Succeeded").length,
    failed: rows.filter(({ state }) => state === "Failed").length,
    lost,
    doubled: doubled + twice,
    leaked,
    wrong: plans.flatMap((plan) => rowsOf(plan.name).flatMap((row) => wrongIn(row, plan))),
    reasons: countsOf(rows.map(({ state, reason }) => `${state} ${reason}`)),
  };
}

/** What is wrong with how a job ended. */
function wrongIn({ name, state, reason, exitCode, attempt }: Row, { program, retries, trouble }: Plan): string[] {
  const own = program.exitCode === 0 ? "Succeeded Completed" : "Failed ExitCode";
  const { ends = [own], orProgram = false, attempts = 0 } = trouble ?? {};
  const verdict = `${state} ${reason}`;
  const isOwn = verdict === own && (orProgram || ends.includes(own));
  const faults: string[] = [];
  if (!isOwn && !ends.includes(verdict)) faults.push(`${name}: ${verdict}, not ${ends.join(" or ")}`);
  const code = isOwn ? program.exitCode : undefined;
  if (exitCode !== code) faults.push(`${name}: exit code ${String(exitCode)}, not ${String(code)}`);
  if (attempt > 1 + retries + attempts) faults.push(`${name}: ${attempt} attempts`);
  return faults;
}
