import { odata } from "@azure/data-tables";
import { z } from "zod";
import { parseJobId, type JobId } from "../../../src/shared/base/ids.ts";
import { parseJson } from "../../../src/shared/base/json.ts";
import { second } from "../../../src/shared/base/duration.ts";
import { terminalStates } from "../../../src/shared/job/job.ts";
import { arrayPartition } from "../../../src/shared/store/job-row.ts";
import { tableNames } from "../../../src/shared/store/connect.ts";
import type { Gate, ProxiedCall } from "../../kit/proxy.ts";
import { armEffects } from "./arm-effects.ts";
import { World } from "./world.ts";

/**
 * One array is submitted, and then what failed of it again, while hosts are killed and Azure Resource Manager answers a share of the calls
 * with faults. Each create is judged as it reaches Azure Resource Manager: it is of an index that is to run, whose row is there, beside no
 * more children that have not ended than may exist.
 */
export interface ArrayTrialOptions {
  readonly size: number;
  /** How many of the items end with a code other than 0. */
  readonly failing: number;
  readonly parallelism: number;
  readonly kills: number;
  /** Chance of a fault, for each call to Azure Resource Manager. */
  readonly faults: number;
  readonly factor: number;
  /** Called with what goes on. */
  readonly tell: (line: string) => void;
}

export interface ArrayFigures {
  /** How many groups ran at once at most, by Container Instances' own count. */
  readonly mostLive: number;
  readonly creates: number;
  /** How many children the rerun had. */
  readonly rerun: number;
  /** Creates that should not have been sent then, children and arrays that ended otherwise than planned, and what was left; a line each. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

const name = "nightly";
const tag = "trial";

interface Item {
  readonly code: number;
  readonly seconds: number;
}

/** The failing ones are spread over all of them. */
function itemsOf({ size, failing }: ArrayTrialOptions): readonly Item[] {
  const step = Math.floor(size / failing);
  return Array.from({ length: size }, (_, index) => {
    const fails = index % step === 0 && index / step < failing;
    return { code: fails ? 1 + (index % 100) : 0, seconds: 1 + (index % 5) };
  });
}

function definitionOf(items: readonly Item[], parallelism: number): string {
  const variable = (variableName: string, value: string): object => ({ name: variableName, value });
  return JSON.stringify({
    name,
    location: "westeurope",
    apiVersion: "2023-05-01",
    "x-aciproxy": { array: items, parallelism },
    tags: { [tag]: "array" },
    properties: {
      osType: "Linux",
      restartPolicy: "Never",
      containers: [
        {
          name: "app",
          properties: {
            image: "demo.azurecr.io/sample:1",
            resources: { requests: { cpu: 1, memoryInGB: 1 } },
            environmentVariables: [
              variable("SIM_RUN_SECONDS", "${item.seconds}"),
              variable("SIM_EXIT_CODE", "${item.code}"),
            ],
          },
        },
      ],
    },
  });
}

interface Shown {
  readonly index: number;
  readonly state: string;
  readonly exitCode?: number | undefined;
}

interface Child extends Shown {
  readonly attempt: number;
  readonly vcpuSeconds: number;
  readonly groupDeleted: boolean;
}

const isEnded = (state: string): boolean => terminalStates.some((terminal) => terminal === state);

/** An array that was submitted, or a rerun of it. */
interface Submitted {
  readonly id: JobId;
  readonly createdAt: number;
  readonly indexes: readonly number[];
}

async function childrenOf({ storage }: World, { id, createdAt }: Submitted): Promise<readonly Child[]> {
  const children: Child[] = [];
  const filter = odata`PartitionKey eq ${arrayPartition(id, createdAt)} and arrayIndex ge 0`;
  const select = ["arrayIndex", "state", "exitCode", "attempt", "vcpuSeconds", "groupDeleted"];
  for await (const row of storage.table(tableNames.jobs).listEntities({ queryOptions: { filter, select } }))
    children.push({
      index: Number(row["arrayIndex"]),
      state: String(row["state"]),
      exitCode: typeof row["exitCode"] === "number" ? row["exitCode"] : undefined,
      attempt: Number(row["attempt"]),
      vcpuSeconds: Number(row["vcpuSeconds"] ?? 0),
      groupDeleted: row["groupDeleted"] === true,
    });
  return children;
}

/** Judges each create on its way to Azure Resource Manager. */
class CreateJudge implements Gate {
  world: World | undefined;
  running: Submitted | undefined;
  readonly forgets = true;
  readonly wrong: string[] = [];
  readonly #parallelism: number;

  constructor(parallelism: number) {
    this.#parallelism = parallelism;
  }

  async before({ service, method, url }: ProxiedCall): Promise<"pass"> {
    const [, index] = /\/nightly-(\d+)$/.exec(url.pathname) ?? [];
    if (service !== "arm" || method !== "PUT" || index === undefined || this.world === undefined) return "pass";
    const array = this.running;
    const children = array === undefined ? [] : await childrenOf(this.world, array);
    const alive = children.filter(({ state }) => !isEnded(state));
    const found = [
      ...(array?.indexes.includes(Number(index)) === true ? [] : ["it is not to run"]),
      ...(alive.some((child) => child.index === Number(index)) ? [] : ["its row is not there, or has ended"]),
      ...(alive.length > this.#parallelism ? [`${alive.length} children exist at once`] : []),
    ];
    this.wrong.push(...found.map((fault) => `create of ${index}: ${fault}`));
    return "pass";
  }
}

const accepted = z.object({ id: z.string() });
const record = z.object({ createdAt: z.string() });
const ended = z.object({
  message: z.string(),
  array: z.object({ succeeded: z.number(), failed: z.number(), active: z.number() }),
  results: z.array(z.object({ index: z.number(), state: z.string(), exitCode: z.number().optional() })),
});

export async function arrayTrial(options: ArrayTrialOptions): Promise<ArrayFigures> {
  const { parallelism, kills, faults, factor } = options;
  const items = itemsOf(options);
  const judge = new CreateJudge(parallelism);
  const began = performance.now();
  const world = (judge.world = await World.start({ factor, gate: judge, clocks: [0, 0] }));
  const trial = new Trial(world, judge, options);
  try {
    for (const effect of armEffects)
      await world.aci("POST", "faults", { effect, probability: faults / armEffects.length });
    const all = await trial.submit(items);
    await trial.follow(all, kills);
    const failed = await trial.rerun(all);
    await trial.follow(failed, 0);
    const { liveByTag, liveGroups, deploymentsByGroup } = await world.counters(tag);
    const creates = Object.values(deploymentsByGroup).reduce((sum, times) => sum + times, 0);
    return {
      mostLive: liveByTag[`${tag}=array`]?.most ?? 0,
      creates,
      rerun: (await childrenOf(world, failed)).length,
      wrong: [
        ...judge.wrong,
        ...(await trial.wrongIn(all, items)),
        ...(await trial.wrongIn(failed, items)),
        ...(await trial.startedTooOften([all, failed], creates)),
        ...(liveGroups === 0 ? [] : [`${liveGroups} groups are left`]),
        ...(await trial.left()),
      ],
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    await world.stop();
  }
}

class Trial {
  readonly #world: World;
  readonly #judge: CreateJudge;
  readonly #options: ArrayTrialOptions;
  readonly #enough: number;

  constructor(world: World, judge: CreateJudge, options: ArrayTrialOptions) {
    this.#world = world;
    this.#judge = judge;
    this.#options = options;
    // Ten real seconds for each child.
    this.#enough = 10 * second * options.size * options.factor;
  }

  async submit(items: readonly Item[]): Promise<Submitted> {
    const id = await this.#world.submit(definitionOf(items, this.#options.parallelism), name, "", this.#enough);
    return this.#submitted(id, [...items.keys()]);
  }

  /** What failed of it, once more. */
  async rerun({ id }: Submitted): Promise<Submitted> {
    const failed = itemsOf(this.#options).flatMap(({ code }, index) => (code === 0 ? [] : [index]));
    const answer = async (): Promise<string | undefined> => {
      const reply = await this.#world.call("POST", `jobs/${id}/rerun`);
      return reply !== undefined && reply.status < 300 ? accepted.parse(JSON.parse(reply.text)).id : undefined;
    };
    return this.#submitted(await this.#world.until("the rerun", answer, this.#enough), failed);
  }

  async #submitted(text: string, indexes: readonly number[]): Promise<Submitted> {
    const id = parseJobId(text);
    if (id === undefined) throw new Error(`${text} is no id.`);
    const { createdAt } = await this.#read(`jobs/${id}`, record);
    return (this.#judge.running = { id, createdAt: Date.parse(createdAt), indexes });
  }

  /** As often as a host is away, or has no such answer. */
  #read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const answer = async (): Promise<T | undefined> => {
      const reply = await this.#world.call("GET", path);
      return schema.safeParse(parseJson(reply?.text ?? "")).data;
    };
    return this.#world.until(path, answer, this.#enough);
  }

  /** Until nothing of it is left; hosts are killed on the way. */
  async follow(array: Submitted, kills: number): Promise<void> {
    let killed = 0;
    const isOver = async (): Promise<true | undefined> => {
      const children = await childrenOf(this.#world, array);
      const over = children.filter(({ state }) => isEnded(state)).length;
      this.#options.tell(`${over} of ${array.indexes.length} ended`);
      if (killed < kills && over >= ((killed + 0.5) * array.indexes.length) / kills) {
        await this.#world.kill(killed % this.#world.urls.length);
        this.#options.tell(`host killed (${++killed})`);
      }
      return over === array.indexes.length && (await this.#world.index("job_")).length === 0 ? true : undefined;
    };
    await this.#world.until("the end of the array", isOver, this.#enough);
  }

  /** Children, verdict, counts, results and sums of an array that has ended. */
  async wrongIn(array: Submitted, items: readonly Item[]): Promise<string[]> {
    const children = await childrenOf(this.#world, array);
    const codes = array.indexes.map((index) => items[index]?.code ?? 0);
    const failed = codes.filter((code) => code !== 0).length;
    const { message, array: counts, results } = await this.#read(`status/${array.id}`, ended);
    const planned = array.indexes.map((index, n) => `${index} ${codes[n] === 0 ? "Succeeded" : "Failed"} ${codes[n]}`);
    const shown = (list: readonly Shown[]): string[] =>
      list.map(({ index, state, exitCode }) => `${index} ${state} ${exitCode}`);
    const columns = await this.#world.columns(array.id, ["state", "vcpuSeconds"]);
    const sum = children.reduce((seconds, { vcpuSeconds }) => seconds + vcpuSeconds, 0);
    const expected = { succeeded: codes.length - failed, failed, active: 0 };
    return [
      ...differences("a row", planned, shown(children)),
      ...differences("a result", planned, shown(results)),
      ...children.filter(({ groupDeleted }) => !groupDeleted).map(({ index }) => `the group of ${index} is there`),
      ...(columns["state"] === "Failed" ? [] : [`the array ended ${String(columns["state"])}`]),
      ...(Math.abs(Number(columns["vcpuSeconds"]) - sum) < 1
        ? []
        : [`the array's sum is ${String(columns["vcpuSeconds"])} vCPU seconds, that of its children ${sum}`]),
      ...(message.startsWith(`${name} Failed: ${failed} of ${codes.length}: #`) ? [] : [message]),
      ...differences("a count", Object.entries(expected).map(String), Object.entries(counts).map(String)),
    ];
  }

  /** A group is made to run once for each attempt, and Container Instances never has two of one job. */
  async startedTooOften(arrays: readonly Submitted[], creates: number): Promise<string[]> {
    const children = (await Promise.all(arrays.map((array) => childrenOf(this.#world, array)))).flat();
    const attempts = children.reduce((sum, { attempt }) => sum + attempt, 0);
    const { liveByTag } = await this.#world.counters();
    const twice = Object.entries(liveByTag).filter(([, { most }]) => most > 1);
    return [
      ...(creates <= attempts ? [] : [`${creates} creates of ${attempts} attempts`]),
      ...twice.map(([job]) => `${job} had two groups`),
    ];
  }

  async left(): Promise<readonly string[]> {
    const lists = await Promise.all(["job_", "hold_", "wait_"].map((prefix) => this.#world.index(prefix)));
    return lists.flat().map((key) => `${key} is left`);
  }
}

function differences(what: string, planned: readonly string[], found: readonly string[]): string[] {
  return [
    ...planned.filter((each) => !found.includes(each)).map((each) => `${what} is missing: ${each}`),
    ...found.filter((each) => !planned.includes(each)).map((each) => `${what} too many: ${each}`),
    ...(planned.length === found.length ? [] : [`${found.length} of ${what}, not ${planned.length}`]),
  ];
}
