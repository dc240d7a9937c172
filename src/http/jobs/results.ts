import { defined } from "../../shared/base/defined.ts";
import { err, ok, Unavailable, type Result } from "../../shared/base/errors.ts";
import { parseJobId } from "../../shared/base/ids.ts";
import type { Settings } from "../../shared/config/settings.ts";
import type { Deps } from "../../shared/deps.ts";
import { activeStates, stateWord, type Job } from "../../shared/job/job.ts";
import type { Item } from "../../shared/definition/index.ts";
import { shownItems, type OpenDeps } from "../../shared/security/opened-definition.ts";
import { childColumns, childResult, childrenOf, eachOnce, type ChildResult } from "../../shared/store/array-results.ts";
import { oneOf, readQuery, whole } from "../lib/query.ts";
import { noConnections, streamOf } from "../lib/connections.ts";
import { faulty, handler, json, refuse } from "../lib/reply.ts";
import { VisibleJobs } from "../lib/visible.ts";
import type { Reply } from "../openapi/replies.ts";
import { filterParameters, listParameters } from "./filter.ts";
import { contentTypes } from "./formats.ts";
import { noSuchPage, PageEnds, readRows } from "./paging.ts";

/** `GET /api/jobs/{id}/results`: what came of each index of an array, in pages, or all of them as lines. */
type ResultsDeps = OpenDeps & Pick<Deps, "log" | "now" | "settings" | "jobs" | "attempts" | "control" | "randomBytes">;

const { state, top, continuation } = { ...filterParameters, ...listParameters };
export const resultsParameters = {
  state,
  from: whole(0, 9999, "Only this index and later ones."),
  top,
  continuation,
  format: oneOf(["json", "ndjson"], "Default JSON; NDJSON has all of them, a line each."),
};

export function results(deps: ResultsDeps, connections = noConnections) {
  return handler(deps.log, async (request, context) => {
    const read = readResults(request.query, deps.settings, deps.now());
    if (!read.ok) return refuse(read.error, context);
    const asked = read.value;
    const id = parseJobId(request.params["id"] ?? "");
    const stored = id && (await new VisibleJobs(deps.jobs, context).peek(id));
    if (!stored) return refuse({ code: "JobNotFound", message: "No job of that id is known." }, context);
    const { job } = stored;
    if (job.array === undefined)
      return refuse({ code: "JobNotFound", message: "The job is no array: its status has its result." }, context);
    const array = { job, ends: await PageEnds.of(deps, job.id), items: await shownItems(deps, job) };
    const first = await pageOf(deps, array, asked);
    if (first === "no such page") return refuse(noSuchPage(", for the same query"), context);
    if (asked.format === "ndjson") {
      const body = streamOf(everyPage(deps, array, asked, first), connections(context.invocationId));
      return { status: 200, headers: { "content-type": contentTypes.ndjson, "cache-control": "no-store" }, body };
    }
    const { name, phase } = job;
    const reply: Reply<"Results"> = { id, name, state: stateWord(phase), size: job.array.size, ...first };
    return json(200, reply);
  });
}

interface Asked {
  readonly states: readonly string[] | undefined;
  readonly from: number | undefined;
  readonly top: number;
  readonly continuation: string | undefined;
  readonly format: "json" | "ndjson";
}

function readResults(
  query: URLSearchParams,
  settings: Pick<Settings, "gatewayParameters">,
  now: number,
): Result<Asked> {
  const asked = readQuery(query, resultsParameters, settings, now);
  if (!asked.ok) return asked;
  const { state: wanted, from, top: most, continuation: after, format = "json" } = asked.value;
  const isWhole = format === "ndjson";
  if (isWhole && most !== undefined) return err(faulty("top", "must not go with format=ndjson, which has all"));
  if (isWhole && after !== undefined)
    return err(faulty("continuation", "must not go with format=ndjson, which has all"));
  const states = wanted === "active" ? activeStates : wanted;
  return ok({ states, from, top: most ?? (isWhole ? largestPage : 100), continuation: after, format });
}

const largestPage = 1000;

interface Page {
  readonly results: (ChildResult & { item?: Item })[];
  readonly continuation?: string;
}

/** What all pages have in common. */
interface OfArray {
  readonly job: Job;
  readonly ends: PageEnds;
  readonly items: readonly Item[];
}

async function pageOf(
  { jobs, attempts }: ResultsDeps,
  { job, ends, items }: OfArray,
  asked: Asked,
): Promise<Page | "no such page"> {
  const end = asked.continuation === undefined ? undefined : readEnd(ends.open(asked.continuation) ?? "");
  if (asked.continuation !== undefined && end === undefined) return "no such page";
  const { from = asked.from, rows } = end ?? {};
  const page = await jobs.list(childrenOf(job, { ...asked, from }), asked.top, rows, childColumns);
  if (page === "no such page") return page;
  const read: (ChildResult & { item?: Item })[] = [];
  const once = eachOnce(attempts);
  let left = maxPageBytes;
  for (const row of page.rows) {
    const result = await childResult(once, row);
    if (result === undefined) continue;
    const shown = { ...result, ...defined({ item: items[result.index] }) };
    left -= Buffer.byteLength(JSON.stringify(shown));
    if (left < 0 && read.length > 0) return { results: read, continuation: ends.seal(`${result.index} `) };
    read.push(shown);
  }
  const { continuation } = page;
  return {
    results: read,
    ...(continuation === undefined ? {} : { continuation: ends.seal(`${from ?? 0} ${continuation}`) }),
  };
}

/** Results may be of 256 KiB each: what a page has of them is bounded by their size too. */
const maxPageBytes = 2 * 1024 * 1024;

/** Where a page ended: the lowest index that the next one has, and within those the table client's token. */
function readEnd(end: string): { readonly from: number; readonly rows: string | undefined } | undefined {
  const [, from, token = ""] = /^(\d{1,5}) (.*)$/.exec(end) ?? [];
  if (from === undefined) return undefined;
  const rows = token === "" ? undefined : readRows(token);
  return token !== "" && rows === undefined ? undefined : { from: Number(from), rows };
}

/** One that can't be read breaks the stream off, so that nobody takes a part for the whole. */
async function* everyPage(deps: ResultsDeps, array: OfArray, asked: Asked, first: Page): AsyncGenerator<string> {
  for (let page = first; ;) {
    yield page.results.map((each) => `${JSON.stringify(each)}\n`).join("");
    if (page.continuation === undefined) return;
    const next = await pageOf(deps, array, { ...asked, continuation: page.continuation });
    if (next === "no such page") throw new Unavailable("storage", "The next page is not there.");
    page = next;
  }
}
