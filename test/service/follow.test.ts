/** `GET /api/logs?follow=true` over real connections, with time and each pause of a follower in the test's hands. */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { ReadableStream } from "node:stream/web";
import { HttpRequest, InvocationContext, type HttpHandler } from "@azure/functions";
import { expect, it, vi } from "vitest";
import { second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { isMark } from "../../src/shared/store/log-merge.ts";
import { watchConnections } from "../../src/http/lib/connections.ts";
import { logs } from "../../src/http/logs.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import type { Gate } from "../kit/proxy.ts";
import { serve } from "../kit/serve.ts";
import { until } from "../kit/until.ts";
import { countedCalls, countersOf, follow, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

vi.setConfig({ testTimeout: 60_000 });
useAzurite();

const connections = watchConnections();

interface Follower {
  text(): string;
  readonly ended: Promise<void>;
  hangUp(): void;
}

/** The call behind a server that answers as the Functions library does, for followers of one job. */
class Followers {
  readonly #bench: Bench;
  readonly #id: JobId;
  readonly #url: string;
  /** Followers that pause. */
  sleepers: (() => void)[] = [];
  /** Connections that are closed, and calls that are over. */
  closed = 0;
  over = 0;

  private constructor(bench: Bench, id: JobId, url: string) {
    this.#bench = bench;
    this.#id = id;
    this.#url = url;
  }

  static async of(bench: Bench, id: JobId): Promise<Followers> {
    const sleep = (): Promise<void> => new Promise((resolve) => void followers.sleepers.push(resolve));
    const handler = logs({ ...bench.deps, sleep }, connections);
    const port = await serve((request, response) => {
      response.once("close", () => followers.closed++);
      const { searchParams } = new URL(request.url ?? "/", "http://localhost");
      const invocationId = String(request.headers["x-ms-invocation-id"]);
      void answer(handler, id, searchParams, invocationId, response).finally(() => followers.over++);
    });
    const followers = new Followers(bench, id, `http://127.0.0.1:${port}/`);
    return followers;
  }

  async open(query = ""): Promise<Follower> {
    const caller = new AbortController();
    const headers = { "x-ms-invocation-id": randomUUID() };
    const reply = await fetch(`${this.#url}?follow=true&${query}`, { headers, signal: caller.signal });
    let text = "";
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder();
      const chunks = reply.body as ReadableStream<Uint8Array> | null; // fetch's own type
      for await (const chunk of chunks ?? []) text += decoder.decode(chunk, { stream: true });
    };
    return {
      text: () => text,
      ended: read().catch(() => undefined),
      hangUp: () => caller.abort(),
    };
  }

  /** Two seconds pass; then all followers go on. */
  async goOn(count: number, before: () => void = () => undefined): Promise<void> {
    const { deps, clock } = this.#bench;
    await this.paused(count);
    clock.advance(2 * second);
    const { lookAt } = await jobOf(deps, this.#id);
    if (lookAt <= clock.now()) await reconcile(deps, this.#id, { at: lookAt });
    before();
    const sleepers = this.sleepers;
    this.sleepers = [];
    for (const wake of sleepers) wake();
  }

  async paused(count: number): Promise<void> {
    await until("a pause of all followers", () => (this.sleepers.length === count ? true : undefined));
  }
}

async function answer(
  handler: HttpHandler,
  id: JobId,
  query: URLSearchParams,
  invocationId: string,
  response: ServerResponse,
): Promise<void> {
  const params = { idOrName: id, container: "app" };
  const request = new HttpRequest({
    method: "GET",
    url: "http://localhost/",
    query: Object.fromEntries(query),
    params,
  });
  const reply = await handler(request, new InvocationContext({ invocationId }));
  const { body } = reply as { body: ReadableStream<Uint8Array> }; // what a follower gets
  response.flushHeaders();
  for await (const chunk of body.values()) response.write(chunk);
  response.end();
}

const writing = "          - {name: SIM_LINES_PER_SECOND, value: '6'}\n";
const numbersIn = (text: string): number[] => [...text.matchAll(/^line (\d+) /gm)].map(([, number]) => Number(number));
const upTo = (end: number): number[] => Array.from({ length: end }, (_, n) => n);

it("five who follow one log share a reader, and one whose caller hangs up reads nothing more", async () => {
  const bench = await openBench({}, countedCalls);
  const { id } = await post(bench.deps, yaml("shared", { seconds: 3600, output: "", more: writing }));
  await follow(bench, id, ({ phase }) => phase.state === "Running");
  const followers = await Followers.of(bench, id);
  const reads = (): number => countersOf(bench).calls["logs"] ?? 0;
  const before = reads();
  const all = await Promise.all(upTo(5).map(() => followers.open()));
  await followers.paused(5);
  expect(reads() - before).toBe(1);
  for (let rounds = 0; rounds < 4; rounds++) {
    // The job's own observations read logs as well.
    let own = 0;
    await followers.goOn(5, () => (own = reads()));
    await followers.paused(5);
    expect(reads() - own).toBeLessThanOrEqual(1);
  }
  const seen = await until("the lines of all", () => {
    const numbers = all.map((each) => numbersIn(each.text()));
    return numbers.every(({ length }) => length > 30) ? numbers : undefined;
  });
  for (const numbers of seen) expect(numbers).toEqual(upTo(numbers.length));

  for (const each of all) each.hangUp();
  await until("the end of the connections", () => (followers.closed === 5 ? true : undefined));
  await followers.paused(5);
  const [arm, storage] = [reads(), bench.calls().length];
  bench.clock.advance(5 * second);
  for (const wake of followers.sleepers.splice(0)) wake();
  await until("the end of the calls", () => (followers.over === 5 ? true : undefined));
  expect([reads(), bench.calls().length]).toEqual([arm, storage]);
});

it("who follows sees each line once, also after reads that failed, and goes on into the next attempt", async () => {
  const fails = { now: false };
  const gate: Gate = { before: ({ service }) => (service === "blob" && fails.now ? 503 : "pass") };
  const bench = await openBench({}, gate);
  const text = yaml("twice", { seconds: 20, exitCode: 3, output: "", more: writing });
  const { id } = await post(bench.deps, text, "retries=1");
  await follow(bench, id, ({ phase }) => phase.state === "Running");
  const followers = await Followers.of(bench, id);
  const follower = await followers.open();
  const trouble = [
    // Container Instances has no log now; storage neither.
    () => void bench.aci.faults.add({ match: { kind: "logs" }, effect: status503, probability: 1, count: 1 }),
    () => (fails.now = true),
  ];
  for (let rounds = 0; rounds < 200; rounds++) {
    const next = await until("a pause or the end", () =>
      followers.over > 0 ? "end" : followers.sleepers.length > 0 ? "pause" : undefined,
    );
    fails.now = false;
    if (next === "end") break;
    await followers.goOn(1, () => {
      if (rounds % 3 === 1) trouble[rounds % 2]?.();
    });
  }
  await follower.ended;
  const lines = follower.text().split("\n").slice(0, -1);
  const marks = lines.filter(isMark);
  expect(marks).toEqual(["[aci-proxy] Attempt 1 ended: ExitCode (app exit 3). Attempt 2 follows."]);
  const [first = [], next = []] = follower
    .text()
    .split(marks[0] ?? "?")
    .map(numbersIn);
  expect(first).toEqual(upTo(120));
  expect(next).toEqual(upTo(120));
  expect(hasEnded((await jobOf(bench.deps, id)).phase)).toBe(true);
});

const status503 = { type: "status", status: 503 } as const;
