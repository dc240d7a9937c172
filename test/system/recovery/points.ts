import { deepStrictEqual } from "node:assert/strict";
import { minute } from "../../../src/shared/base/duration.ts";
import type { Gate, ProxiedCall } from "../../kit/proxy.ts";
import type { World } from "./world.ts";
import { definition } from "../simulated.ts";
import { type Row } from "./world.ts";

/**
 * Crash points: the host is killed before, or after, the n-th call of a kind that it makes while a job goes through a scenario. Which
 * calls there are is found by letting the scenario run once undisturbed, so that no new side effect can be forgotten.
 */
export interface Point {
  readonly scenario: keyof typeof scenarios;
  readonly when: "before" | "after";
  /** What the call is, without what differs from job to job. */
  readonly call: string;
  /** Which of the scenario's calls of that kind, from 1. */
  readonly nth: number;
}

export function shown({ scenario, when, call, nth }: Point): string {
  return `${scenario}: ${when} ${call} #${nth}`;
}

interface Scenario {
  /** Runs a job under that name, to be followed until it has ended. */
  readonly run: (world: World, name: string) => Promise<void>;
  readonly state: string;
  /** How often its group may be made to run. */
  readonly deployments: number;
  /** What is added to the job's name for another one, which must end as it does. */
  readonly other?: string;
  /** The job is an array: this many children of it must be made, and end as it does. */
  readonly children?: number;
}

const scenarios = {
  succeed: {
    run: async (world, name) => {
      await world.submit(definition(name, { app: { seconds: 4 } }), name);
    },
    state: "Succeeded",
    deployments: 1,
  },
  retry: {
    run: async (world, name) => {
      await world.submit(definition(name, { app: { seconds: 2, exitCode: 3 } }), name, "retries=1");
    },
    state: "Failed",
    deployments: 2,
  },
  cancel: {
    run: async (world, name) => {
      await cancelOnceItRuns(world, name, "");
    },
    state: "Canceled",
    deployments: 1,
  },
  post: {
    run: async (world, name) => {
      const queue = world.storage.queues.getQueueClient("aci-jobs");
      await queue.sendMessage(definition(name, { app: { seconds: 4 } }), { messageTimeToLive: -1 });
    },
    state: "Succeeded",
    deployments: 1,
  },
  group: {
    run: async (world, name) => {
      const slot = `group=${name}&groupLimit=1&priority=1`;
      await world.submit(definition(name, { app: { seconds: 4 } }), name, slot);
      await world.submit(definition(`${name}-next`, { app: { seconds: 4 } }), `${name}-next`, slot);
    },
    state: "Succeeded",
    deployments: 1,
    other: "-next",
  },
  team: {
    run: async (world, name) => {
      await world.submit(definition(name, { app: { seconds: 4 } }), name, "team=etl");
      await world.submit(definition(`${name}-next`, { app: { seconds: 4 } }), `${name}-next`, "team=etl");
    },
    state: "Succeeded",
    deployments: 1,
    other: "-next",
  },
  both: {
    run: async (world, name) => {
      const slots = `group=${name}&groupLimit=1&team=etl&runTimeout=600`;
      await world.submit(definition(name, { app: { seconds: 4 } }), name, slots);
      await world.submit(definition(`${name}-next`, { app: { seconds: 4 } }), `${name}-next`, slots);
    },
    state: "Succeeded",
    deployments: 1,
    other: "-next",
  },
  array: {
    run: async (world, name) => {
      await world.submit(definition(name, { app: { seconds: 4 } }), name, "array=3&parallelism=2");
    },
    state: "Succeeded",
    deployments: 1,
    children: 3,
  },
  "array-cancel": {
    run: async (world, name) => {
      await cancelOnceItRuns(world, name, "array=2&parallelism=1");
    },
    state: "Canceled",
    deployments: 1,
    children: 1,
  },
  reject: {
    run: async (world, name) => {
      const slot = `group=${name}&groupLimit=1&onGroupFull=reject`;
      await world.submit(definition(name, { app: { seconds: 4 } }), name, slot);
    },
    state: "Succeeded",
    deployments: 1,
  },
} as const satisfies Record<string, Scenario>;

/** The world of the scenarios: one of its teams has a ceiling, and a budget that it does not use up. */
export const crashEnvironment = { TEAMS: JSON.stringify({ etl: { limit: 1, vcpuSecondsPerDay: 1_000_000_000 } }) };

async function cancelOnceItRuns(world: World, name: string, query: string): Promise<void> {
  const id = await world.submit(definition(name, { app: { seconds: 36_000 } }), name, query);
  await world.until(`${name} to run`, async () => ((await rowOf(world, name))?.state === "Running" ? true : undefined));
  await world.until(`the cancel of ${name}`, async () =>
    (await world.call("DELETE", `delete/${id}`))?.status === 200 ? true : undefined,
  );
}

async function rowOf(world: World, name: string): Promise<Row | undefined> {
  return (await world.rows()).find((row) => row.groupName === name);
}

/** Kills at one point, and counts what goes by. */
export class Killer implements Gate {
  world: World | undefined;
  /** Calls since the scenario began, by kind. */
  readonly seen = new Map<string, number>();
  #point: Point | undefined;
  struck = false;

  arm(point: Point | undefined): void {
    this.#point = point;
    this.struck = false;
    this.seen.clear();
  }

  async before(call: ProxiedCall): Promise<"pass" | "cut"> {
    const kind = kindOf(call);
    if (kind === undefined) return "pass";
    this.seen.set(kind, (this.seen.get(kind) ?? 0) + 1);
    return this.#strikes("before", kind);
  }

  async after(call: ProxiedCall): Promise<"pass" | "cut"> {
    const kind = kindOf(call);
    return kind === undefined ? "pass" : this.#strikes("after", kind);
  }

  async #strikes(when: Point["when"], kind: string): Promise<"pass" | "cut"> {
    const point = this.#point;
    if (this.struck || point?.when !== when || point.call !== kind || point.nth !== this.seen.get(kind)) return "pass";
    this.struck = true;
    await this.world?.kill();
    return "cut";
  }
}

/**
 * What a call with an effect is: its service, verb and place, without ids. Reads have no effect, and what the host does for itself
 * (receiving, its timer's lock) is not the app's.
 */
function kindOf({ service, method, url }: ProxiedCall): string | undefined {
  if (method === "GET" || method === "HEAD") return undefined;
  const path = url.pathname.replace(/^\/devstoreaccount1\//, "");
  if (service === "arm") return `arm ${method} ${path.endsWith("/stop") ? "stop" : "group"}`;
  if (path.startsWith("azure-webjobs") || url.searchParams.get("restype") === "container") return undefined;
  if (service === "queue") {
    const [queue, , id] = path.split("/");
    return id === undefined
      ? `queue send ${queue ?? ""}`
      : method === "DELETE"
        ? `queue settle ${queue ?? ""}`
        : undefined;
  }
  const [place = ""] = path.split(/[(/]/);
  return `${service} ${method} ${place}${url.searchParams.has("comp") ? ` ${url.searchParams.get("comp") ?? ""}` : ""}`;
}

/** All points of all scenarios, each found by one undisturbed run; the very first start, which makes tables and queues, is over. */
export async function findPoints(world: World, killer: Killer): Promise<readonly Point[]> {
  const points: Point[] = [];
  await runToEnd(world, "succeed", "warm-up");
  for (const scenario of names) {
    killer.arm(undefined);
    await runToEnd(world, scenario, `find-${scenario}`);
    for (const [call, times] of killer.seen) {
      for (let nth = 1; nth <= times; nth++) {
        for (const when of ["before", "after"] as const) points.push({ scenario, when, call, nth });
      }
    }
  }
  return points;
}

const names = Object.keys(scenarios) as (keyof typeof scenarios)[]; // its keys are its names

/** Runs a scenario with a crash at that point, and says what is not as promised. */
export async function tryPoint(world: World, killer: Killer, point: Point, name: string): Promise<{ struck: boolean }> {
  killer.arm(point);
  await runToEnd(world, point.scenario, name);
  return { struck: killer.struck };
}

async function runToEnd(world: World, scenario: keyof typeof scenarios, name: string): Promise<void> {
  const { run, state, deployments, other, children }: Scenario = scenarios[scenario];
  await run(world, name);
  const names = [name, ...(other === undefined ? [] : [name + other])];
  const ownRows = async (): Promise<readonly Row[]> => (await world.rows()).filter((row) => names.includes(row.name));
  await world.until(
    `the end of ${name}`,
    async () => {
      const rows = await ownRows();
      const left = [...(await world.index("job_")), ...(await world.index("group_"))];
      return rows.length > 0 && rows.every((row) => row.groupDeleted) && left.length === 0 ? true : undefined;
    },
    20 * minute,
  );
  const rows = await ownRows();
  const counters = await world.counters();
  const times = new Map(
    Object.entries(counters.deploymentsByGroup).map(([key, count]) => [key.split("/").at(-1) ?? "", count]),
  );
  const found = {
    jobs: rows.map((row) => `${row.groupName} ${row.state} ${times.get(row.groupName) ?? 0}`).toSorted(),
    liveGroups: counters.liveGroups,
    held: await world.index("hold_"),
    lines: await world.index("wait_"),
    charges: await world.charges("etl"),
  };
  const groups = children === undefined ? names : Array.from({ length: children }, (_, index) => `${name}-${index}`);
  const jobs = [
    ...(children === undefined ? [] : [`${name} ${state} 0`]),
    ...groups.map((each) => `${each} ${state} ${deployments}`),
  ];
  deepStrictEqual(found, { jobs, liveGroups: 0, held: [], lines: [], charges: [] });
}
