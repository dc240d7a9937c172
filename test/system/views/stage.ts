import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { freePorts } from "../../../local/stack/ports.ts";
import { second } from "../../../src/shared/base/duration.ts";
import { terminalStates } from "../../../src/shared/job/job.ts";
import { startAzurite } from "../../kit/azurite.ts";
import { resourceGroup, subscription } from "../../kit/kit.ts";
import { fastClock, programs, startPart, type Part } from "../../kit/part.ts";
import { definitionOf, faultsIn, faultsOf, type Trial } from "../../kit/views/trials.ts";

export interface Outcome {
  readonly name: string;
  /** What is not as expected, a line each. */
  readonly faults: readonly string[];
  readonly state: string;
  readonly reason: string | undefined;
  readonly exitCode: number | undefined;
  readonly puts: number;
  readonly message: string;
  /** Of the service's time. */
  readonly seconds: number;
}

export interface StageOptions {
  /** How much faster than ours time runs for service, storage and ACI. */
  readonly factor: number;
  /** Real milliseconds that a trial may take at least, however few its seconds are: a busy machine is no faster for it. */
  readonly patience: number;
  readonly trials: readonly Trial[];
  readonly told?: (outcome: Outcome) => void;
}

/** Plays all trials at once, each with a region of its own: the built app in a host of its own, Azurite, the local ACI. */
export async function playAll(options: StageOptions): Promise<readonly Outcome[]> {
  const { factor, trials, told } = options;
  const folder = await mkdtemp(join(tmpdir(), "views-"));
  const first = { first: factor === 1 ? undefined : fastClock(factor) };
  const logFile = join(folder, "host.log");
  const [port = 0] = await freePorts(1);
  const azurite = await startAzurite(first);
  const parts: Part[] = [];
  try {
    const eventQueue = { connectionString: azurite.connectionString, queueName: "aci-events" };
    const aci = await startPart(
      "aci",
      { engine: "simulated", control: true, faults: faultsOf(trials), eventQueue },
      first,
    );
    parts.push(aci);
    const env = {
      AzureWebJobsStorage: azurite.connectionString,
      AZURE_SUBSCRIPTION_ID: subscription,
      AZURE_RESOURCE_GROUP: resourceGroup,
      AZURE_RESOURCE_MANAGER_ENDPOINT: aci.url,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      SEAL_KEY_FILE: join(folder, "seal.key"),
    };

    parts.push(await startPart("host", { appFolder: programs.app, port, env, logFile, drainSeconds: 0 }, first));
    const service = new Service(`http://127.0.0.1:${port}`, aci.url);
    const left = [...trials.entries()];
    const outcomes: Promise<Outcome>[] = [];
    const submitNext = async (): Promise<void> => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [n, trial] = next;
        const submitted = service.submit(trial, definitionOf(trial, `region${n}`), performance.now() + submitPatience);
        outcomes[n] = submitted
          .then((location) => follow(service, trial, location, options))
          .catch((error: unknown) => broken(trial, error));
        void outcomes[n].then((outcome) => told?.(outcome));
        await submitted.catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: submitters }, submitNext));
    return await Promise.all(outcomes);
  } finally {
    await Promise.all(parts.map((part) => part.end("SIGKILL")));
    await azurite.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of a trial that could not be played. */
const broken = ({ name }: Trial, error: unknown): Outcome => ({
  name,
  faults: [error instanceof Error ? error.message : String(error)],
  state: "",
  reason: undefined,
  exitCode: undefined,
  puts: 0,
  message: "",
  seconds: 0,
});

const statusShape = z.looseObject({
  id: z.string().default(""),
  state: z.string().default(""),
  reason: z.string().nullish(),
  exitCode: z.number().nullish(),
  message: z.string().default(""),
  advice: z.string().nullish(),
  fault: z.string().nullish(),
});
type Status = z.output<typeof statusShape>;

const recordShape = z.looseObject({
  history: z.array(z.looseObject({ reason: z.string().nullish() })).default([]),
  azure: z.unknown().optional(),
});

class Service {
  readonly #url: string;
  readonly #arm: string;

  constructor(url: string, arm: string) {
    this.#url = url;
    this.#arm = arm;
  }

  /** Until it is accepted, as a caller with a key does: a busy machine's storage is late for a clock that runs fast. */
  async submit({ query, name }: Trial, body: string, latest: number): Promise<string> {
    for (;;) {
      const init = { method: "POST", body, headers: { "idempotency-key": name } };
      const response = await this.#call(`/api/trigger?polling=true${query}`, init);
      const text = await response.text();
      const location = response.headers.get("location");
      if (location !== null) return location;
      if (response.status !== 503 || performance.now() > latest) throw new Error(`refused: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, second / 5));
    }
  }

  async status(location: string): Promise<Status> {
    const { pathname, search } = new URL(location);
    return statusShape.parse(await (await this.#call(pathname + search, {})).json());
  }

  async record(id: string): Promise<z.output<typeof recordShape>> {
    return recordShape.parse(await (await this.#call(`/api/jobs/${id}`, {})).json());
  }

  /** Every PUT of the group that came, whatever it was answered. */
  async puts(name: string): Promise<number> {
    const response = await fetch(`${this.#arm}/local/counters`);
    const { putCallsByGroup } = z
      .object({ putCallsByGroup: z.record(z.string(), z.number()) })
      .parse(await response.json());
    return putCallsByGroup[`${subscription}/${resourceGroup}/${name}`.toLowerCase()] ?? 0;
  }

  #call(path: string, init: { method?: string; body?: string; headers?: Record<string, string> }): Promise<Response> {
    return fetch(this.#url + path, { ...init, headers: { ...init.headers, "x-functions-key": "local" } });
  }
}

/** Real milliseconds until a submission must be accepted. */
const submitPatience = 45_000;
/** The number submitted at once: all of them would exceed the time limits of a busy machine's storage, whose clock runs faster too. */
const submitters = 8;

const isTerminal = ({ state }: Status): boolean => terminalStates.some((terminal) => terminal === state);

/** Polls as a caller does: until the job's end, or until its time is over and nothing is left to be wished. */
async function follow(service: Service, trial: Trial, location: string, options: StageOptions): Promise<Outcome> {
  const began = performance.now();
  const due = began + (trial.secs * second) / options.factor;
  const latest = Math.max(due, began + options.patience);
  const seen = new Set<string>();
  for (;;) {
    const status = await service.status(location);
    if (status.reason) seen.add(status.reason);
    const now = performance.now();
    if (isTerminal(status) || now > due) {
      const outcome = await judged(service, trial, status, seen, ((now - began) / second) * options.factor);
      if (isTerminal(status) || outcome.faults.length === 0 || now > latest) return outcome;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(100, (2 * second) / options.factor)));
  }
}

async function judged(
  service: Service,
  trial: Trial,
  status: Status,
  seen: ReadonlySet<string>,
  seconds: number,
): Promise<Outcome> {
  const { history, azure } = await service.record(status.id);
  const puts = await service.puts(trial.name);
  const [reason, exitCode] = [status.reason ?? "", status.exitCode ?? undefined];
  const shown = {
    state: status.state,
    hasEnded: isTerminal(status),
    reason,
    exitCode,
    fault: status.fault ?? undefined,
    reasons: new Set([...seen, ...history.flatMap((each) => each.reason ?? [])]),
    said: [status.message, status.advice, reason, JSON.stringify(azure)].join("\n"),
    puts,
  };
  return {
    name: trial.name,
    faults: faultsIn(shown, trial),
    state: status.state,
    reason: status.reason ?? undefined,
    exitCode,
    puts,
    message: status.message,
    seconds: Math.round(seconds),
  };
}
