import { readFileSync } from "node:fs";
import type { Route } from "playwright-core";
import { parseDuration } from "../../../src/shared/base/duration.ts";
import { Tally } from "../../../src/http/jobs/tally.ts";
import type { Reply } from "../../../src/http/openapi/replies.ts";
import { resultsIn, rowIn, type Invented } from "./arrays.ts";
import { Operated } from "./operated.ts";
import { recordOf, sampleLog, type JobRecord, type JobRow } from "./data.ts";

/** Stands in for the service behind the page: what the browser asks for is answered from lists of invented jobs. */
export const address = "http://page.test/api/dashboard";
export const fullKey = "a-key-of-the-host";
export const readKey = "a-key-that-reads";

/** Whatever answers the page's calls. */
export interface Answering {
  answer(route: Route): Promise<void>;
}

export class PageService implements Answering {
  jobs: readonly JobRow[];
  readonly records = new Map<string, JobRecord>();
  readonly logs = new Map<string, string>();
  readonly operated: Operated;
  readonly arrays: Invented[] = [];
  /** What the host's key allows. */
  may: Reply<"Caller">["may"] = ["read", "submit", "cancel", "steer", "operate"];
  /** Every call so far: method, path and query. */
  readonly calls: string[] = [];
  keys: readonly string[] = [fullKey, readKey];
  isAway = false;
  readonly #now: () => number;

  constructor(jobs: readonly JobRow[], now: () => number = Date.now) {
    this.jobs = jobs;
    this.#now = now;
    this.operated = new Operated(jobs, now());
  }

  addArray(array: Invented): void {
    this.arrays.push(array);
    this.records.set(array.row.id, array.record);
  }

  answer(route: Route): Promise<void> {
    const request = route.request();
    const { pathname, search, searchParams } = new URL(request.url());
    if (pathname === "/api/dashboard") return servePage(route);
    if (pathname === "/nothing") return route.fulfill({ status: 200, contentType: "text/html", body: "" });
    this.calls.push(`${request.method()} ${pathname}${search}`);
    const key = request.headers()["x-functions-key"] ?? "";
    const isReading = pathname.startsWith("/api/read/");
    if (!this.keys.includes(key) || key !== (isReading ? readKey : fullKey)) return route.fulfill({ status: 401 });
    if (this.isAway)
      return reply(route, 503, { message: "Storage can't be reached.", code: "StorageUnavailable", requestId: "r" });
    if (/^\/api\/(?:trigger|templates|groups)\b/.test(pathname)) {
      const answer = this.operated.answer(request, pathname.slice("/api/".length), searchParams);
      return answer === "lost" ? route.abort() : reply(route, ...answer);
    }
    return this.#call(route, request.method(), pathname.replace(/^\/api\/(?:read\/)?/, ""), searchParams);
  }

  #call(route: Route, method: string, path: string, query: URLSearchParams): Promise<void> {
    const [first = "", id = "", last] = path.split("/").map(decodeURIComponent);
    if (path === "caller") return reply(route, 200, this.#caller(route));
    if (path === "jobs") return reply(route, 200, this.#page(query));
    if (path === "jobs/summary") return reply(route, 200, this.#summary(query));
    if (path === "health/details") return reply(route, 200, health(this.#now(), this.jobs));
    const row = this.jobs.find((job) => job.id === id) ?? rowIn(this.arrays, id);
    if (row === undefined)
      return reply(route, 404, { message: "No job of that id is known.", code: "JobNotFound", requestId: "r" });
    if (method === "DELETE")
      return reply(route, 200, {
        message: `Container Group ${row.name} is being deleted`,
        name: row.name,
        state: row.state,
        id,
        groupDeleted: false,
      });
    if (last === "results") return reply(route, 200, resultsIn(this.arrays, id, query));
    if (last === "definition")
      return reply(route, 200, { id, definition: { name: row.name, properties: { secureValue: "***" } } });
    if (last === "rerun")
      return reply(route, 200, {
        message: `Container Group ${row.name} accepted`,
        name: row.name,
        state: "Queued",
        id: this.jobs[0]?.id,
      });
    if (first === "logs")
      return route.fulfill({
        status: 200,
        contentType: "text/plain; charset=utf-8",
        body: this.logs.get(id) ?? sampleLog,
      });
    return reply(route, 200, this.records.get(id) ?? recordOf(row));
  }

  #caller(route: Route): Reply<"Caller"> {
    const isReading = route.request().headers()["x-functions-key"] === readKey;
    return { may: isReading ? ["read"] : this.may };
  }

  #page(query: URLSearchParams): Reply<"JobPage"> {
    const top = Number(query.get("top") ?? 100);
    const from = Number(query.get("continuation") ?? 0);
    const fitting = this.jobs.filter((job) => this.#fits(job, query));
    const end = from + top;
    return { jobs: fitting.slice(from, end), ...(end < fitting.length ? { continuation: String(end) } : {}) };
  }

  #fits(job: JobRow, query: URLSearchParams): boolean {
    const state = query.get("state");
    const since = query.get("since");
    const ago = since === null ? undefined : parseDuration(since);
    const from = since === null ? "" : ago === undefined ? since : new Date(this.#now() - ago).toISOString();
    const { name, reason, pipeline, pipelineRunId: runId, group, template } = job;
    const columns = { name, reason, pipeline, runId, group, template };
    return (
      (state === null || (state === "active" ? job.finishedAt === undefined : state.split(",").includes(job.state))) &&
      job.createdAt >= from &&
      Object.entries(columns).every(([name, value]) => query.get(name) === null || query.get(name) === value)
    );
  }

  #summary(query: URLSearchParams): Reply<"Summary"> {
    const by = query.get("by") === "day" ? "day" : "state";
    const tally = new Tally(by);
    for (const job of this.jobs.filter((each) => this.#fits(each, query)))
      tally.add({ ...job, createdAt: new Date(job.createdAt) });
    const [since, until] = [new Date(0).toISOString(), new Date(this.#now()).toISOString()];
    return { by, generatedAt: until, since, until, rows: [...tally.rows()], currency: "USD", truncated: false };
  }
}

/** As the service sends it: tests of the service hold that. */
export function servePage(route: Route): Promise<void> {
  const file = (name: string): string =>
    readFileSync(new URL(`../../../dist/dashboard/${name}`, import.meta.url), "utf8");
  return route.fulfill({
    status: 200,
    contentType: "text/html; charset=utf-8",
    headers: { "content-security-policy": file("policy.txt") },
    body: file("index.html"),
  });
}

const reply = (route: Route, status: number, body: object): Promise<void> =>
  route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) });

export function health(now: number, jobs: readonly JobRow[]): Reply<"HealthDetails"> {
  const at = new Date(now - 20_000).toISOString();
  return {
    status: "ok",
    version: "0.1.0",
    lastReconcile: at,
    timer: { ok: true, since: at },
    queue: { ok: true, since: at },
    sweep: {},
    index: { ok: true },
    storage: { ok: true, since: at },
    logStorage: null,
    sealKey: { ok: true, since: at },
    eventTopic: null,
    webhook: null,
    vault: null,
    arm: { ok: true, since: at },
    lastArmSuccess: at,
    throttledUntil: null,
    queueLength: 3,
    wakeLength: 5,
    eventsLength: 0,
    poisonLength: 0,
    wakePoisonLength: 0,
    eventsPoisonLength: 0,
    activeJobs: jobs.filter(({ finishedAt }) => finishedAt === undefined).length,
    blockedJobs: 0,
    blocked: {},
    leakedGroups: 0,
    undeliveredNotifications: 0,
    lateNotifications: 0,
    droppedNotifications: 0,
    oldestQueued: at,
    waitingMessages: { count: 0, oldest: null, reasons: {} },
    unreadableRows: 0,
    unreadable: [],
    paused: null,
    faults: [],
  };
}
