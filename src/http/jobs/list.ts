import type { HttpResponseInit } from "@azure/functions";
import type { Deps } from "../../shared/deps.ts";
import type { JobPage } from "../../shared/store/jobs.ts";
import { activePage } from "../lib/active-jobs.ts";
import { faulty, handler, json, refuse } from "../lib/reply.ts";
import { hasTag, readFilter, type Asked } from "./filter.ts";
import { contentTypes, csvHead, csvRow, ndjsonRow } from "./formats.ts";
import { readRows, writeRows } from "./paging.ts";

/** `GET /api/jobs`: newest first, filtered, in pages. */
type JobsDeps = Pick<Deps, "log" | "now" | "settings" | "jobs">;

export function jobs(deps: JobsDeps) {
  return handler(deps.log, async (request, context) => {
    const asked = readFilter(request.query, deps.settings, deps.now());
    if (!asked.ok) return refuse(asked.error, context);
    const list = asked.value.active ? activePage : rowsPage;
    const page = await list(deps.jobs, asked.value);
    return page === "no such page" ? refuse(noSuchPage, context) : shaped(page, asked.value.format);
  });
}

async function rowsPage(
  jobs: Deps["jobs"],
  { filter, tag, top, continuation }: Asked,
): Promise<JobPage | "no such page"> {
  const token = continuation === undefined ? undefined : readRows(continuation);
  if (continuation !== undefined && token === undefined) return "no such page";
  const page = await jobs.list(filter, top, token);
  if (page === "no such page") return page;
  return {
    ...page,
    rows: page.rows.filter((row) => tag === undefined || hasTag(row, tag)),
    continuation: page.continuation && writeRows(page.continuation),
  };
}

const noSuchPage = faulty("continuation", "must be what the page before gave, unchanged, for the same state");

function shaped({ rows, skipped, continuation }: JobPage, format: Asked["format"]): HttpResponseInit {
  const next = continuation === undefined ? {} : { continuation };
  const header: Record<string, string> = continuation === undefined ? {} : { "x-continuation": continuation };
  switch (format) {
    case "json":
      return json(200, { jobs: rows, ...(skipped > 0 ? { skipped } : {}), ...next });
    case "ndjson":
    case "csv": {
      const lines = format === "csv" ? [csvHead, ...rows.map(csvRow)] : rows.map(ndjsonRow);
      return { status: 200, body: lines.join(""), headers: { "content-type": contentTypes[format], ...header } };
    }
  }
}
