import { odata } from "@azure/data-tables";
import { second } from "../../../src/shared/base/duration.ts";
import { terminalStates } from "../../../src/shared/job/job.ts";
import { entryKey, partsOf } from "../../../src/shared/store/group-entries.ts";
import { partition } from "../../../src/shared/store/index-partition.ts";
import { tableNames } from "../../../src/shared/store/connect.ts";
import type { Gate, ProxiedCall } from "../../kit/proxy.ts";
import { definition } from "../simulated.ts";
import { World, type Counters, type Row } from "./world.ts";

/**
 * Many jobs of one group are submitted at once, with limits of 1 and 3, while instances are killed, an operator lowers the group's limit and
 * raises it again, finished groups are kept, and Azure refuses to delete one. Each create is judged as it reaches Azure Resource Manager:
 * its job holds a slot that was free for it, and nobody who stood in line before it stands there still.
 */
export interface GroupTrialOptions {
  readonly jobs: number;
  readonly kills: number;
  readonly factor: number;
  /** Called with what goes on. */
  readonly tell: (line: string) => void;
}

export interface GroupFigures {
  /** How many groups ran at once at most, by Container Instances' own count. */
  readonly mostLive: number;
  readonly creates: number;
  /** Creates that should not have been sent then, jobs that ended otherwise than planned, and what was left; a line each. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

const group = "ware/house_1";
const widest = 3;
const lowered = 2;
const tag = "trial";

interface Plan {
  readonly name: string;
  readonly limit: number;
  readonly query: string;
  readonly seconds: number;
  readonly exitCode: number;
  readonly isCanceled: boolean;
  readonly ends: string;
}

/** One in five is alone when it begins; among the others are groups that are kept, a second attempt, and one that can't be deleted. */
function planOf(n: number): Plan {
  const limit = n % 5 === 3 ? 1 : widest;
  const isCanceled = n === 4;
  const exitCode = n % 10 === 6 ? 1 : 0;
  const more = [
    ...(n % 7 === 2 ? ["keep=always"] : []),
    ...(exitCode === 1 ? ["retries=1"] : []),
    ...(n % 6 === 5 ? ["priority=30"] : []),
  ];
  return {
    name: `slot-${n}`,
    limit,
    query: [`group=${encodeURIComponent(group)}`, `groupLimit=${limit}`, ...more].join("&"),
    seconds: isCanceled ? 360_000 : 1,
    exitCode,
    isCanceled,
    ends: isCanceled ? "Canceled" : exitCode === 1 ? "Failed" : "Succeeded",
  };
}

interface Standing {
  readonly held: number;
  readonly limit: number;
  /** When each job got its slot. */
  readonly slots: ReadonlyMap<string, number>;
  /** In the line's order: when each came to stand there. */
  readonly queue: ReadonlyMap<string, number>;
}

async function standing({ storage }: World): Promise<Standing> {
  const key = entryKey(group);
  const prefix = key.slice(0, -"entry".length);
  const filter = odata`PartitionKey eq ${partition} and RowKey ge ${prefix} and RowKey lt ${`${prefix}t`}`;
  const [slots, queue] = [new Map<string, number>(), new Map<string, number>()];
  let [held, limit] = [0, Infinity];
  for await (const row of storage.table(tableNames.index).listEntities({ queryOptions: { filter } })) {
    const { kind, id = "" } = partsOf(row.rowKey ?? "") ?? {};
    if (kind === "entry") [held, limit] = [Number(row["held"]), Number(row["limit"]) || Infinity];
    else if (kind === "slot") slots.set(id, Number(row["since"]));
    else queue.set(String(row.rowKey).split("_queue_")[1] ?? "", Date.parse(row.timestamp ?? ""));
  }
  return { held, limit, slots, queue };
}

/** Of its time: who comes to the line while its head is read is not overtaken. */
const onTheWay = 2 * second;

/** Judges each create on its way to Azure Resource Manager. */
class CreateJudge implements Gate {
  world: World | undefined;
  readonly forgets = true;
  readonly wrong: string[] = [];
  /** Who had a slot already when the operator lowered the limit. */
  spared: ReadonlySet<string> = new Set();
  creates = 0;
  readonly #plans: ReadonlyMap<string, Plan>;

  constructor(plans: readonly Plan[]) {
    this.#plans = new Map(plans.map((plan) => [plan.name, plan]));
  }

  async before({ service, method, url }: ProxiedCall): Promise<"pass"> {
    const plan = this.#plans.get(url.pathname.split("/").at(-1) ?? "");
    if (service !== "arm" || method !== "PUT" || plan === undefined || this.world === undefined) return "pass";
    this.creates++;
    const row = (await this.world.rows()).find(({ name }) => name === plan.name);
    const found = row === undefined ? ["it has no row"] : this.#faultsOf(plan, row, await standing(this.world));
    this.wrong.push(...found.map((fault) => `create of ${plan.name}: ${fault}`));
    return "pass";
  }

  #faultsOf({ limit }: Plan, { id, turn }: Row, { held, limit: operators, slots, queue }: Standing): string[] {
    const since = slots.get(id);
    if (since === undefined) return ["it holds no slot"];
    const faults: string[] = [];
    if (held !== slots.size) faults.push(`${held} slots are counted, ${slots.size} are there`);
    const most = this.spared.has(id) ? limit : Math.min(limit, operators);
    const before = [...slots.values()].filter((other) => other < since).length;
    if (before >= most) faults.push(`${before} slots were held before its own, of ${most}`);
    const key = `${String(turn).padStart(13, "0")}_${id}`;
    const passed = [...queue].filter(([other, came]) => other < key && came + onTheWay < since).map(([other]) => other);
    if (passed.length > 0) faults.push(`it overtook ${passed.join(", ")}`);
    return faults;
  }
}

export async function groupTrial({ jobs, kills, factor, tell }: GroupTrialOptions): Promise<GroupFigures> {
  const plans = Array.from({ length: jobs }, (_, n) => planOf(n));
  const judge = new CreateJudge(plans);
  const began = performance.now();
  const world = (judge.world = await World.start({ factor, gate: judge, clocks: [0, 0] }));
  // Three real seconds for each job.
  const trial = new Trial(world, 3 * second * jobs * factor, tell);
  try {
    await trial.steer(10);
    const operate = async (): Promise<void> => {
      await trial.ended(Math.floor(jobs / 3));
      await trial.steer(lowered);
      judge.spared = new Set((await standing(world)).slots.keys());
      await trial.ended(Math.floor((2 * jobs) / 3));
      await trial.steer(10);
    };
    const kill = async (): Promise<void> => {
      for (let n = 0; n < kills; n++) {
        await trial.ended(Math.floor(((n + 0.5) * jobs) / kills));
        await world.kill(n % world.urls.length);
        tell(`host killed (${n + 1})`);
      }
    };
    await Promise.all([...plans.map((plan) => trial.run(plan)), operate(), kill()]);
    await trial.ended(jobs);
    await trial.emptied();
    const [rows, { liveByTag, deploymentsByGroup }] = [await world.rows(), await world.counters(tag)];
    const live = liveByTag[`${tag}=group`];
    return {
      mostLive: live?.most ?? 0,
      creates: judge.creates,
      wrong: [
        ...judge.wrong,
        ...wrongIn(plans, rows, deploymentsByGroup),
        ...(live?.now === 0 ? [] : ["a group runs"]),
      ],
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    await world.stop();
  }
}

class Trial {
  readonly #world: World;
  readonly #enough: number;
  readonly #tell: (line: string) => void;

  constructor(world: World, enough: number, tell: (line: string) => void) {
    this.#world = world;
    this.#enough = enough;
    this.#tell = tell;
  }

  /** Submits a job, and does to it what its plan says. */
  async run({ name, seconds, exitCode, query, isCanceled }: Plan): Promise<void> {
    for (const kind of isCanceled ? ["delete", "stop"] : [])
      await this.#world.aci("POST", "faults", {
        match: { kind, name: `^${name}$` },
        effect: { type: "locked", level: "ReadOnly" },
        count: 1,
      });
    const text = definition(name, { app: { seconds, exitCode } }, {}, { tags: { [tag]: "group" } });
    const id = await this.#world.submit(text, name, query, this.#enough);
    if (!isCanceled) return;
    const runs = async () => ((await this.#rowOf(name))?.state === "Running" ? true : undefined);
    await this.#world.until(`${name} to run`, runs, this.#enough);
    await this.#asked("DELETE", `delete/${id}`);
  }

  async steer(limit: number): Promise<void> {
    await this.#asked("PUT", `groups/${encodeURIComponent(group)}`, JSON.stringify({ limit }));
  }

  async #asked(method: string, path: string, body?: string): Promise<void> {
    const accepted = async () => ((await this.#world.call(method, path, body))?.status === 200 ? true : undefined);
    await this.#world.until(`${method} ${path}`, accepted, this.#enough);
  }

  async #rowOf(wanted: string): Promise<Row | undefined> {
    return (await this.#world.rows()).find(({ name }) => name === wanted);
  }

  async ended(share: number): Promise<void> {
    const isDue = async (): Promise<true | undefined> => {
      const ended = (await this.#world.rows()).filter(({ state }) => terminalStates.some((each) => each === state));
      this.#tell(`${ended.length} ended`);
      return ended.length >= share ? true : undefined;
    };
    await this.#world.until(`the end of ${share} jobs`, isDue, this.#enough);
  }

  /** No slot is left, nor a place in the line. The entry stays for the operator's limit. */
  async emptied(): Promise<void> {
    const isEmpty = async (): Promise<true | undefined> => {
      const { held, slots, queue } = await standing(this.#world);
      return held + slots.size + queue.size === 0 ? true : undefined;
    };
    await this.#world.until("the last slot to be given back", isEmpty, this.#enough);
  }
}

function wrongIn(plans: readonly Plan[], rows: readonly Row[], deployments: Counters["deploymentsByGroup"]): string[] {
  const times = new Map(Object.entries(deployments).map(([key, count]) => [key.split("/").at(-1), count]));
  return plans.flatMap(({ name, ends, exitCode }) => {
    const own = rows.filter((row) => row.name === name);
    const attempts = exitCode === 0 ? 1 : 2;
    const states = own.map(({ state }) => state);
    const isRight = states.length === 1 && states[0] === ends && times.get(name) === attempts;
    return isRight ? [] : [`${name}: ${states.join(" and ")} after ${times.get(name) ?? 0} creates`];
  });
}
