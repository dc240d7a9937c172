/** What an open page costs: the page in a real browser, in front of the real calls, whose reads of storage are counted. */
import { randomUUID } from "node:crypto";
import { HttpRequest, InvocationContext, type HttpHandler, type HttpResponseInit } from "@azure/functions";
import type { Page, Request, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caller } from "../../src/http/caller.ts";
import { healthDetails } from "../../src/http/health.ts";
import { jobs } from "../../src/http/jobs/list.ts";
import { job } from "../../src/http/jobs/record.ts";
import { summary } from "../../src/http/jobs/summary.ts";
import type { Connections } from "../../src/http/lib/connections.ts";
import { logs } from "../../src/http/logs.ts";
import { listGroups } from "../../src/http/operate/groups.ts";
import { getTemplate, listTemplates } from "../../src/http/operate/templates.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import { noBrowser, openTab, type Tab } from "../kit/page/browser.ts";
import { servePage, type Answering } from "../kit/page/service.ts";
import type { ProxiedCall } from "../kit/proxy.ts";
import { isWanted } from "../kit/wanted.ts";
import { followAll, postArray } from "./arrays-kit.ts";
import { countedCalls, follow, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";
import { nightly, put } from "./templates-kit.ts";

if (!isWanted(noBrowser)) it.skip(`what an open page costs: skipped, because ${noBrowser}`);

/** Reads of storage that an open page may make in a minute, where no row changes. */
const maxReads = 6;

describe.runIf(isWanted(noBrowser))("an open page", () => {
  useAzurite();
  let tab: Tab;
  beforeAll(async () => (tab = await openTab()), 60_000);
  afterAll(() => tab.close());

  it(
    "costs at most 6 storage reads a minute on every view, once it is open, and nothing in a hidden tab",
    { timeout: 600_000 },
    async () => {
      const bench = await openBench({}, countedCalls);
      const ended = await post(bench.deps, yaml("ended", { seconds: 5 }));
      await follow(bench, ended.id);
      const running = await post(bench.deps, yaml("running", { seconds: 86_000 }), "group=of-one");
      await follow(bench, running.id, ({ phase }) => phase.state === "Running");
      const waiting = await post(bench.deps, yaml("waiting"));
      for (const group of ["a", "b", "c"]) await bench.deps.groups.steer(group, { limit: 1 });
      for (const tag of ["1", "2"]) await put(bench, "nightly", nightly("", tag));
      const array = await postArray(bench, { size: 50, name: "array", parallelism: 2 });
      const isMade = async (): Promise<boolean> => ((await jobOf(bench.deps, array)).array?.made ?? 0) > 0;
      await followAll(bench, isMade);
      const service = new CountedService(bench, tab.page);
      const measured: Record<string, number> = {};
      const views = [
        ["Overview", "#/", 16],
        ["Jobs", "#/jobs", 2],
        ["a job that has ended", `#/job/${ended.id}`, 2],
        ["a job that waits", `#/job/${waiting.id}`, 2],
        ["a job that runs, its log followed", `#/job/${running.id}`, 4],
        ["an array that runs", `#/job/${array}`, 2],
        ["Templates", "#/templates", 2],
        ["two versions of a template", "#/template/nightly?version=2&against=1", 2],
        ["four groups", "#/groups", 3],
      ] as const;
      for (const [name, view, minutes] of views) {
        const page = await tab.open(service, { view });
        await service.quiet();
        await service.pass(page, minute);
        const before = service.reads;
        await service.pass(page, minutes * minute);
        measured[name] = (service.reads - before) / minutes;
        await page.evaluate(
          'Object.defineProperty(document, "hidden", { value: true, configurable: true }); document.dispatchEvent(new Event("visibilitychange")); 0',
        );
        await service.pass(page, 10 * second);
        const hidden = service.reads;
        await service.pass(page, minute);
        expect(service.reads - hidden, `${name}, hidden`).toBe(0);
      }
      expect(Object.entries(measured).filter(([, reads]) => reads > maxReads)).toEqual([]);
      expect(measured["a job that has ended"]).toBe(0);
      expect(measured["four groups"]).toBe(6);
    },
  );
});

/** The real calls, with both clocks in the test's hands: the service's and the page's. */
class CountedService implements Answering {
  readonly #bench: Bench;
  readonly #routes: readonly (readonly [pattern: RegExp, handler: HttpHandler])[];
  /** Calls that were not answered whole yet, and how many of them follow a log. */
  #open = 0;
  #following = 0;
  /** Requests that the page took back. */
  readonly #takenBack = new WeakSet<Request>();
  readonly #requests = new Map<string, Request>();

  constructor(bench: Bench, page: Page) {
    this.#bench = bench;
    page.on("requestfailed", (request) => this.#takenBack.add(request));
    const connections: Connections = (id) => ({
      gone: () => {
        const request = this.#requests.get(id);
        return request !== undefined && this.#takenBack.has(request);
      },
      drained: () => Promise.resolve(),
      cut: () => undefined,
    });
    const sleep = (time: number): Promise<void> =>
      new Promise((resolve) => void bench.clock.at(bench.clock.now() + time, () => resolve()));
    const deps = { ...bench.deps, sleep };
    this.#routes = [
      [/^caller$/, caller(deps)],
      [/^jobs$/, jobs(deps)],
      [/^jobs\/summary$/, summary(deps)],
      [/^jobs\/(?<id>[^/]+)$/, job(deps)],
      [/^health\/details$/, healthDetails(deps)],
      [/^templates$/, listTemplates(deps)],
      [/^templates\/(?<name>[^/]+)$/, getTemplate(deps)],
      [/^groups$/, listGroups(deps)],
      [/^logs\/(?<idOrName>[^/]+)\/(?<container>[^/]+)$/, logs(deps, connections)],
    ];
  }

  /** Of storage, so far. Draws on the budget of Azure's limits, which all callers of an instance share, are left out. */
  get reads(): number {
    const isRead = ({ method, url }: ProxiedCall): boolean =>
      (method === "GET" || method === "HEAD") && !url.pathname.includes("PartitionKey='budget'");
    return this.#bench.calls().filter(isRead).length;
  }

  async answer(route: Route): Promise<void> {
    const url = new URL(route.request().url());
    if (url.pathname === "/api/dashboard") return servePage(route);
    if (url.pathname === "/nothing") return route.fulfill({ status: 200, contentType: "text/html", body: "" });
    const isFollowing = url.searchParams.has("follow");
    this.#open++;
    if (isFollowing) this.#following++;
    try {
      const { status = 200, headers, body } = await this.#call(url, route.request());
      const text = await new Response(body as ConstructorParameters<typeof Response>[0]).text(); // our own reply
      await route.fulfill({
        status,
        contentType: new Headers(headers).get("content-type") ?? "",
        body: text,
      });
    } catch {
      await route.abort().catch(() => undefined); // the page has gone on to another view
    } finally {
      this.#open--;
      if (isFollowing) this.#following--;
    }
  }

  async #call(url: URL, from: Request): Promise<HttpResponseInit> {
    const path = url.pathname.replace("/api/", "");
    for (const [pattern, handler] of this.#routes) {
      const found = pattern.exec(path);
      if (found === null) continue;
      const query = Object.fromEntries(url.searchParams);
      const request = new HttpRequest({ method: "GET", url: url.href, query, params: { ...found.groups } });
      const context = new InvocationContext({ invocationId: randomUUID() });
      this.#requests.set(context.invocationId, from);
      return handler(request, context);
    }
    throw new Error(`There is no call ${path}.`);
  }

  /** Until nothing is under way but logs that are followed. */
  async quiet(): Promise<void> {
    for (let idle = 0, calls = -1; idle < 3;) {
      await new Promise((resolve) => setTimeout(resolve, 4));
      const now = this.#bench.calls().length;
      idle = this.#open === this.#following && now === calls ? idle + 1 : 0;
      calls = now;
    }
  }

  /** Two seconds at a time, as often as a follower looks. */
  async pass(page: Page, time: number): Promise<void> {
    const step = 2 * second;
    for (let passed = 0; passed < time; passed += step) {
      this.#bench.clock.advance(step);
      await page.clock.runFor(step);
      await this.quiet();
    }
  }
}
