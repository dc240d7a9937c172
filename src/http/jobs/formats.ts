import { listedColumns } from "../../shared/store/job-row.ts";
import type { JobColumns } from "../../shared/store/job-filter.ts";
import { csvLine } from "../lib/csv.ts";

/** Rows of the list as lines of text. */

export const contentTypes = { csv: "text/csv; charset=utf-8", ndjson: "application/x-ndjson" } as const;

/** All columns always, so that pages and nightly exports can be put together. */
export const csvHead = csvLine(listedColumns);

export function csvRow(row: JobColumns): string {
  return csvLine(listedColumns.map((column) => row[column]));
}

export function ndjsonRow(row: JobColumns): string {
  return `${JSON.stringify(row)}\n`;
}
