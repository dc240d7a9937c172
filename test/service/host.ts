import { HttpRequest, InvocationContext } from "@azure/functions";
import { enqueueingSweep } from "../../src/http/lib/second-clock.ts";
import { hour, minute, second } from "../../src/shared/base/duration.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { runningSweep } from "../../src/workers/second-clock.ts";
import { wake } from "../../src/workers/wake.ts";
import { start } from "../kit/kit.ts";
import type { Gate, ProxiedCall } from "../kit/proxy.ts";
import type { Bench } from "./kit.ts";

interface Message {
  readonly id: string;
  readonly queue: string;
  readonly text: string;
  readonly at: number;
}

/** The Functions host: it delivers what was sent, when it is due by the bench's clock. It has no timer unless it is given one. */
export class Host {
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

  /**
   * Works until it is over, time going on whenever there is nothing to do; a call comes in every minute, and so does the timer.
   *
   * @param most the longest time that it may take
   */
  async work(
    { deps, clock }: Bench,
    isOver: () => Promise<boolean>,
    { timer = () => Promise.resolve(), most = 3 * hour }: { timer?: () => Promise<void>; most?: number } = {},
  ): Promise<void> {
    this.#now = () => clock.now();
    const call = enqueueingSweep(deps, () => ({ status: 200 }));
    const request = new HttpRequest({ method: "GET", url: "http://localhost/api/health" });
    const until = clock.now() + most;
    for (let nextCall = clock.now(); clock.now() < until;) {
      const due = this.#messages.filter(({ at }) => at <= clock.now()).slice(0, 16);
      this.#messages = this.#messages.filter((message) => !due.includes(message));
      await Promise.all(due.map((message) => deliver(deps, message)));
      if (due.length > 0) continue;
      if (clock.now() >= nextCall) {
        if (await isOver()) return;
        await call(request, new InvocationContext());
        await timer();
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
