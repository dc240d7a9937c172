import { defaultTeam } from "../config/teams.ts";
import type { JobId } from "../base/ids.ts";
import { afterDays, childRows, dayPartition, itemRows } from "./job-row.ts";

/** An array whose children are meant. */
interface ArrayFilter {
  readonly id: JobId;
  /** Where its children have their rows. */
  readonly partition: string;
  /** The lowest index that is meant. */
  readonly from?: number;
  /** Its items are meant, where its children are packs. */
  readonly items?: boolean;
  /** Those alone whose finished group stays for a while. */
  readonly kept?: boolean;
}

/**
 * Which rows of the table `jobs` are meant, as the service's own filter and as what is left to compare here: those of days, where an
 * array is one job, or the children of one array.
 */
export interface JobFilter {
  readonly states: readonly string[] | undefined;
  readonly name: string | undefined;
  /** Columns and the values that they must have. A column that no row has matches no row. */
  readonly columns: Readonly<Record<string, string>>;
  /** Of these teams only. */
  readonly teams?: readonly string[] | undefined;
  readonly array?: ArrayFilter | undefined;
  /** Created at or after, and before; milliseconds since 1970. */
  readonly since: number | undefined;
  readonly until: number | undefined;
}

/** A row as a list shows it: the documented columns alone. */
export type JobColumns = Readonly<Record<string, unknown>>;

export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export function filterOf({ states, name, columns, teams, since, until, array }: JobFilter): string {
  // Children of arrays are no jobs of a day.
  const parts =
    array === undefined
      ? [`PartitionKey lt ${quoted(afterDays)}`]
      : [array.items ? itemRows(array.partition, array.from) : childRows(array)];
  // Later days have smaller keys.
  const day = (compared: string, at: number): string[] =>
    array === undefined ? [`PartitionKey ${compared} ${quoted(dayPartition(at))}`] : [];
  if (until !== undefined) parts.push(...day("ge", until), `createdAt lt datetime'${new Date(until).toISOString()}'`);
  if (since !== undefined) parts.push(...day("le", since), `createdAt ge datetime'${new Date(since).toISOString()}'`);
  if (array?.kept) parts.push("groupDeleted eq false", "keptUntil ge datetime'1970-01-01T00:00:00Z'");
  if (states !== undefined) parts.push(`(${states.map((state) => `state eq ${quoted(state)}`).join(" or ")})`);
  if (name !== undefined) parts.push(`nameKey eq ${quoted(name.toLowerCase())}`);
  // What a row without a team answers to a comparison differs from storage to storage: who sees `default` is compared here.
  const compared = teams === undefined || teams.includes(defaultTeam) || teams.length > maxTeams ? [] : teams;
  if (compared.length > 0) parts.push(`(${compared.map((team) => `team eq ${quoted(team)}`).join(" or ")})`);
  const more = [states ?? [], compared].map(({ length }) => Math.max(0, length - 1));
  const left = maxComparisons - parts.length - (array === undefined ? 0 : 2) - (more[0] ?? 0) - (more[1] ?? 0);
  const own = Object.entries(columns).filter(([column, value]) => column !== "team" || value !== defaultTeam);
  let length = 0;
  for (const [column, value] of own.slice(0, left)) {
    const part = `${column} eq ${quoted(value)}`;
    length += Buffer.byteLength(part);
    if (length <= maxColumnsLength) parts.push(part);
  }
  return parts.join(" and ");
}

/** As many as the service takes in one filter ("Querying tables and entities"); what is left over is compared here. */
const maxComparisons = 15;
/** Bytes of all comparisons of columns: a filter stands in the address of a request, where each byte may take three. */
const maxColumnsLength = 2048;
/** A caller is in few teams; of one that is in more the rows are compared here. */
const maxTeams = 3;

/** Whether a row, or an index entry, has these values in its columns. */
export function hasColumns(row: JobColumns, columns: JobFilter["columns"]): boolean {
  return Object.entries(columns).every(([column, value]) => (column === "team" ? teamIn(row) : row[column]) === value);
}

type OfTeam = JobColumns | { readonly team?: string | undefined };

/** A row of a job from before there were teams belongs to `default`. */
export function teamIn({ team }: OfTeam): string {
  return typeof team === "string" ? team : defaultTeam;
}

export function isOfTeams(row: OfTeam, teams: JobFilter["teams"]): boolean {
  return teams?.includes(teamIn(row)) !== false;
}

export function withFilter(filter: string): { filter?: string } {
  return filter === "" ? {} : { filter };
}
