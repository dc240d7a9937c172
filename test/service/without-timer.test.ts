import { InvocationContext, HttpRequest } from "@azure/functions";
import { expect, it } from "vitest";
import { hour, minute, second } from "../../src/shared/base/duration.ts";
import { mintJobId } from "../../src/shared/base/ids.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { enqueueingSweep } from "../../src/http/lib/second-clock.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { runningSweep } from "../../src/workers/second-clock.ts";
import { wake } from "../../src/workers/wake.ts";
import { start, target } from "../kit/kit.ts";
import type { Gate, ProxiedCall } from "../kit/proxy.ts";
import { countersOf, groupsOf, installationTagOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

/** A hundred take the suite half a minute more. */
const jobs = Number(process.env["TIMERLESS_JOBS"] ?? 30);
const counts = {
  shared: Math.ceil(jobs / 10),
  calls: Math.ceil(jobs / 3),
  active: Math.ceil(jobs / 2.5),
  lost: Math.ceil(jobs / 5),
};

interface Message {
  readonly id: string;
  readonly queue: string;
  readonly text: string;
  readonly at: number;
}

/** The Functions host without its timer: it delivers what was sent, when it is due by the bench's clock. */
class Host {
  #messages: Message[] = [];
  #count = 0;
  #now: () => number = () => start;
  /** How many requeues of jobs get lost from now on: every third. */
  losing = 0;
  lost = 0;

  readonly gate: Gate = {
    after: ({ service, method, url, body, status }: ProxiedCall) => {
      const queue = /\/(aci-\w+)\/messages$/.exec(url.pathname)?.[1];
      if (service === "queue" && method === "POST" && status === 201 && queue !== undefined)
        this.send(queue, textIn(body), Number(url.searchParams.get("visibilitytimeout") ?? 0) * second);
      return "pass";
    },
  };

  send(queue: string, text: string, delay = 0): void {
    this.#count++;
    // What a pass of the sweep sends ahead of itself: without it only the silence of the heartbeat brings on the next.
    if (delay > 0 && text.includes('"sweep"')) return;
    if (this.losing > 0 && text.includes('"job"') && this.#count % 3 === 0) {
      this.losing--;
      this.lost++;
      return;
    }
    this.#messages.push({ id: `message-${this.#count}`, queue, text, at: this.#now() + delay });
  }

  /** Works until it is over, time going on whenever there is nothing to do; a call comes in every minute. */
  async work({ deps, clock }: Bench, isOver: () => Promise<boolean>): Promise<void> {
    this.#now = () => clock.now();
    const call = enqueueingSweep(deps, () => ({ status: 200 }));
    const request = new HttpRequest({ method: "GET", url: "http://localhost/api/health" });
    for (let nextCall = clock.now(); clock.now() < start + 3 * hour;) {
      const due = this.#messages.filter(({ at }) => at <= clock.now()).slice(0, 16);
      this.#messages = this.#messages.filter((message) => !due.includes(message));
      await Promise.all(due.map((message) => deliver(deps, message)));
      if (due.length > 0) continue;
      if (clock.now() >= nextCall) {
        if (await isOver()) return;
        await call(request, new InvocationContext());
        nextCall = clock.now() + minute;
        continue;
      }
      clock.advance(Math.min(nextCall, ...this.#messages.map(({ at }) => at)) - clock.now());
    }
    throw new Error("It does not come to an end.");
  }
}

async function deliver(deps: Deps, { id, queue, text, at }: Message): Promise<void> {
  const triggerMetadata = { id, dequeueCount: 1, insertionTime: new Date(at).toISOString() };
  const handler = runningSweep<unknown>(deps, queue === queueNames.jobs ? provisioner(deps) : wake(deps));
  await handler(text.startsWith("{") ? JSON.parse(text) : text, new InvocationContext({ triggerMetadata }));
}

function textIn(body: string): string {
  const escaped = /<MessageText>(.*)<\/MessageText>/s.exec(body)?.[1] ?? "";
  return escaped.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

const all = { states: undefined, name: undefined, since: undefined, until: undefined, columns: {} };

it(`without a timer ${jobs} jobs end right: some wait for a name or a ceiling, some lose their messages, and orphans go`, async () => {
  const host = new Host();
  const bench = await openBench({ MAX_ACTIVE_JOBS: String(counts.active) }, host.gate);
  const { deps } = bench;
  const { aci } = await deps.aci();
  const old = mintJobId(start - hour, new Uint8Array(10));
  for (const name of ["orphan-1", "orphan-2"]) {
    const tags = {
      "aciproxy-job": old,
      "aciproxy-attempt": "1",
      "aciproxy-installation": await installationTagOf(bench, name),
    };
    const resources = { requests: { cpu: 1, memoryInGB: 1 } };
    const containers = [{ name: "app", properties: { image: "x", resources } }];
    const properties = { osType: "Linux", restartPolicy: "Never", containers };
    await aci.create(target, name, "2023-05-01", { location: "westeurope", tags, properties }, (text) => text);
  }
  host.losing = counts.lost;
  const names = Array.from({ length: jobs - counts.shared }, (_, n) => `job-${n}`);
  for (const name of names.slice(0, counts.calls)) expect((await post(deps, yaml(name))).status).toBe(200);
  for (const name of names.slice(counts.calls)) host.send(queueNames.jobs, yaml(name));
  for (let n = 0; n < counts.shared; n++) host.send(queueNames.jobs, yaml("shared", { seconds: 5 }));
  await host.work(bench, async () => {
    let left = 0;
    for await (const _ of deps.jobs.index.active()) left++;
    return left === 0 && groupsOf(bench).length === 0;
  });
  const { rows } = await deps.jobs.list(all, 1000, undefined);
  expect(rows.map(({ state }) => state)).toEqual(Array.from({ length: jobs }, () => "Succeeded"));
  const { deploymentsByGroup } = countersOf(bench);
  const deployed = Object.entries(deploymentsByGroup).map(([key, count]) => [key.split("/").at(-1), count]);
  expect(Object.fromEntries(deployed)).toEqual({
    ...Object.fromEntries([...names, "orphan-1", "orphan-2"].map((name) => [name, 1])),
    shared: counts.shared,
  });
  expect(host.lost).toBe(counts.lost);
});
