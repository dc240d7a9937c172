import type { JobColumns } from "./job-filter.ts";
import { listedColumns, resultColumns } from "./job-row.ts";

const isJson = new Set<string>(["tags", "stopping", "array"]);

/** A row, or an entry of the index, as lists show it. A column that was asked for and that a row has not may come as null. */
export function shown(row: Readonly<Record<string, unknown>>): JobColumns {
  return Object.fromEntries(
    [...listedColumns, ...resultColumns]
      .filter((name) => row[name] !== undefined && row[name] !== null)
      .map((name) => [name, shownValue(name, row[name])]),
  );
}

/** A cell that was edited by hand is shown as it is. */
function shownValue(name: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (!isJson.has(name)) return value;
  try {
    return JSON.parse(String(value));
  } catch {
    return value;
  }
}
