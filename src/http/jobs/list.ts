import { hasTag } from "../../shared/store/active-jobs.ts";
import { Unavailable } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import type { JobPage } from "../../shared/store/jobs.ts";
import { activePage } from "../lib/active-jobs.ts";
import { VisibleJobs } from "../lib/visible.ts";
import { noConnections, streamOf } from "../lib/connections.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import { readList, withTemplate, type Asked } from "./filter.ts";
import { contentTypes, csvHead, csvRow, ndjsonRow } from "./formats.ts";
import { noSuchPage, PageEnds, readRows } from "./paging.ts";

/** `GET /api/jobs`: newest first, filtered, in pages. */
type JobsDeps = Pick<Deps, "log" | "now" | "settings" | "jobs" | "templates" | "control" | "randomBytes">;

export function jobs(deps: JobsDeps, connections = noConnections) {
  return handler(deps.log, async (request, context) => {
    const read = readList(request.query, deps.settings, deps.now());
    if (!read.ok) return refuse(read.error, context);
    const { array, format, all } = read.value;
    const wanted = await withTemplate(read.value.filter, deps.templates);
    const filter = await new VisibleJobs(deps.jobs, context).within(wanted, array);
    const asked = { ...read.value, filter: filter === "nothing" ? wanted : filter };
    const ends = await PageEnds.of(deps, array);
    const first =
      filter === "nothing" ? emptyPage : await pageOf(deps.jobs, ends, all ? { ...asked, top: largestPage } : asked);
    if (first === "no such page") return refuse(noSuchPage(", for the same state"), context);
    if (format === "json") return json(200, pageReply(first));
    const headers = { "content-type": contentTypes[format], "cache-control": "no-store" };
    // The first page is read before the answer begins: what fails by then is a 503, and not a stream that breaks off.
    if (all) {
      const texts = everyPage(deps.jobs, ends, asked, format, first);
      return { status: 200, headers, body: streamOf(texts, connections(context.invocationId)) };
    }
    const { continuation } = first;
    return {
      status: 200,
      headers: continuation === undefined ? headers : { ...headers, "x-continuation": continuation },
      body: head(format) + linesOf(first, format),
    };
  });
}

const largestPage = 1000;
const emptyPage: JobPage = { rows: [], skipped: 0, continuation: undefined };

function pageReply({ rows, skipped, continuation }: JobPage): object {
  return {
    jobs: rows,
    ...(skipped > 0 ? { skipped } : {}),
    ...(continuation === undefined ? {} : { continuation }),
  };
}

type Lines = keyof typeof contentTypes;

const head = (format: Lines): string => (format === "csv" ? csvHead : "");

function linesOf({ rows }: JobPage, format: Lines): string {
  return rows.map(format === "csv" ? csvRow : ndjsonRow).join("");
}

/** A page at a time, as fast as it is taken. One that can't be read breaks the stream off, so that nobody takes a part for the whole. */
async function* everyPage(
  jobs: Deps["jobs"],
  ends: PageEnds,
  asked: Asked,
  format: Lines,
  first: JobPage,
): AsyncGenerator<string> {
  yield head(format) + linesOf(first, format);
  let { continuation } = first;
  while (continuation !== undefined) {
    const page = await pageOf(jobs, ends, { ...asked, top: largestPage, continuation });
    if (page === "no such page") throw new Unavailable("storage", "The next page is not there.");
    yield linesOf(page, format);
    ({ continuation } = page);
  }
}

async function pageOf(jobs: Deps["jobs"], ends: PageEnds, asked: Asked): Promise<JobPage | "no such page"> {
  const from = asked.continuation === undefined ? undefined : ends.open(asked.continuation);
  if (asked.continuation !== undefined && from === undefined) return "no such page";
  const page = await (asked.active ? activePage : rowsPage)(jobs, { ...asked, continuation: from });
  return page === "no such page" ? page : { ...page, continuation: page.continuation && ends.seal(page.continuation) };
}

async function rowsPage(
  jobs: Deps["jobs"],
  { filter, tag, top, continuation }: Asked,
): Promise<JobPage | "no such page"> {
  const token = continuation === undefined ? undefined : readRows(continuation);
  if (continuation !== undefined && token === undefined) return "no such page";
  const page = await jobs.list(filter, top, token);
  return page === "no such page"
    ? page
    : { ...page, rows: page.rows.filter((row) => tag === undefined || hasTag(row, tag)) };
}
