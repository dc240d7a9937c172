import { terminalStates } from "../../../src/shared/job/job.ts";
import type { Reply } from "../../../src/http/openapi/replies.ts";
import { recordOf, rowOf, type JobRecord, type JobRow } from "./data.ts";

/** Invented arrays for the page's tests and screenshots. */
export interface Invented {
  readonly row: JobRow;
  readonly record: JobRecord;
  /** The page of results that begins at an index, as the service gives it. */
  results(from: number, top: number): Reply<"Results">;
  /** The child with that id. */
  child(id: string): JobRow | undefined;
}

const states: Readonly<Record<string, string>> = {
  ...Object.fromEntries(terminalStates.map((state) => [state === "Stopped" ? "O" : state.charAt(0), state])),
  A: "Running",
};

/** @param ends a letter for each index, as the record has them */
export function inventedArray(name: string, createdAt: number, ends: string, more: Partial<JobRow> = {}): Invented {
  const count = (letter: string): number => ends.split(letter).length - 1;
  const counts = {
    size: ends.length,
    runs: ends.length - count("-"),
    succeeded: count("S"),
    failed: count("F"),
    stopped: count("O"),
    timedOut: count("T"),
    canceled: count("C"),
  };
  const row = rowOf(name, createdAt, 600, { array: counts, ...more });
  const idOf = (index: number): string => `${row.id.slice(0, 24)}${String(index).padStart(12, "0")}`;
  const outcome = (index: number) => {
    const letter = ends[index] ?? ".";
    const failure = letter === "F" ? ({ reason: "NonZeroExit", exitCode: 1 } as const) : {};
    return { index, state: states[letter] ?? "Unknown", ...failure };
  };
  const failures = Array.from(ends).flatMap((letter, index) => {
    const {
      state,
      reason = "CanceledByCaller",
      exitCode,
    } = { reason: undefined, exitCode: undefined, ...outcome(index) };
    return "FTOC".includes(letter) ? [{ index, state, reason, ...(exitCode === undefined ? {} : { exitCode }) }] : [];
  });
  const record = recordOf(row, {
    containers: {},
    events: [],
    array: { ...counts, active: count("A"), parallelism: 100, failures: failures.slice(0, 20), ends },
  });
  return {
    row,
    record,
    results: (from, top) => ({
      ...{ id: row.id, name, state: row.state, size: ends.length },
      results: Array.from(ends)
        .flatMap((letter, index) => (index < from || ".-".includes(letter) ? [] : [index]))
        .slice(0, top)
        .map((index) => ({ ...outcome(index), id: idOf(index), item: { region: `region-${index}` } })),
    }),
    child: (id) => {
      const index = Number(id.slice(24));
      if (id.slice(0, 24) !== row.id.slice(0, 24) || idOf(index) !== id) return undefined;
      const { state, ...end } = { ...outcome(index) };
      const child = rowOf(name, createdAt, 60, { groupName: `${name}-${index}`, arrayId: row.id, arrayIndex: index });
      return { ...child, id, state, queueSeconds: index, ...end };
    },
  };
}

/** The array with that id, or the child of one. */
export function rowIn(arrays: readonly Invented[], id: string): JobRow | undefined {
  return arrays.map((each) => (each.row.id === id ? each.row : each.child(id))).find((row) => row !== undefined);
}

/** What `GET /api/jobs/{id}/results` answers. */
export function resultsIn(arrays: readonly Invented[], id: string, query: URLSearchParams): object {
  const [from, top] = [Number(query.get("from") ?? 0), Number(query.get("top") ?? 100)];
  return arrays.find(({ row }) => row.id === id)?.results(from, top) ?? {};
}
