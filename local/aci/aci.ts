import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Running } from "../part.ts";
import { Arm } from "./arm/arm.ts";
import { listen } from "./arm/http.ts";
import type { Answer, Incoming } from "./arm/http.ts";
import { Throttle } from "./arm/limits.ts";
import { answerCall } from "./arm/pipeline.ts";
import type { PipelineParts } from "./arm/pipeline.ts";
import { wallClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { control } from "./control/control.ts";
import { Counters } from "./control/counters.ts";
import { Faults } from "./control/faults.ts";
import { Delivery, queueDestination, webhookDestination } from "./delivery.ts";
import type { Destination } from "./delivery.ts";
import type { Engine } from "./engine.ts";
import { containerEngine } from "./engines/container/engine.ts";
import { processEngine } from "./engines/process/engine.ts";
import { simulatedEngine } from "./engines/simulated.ts";
import { resourceEvent } from "./events.ts";
import { groupKey, locationOf } from "./group.ts";
import { Provider } from "./groups/provider.ts";
import type { Surroundings } from "./groups/surroundings.ts";
import { limitsSchema, optionsSchema } from "./options.ts";
import type { AciOptions, Limits, Options } from "./options.ts";
import { restoreGroup, saveGroup } from "./persistence.ts";
import { isAbandoned, Store } from "./store.ts";

export interface RunningAci extends Running {
  readonly clock: Clock;
  readonly provider: Provider;
  readonly faults: Faults;
  readonly counters: Counters;
  readonly throttle: Throttle;
}

export type StartOptions = AciOptions & {
  readonly clock?: Clock;
  /** From 0 to 1: decides faults and deliveries. */
  readonly random?: () => number;
};

/**
 * Starts the local Azure Container Instances on 127.0.0.1. Rejects with code `EADDRINUSE` where the port is taken,
 * `StateFolderInUse` where another one lives in the folder.
 */
export async function startAci(given: StartOptions): Promise<RunningAci> {
  const { clock = wallClock(), random = Math.random, ...rest } = given;
  const options = optionsSchema.parse(rest);
  let serve: ((incoming: Incoming) => Promise<Answer>) | undefined;
  // The port comes first: where it is taken, nothing else may have been touched.
  const server = await listen(options.port, (incoming) => serve?.(incoming) ?? Promise.resolve("drop"));
  const folder = stateFolder(options);
  let store: Store | undefined;
  try {
    store = folder && new Store(folder.path, report);
    const parts = await assemble(options, clock, random, store, folder?.path ?? "");
    serve = (incoming) =>
      options.control && incoming.url.pathname.startsWith("/local/")
        ? control(parts, incoming)
        : answerCall(parts, incoming);
    return {
      url: server.url,
      ...parts,
      async stop() {
        await server.close();
        parts.provider.detach();
        await parts.engine.close();
        await parts.delivery.flush();
        store?.close();
        clock.close();
        folder?.remove();
      },
    };
  } catch (error) {
    await server.close();
    store?.close();
    clock.close();
    folder?.remove();
    throw error;
  }
}

async function assemble(
  options: Options,
  clock: Clock,
  random: () => number,
  store: Store | undefined,
  folder: string,
) {
  const engine = await makeEngine(options, clock, folder);
  const delivery = new Delivery({
    ...options.events,
    clock,
    random,
    destinations: destinations(options, clock),
    failed: report,
  });
  const throttle = new Throttle(limitsOf(options), clock);
  const counters = new Counters();
  const ahead: PipelineParts["ahead"] = new Map();
  const around: Surroundings = {
    changed(group) {
      counters.see(group);
      store?.save(group.key, saveGroup(group));
    },
    gone(group) {
      counters.lose(group);
      store?.remove(group.key);
    },
    decided(group, action, cause, existed, error) {
      delivery.publish(resourceEvent(group, action, error === undefined, clock.now(), cause, existed));
    },
    failed: report,
    admitCreate: (...asked) => throttle.admitCreate(...asked),
    admitDelete: (...asked) => throttle.admitDelete(...asked),
    plan(group) {
      counters.deployed(group.id);
      const usual = { course: { type: "usual" }, put: 1 } as const;
      const { course, put } = ahead.get(groupKey(group.id)) ?? usual;
      return { course, put, location: locationOf(group), delay: options.provisioningSeconds * 1000 };
    },
  };
  const provider = new Provider({ clock, engine, around });
  for (const record of store?.read().values() ?? []) restoreGroup(record, provider, engine, clock);
  const arm = new Arm({
    ...options,
    provider,
    now: () => clock.now(),
    quota: () => (throttle.limits && throttle.limits.quota) || PUBLISHED.quota,
  });
  const faults = new Faults(random);
  for (const fault of options.faults) faults.add(fault);
  return { engine, delivery, throttle, counters, ahead, provider, arm, clock, faults };
}

const PUBLISHED = { quota: { groups: 100, cores: 100 } };

function limitsOf({ engine, limits }: Options): Limits | false {
  return limits ?? (engine === "simulated" ? limitsSchema.parse({}) : false);
}

const TEMPORARY = "local-aci-";

/** Without a folder of its own, an engine that needs one gets a temporary one, which goes with the service or its successor. */
function stateFolder(options: Options): { path: string; remove: () => void } | undefined {
  if (options.stateFolder !== undefined) return { path: options.stateFolder, remove: () => undefined };
  if (options.engine === "simulated") return undefined;
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(TEMPORARY))) {
    const left = join(tmpdir(), name);
    if (isAbandoned(left)) rmSync(left, { recursive: true, force: true });
  }
  const path = mkdtempSync(join(tmpdir(), TEMPORARY));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function destinations({ eventQueue, webhook }: Options, clock: Clock): Destination[] {
  return [
    ...(eventQueue ? [queueDestination(eventQueue.connectionString, eventQueue.queueName)] : []),
    ...(webhook ? [webhookDestination(webhook.url, clock)] : []),
  ];
}

function makeEngine(options: Options, clock: Clock, folder: string): Promise<Engine> {
  const { engine, containersFolder } = options;
  const grace = options.graceSeconds * 1000;
  switch (engine) {
    case "simulated":
      return Promise.resolve(simulatedEngine(clock, options.simulated));
    case "process":
      return Promise.resolve(processEngine({ clock, folder, containersFolder, grace }));
    case "podman":
    case "docker":
      return containerEngine({ kind: engine, clock, folder, containersFolder, grace });
  }
}

function report(error: unknown): void {
  process.stderr.write(`local ACI: ${error instanceof Error ? error.message : String(error)}\n`);
}
