import type { TableClient, TableEntity, TransactionAction } from "@azure/data-tables";
import type { PointRead } from "../../src/shared/store/point-read.ts";
import type { Call } from "./scheduler.ts";
import { columnOf, filterOf } from "./filter.ts";
import { SortedMap } from "./sorted-map.ts";

/**
 * The Table service in memory, as far as our stores use it: keys, ETags, create-only, Merge and Replace, transactions that are all or
 * nothing, filters. Every call waits for its turn, so that a crash or another worker may come between any two.
 */
export type Entity = Record<string, unknown> & { readonly partitionKey: string; readonly rowKey: string };
export type Writing = (table: string, before: Entity | undefined, after: Entity | undefined) => void;

export class StatusError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number) {
    super(`status ${statusCode}`);
    this.statusCode = statusCode;
  }
}

/** Entities of a query, and where it goes on. */
interface Page {
  readonly rows: readonly Entity[];
  readonly next: string | undefined;
}

/** Characters of this kind are in no key, so that a partition's keys stand together, and before those that only begin like it. */
const separator = "\0";
const keyOf = (partitionKey: string, rowKey: string): string => `${partitionKey}${separator}${rowKey}`;

export class Table {
  readonly name: string;
  /** Entities with their ETags, in the order in which the service lists them. They are never changed, only replaced. */
  readonly #rows = new SortedMap<Entity>();
  #etags = 0;
  /** Entities that reads have come by so far, also those that a filter then left out. */
  rowsRead = 0;
  /** Called with every write when it is done. */
  readonly #writing: Writing;

  constructor(name: string, writing: Writing) {
    this.name = name;
    this.#writing = writing;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(partitionKey: string, rowKey: string): Entity | undefined {
    this.rowsRead++;
    return this.#rows.get(keyOf(partitionKey, rowKey));
  }

  *all(): Generator<Entity> {
    for (const [, row] of this.#rows.from()) yield row;
  }

  /** @param from the `next` of the page before */
  page(filter: string, top: number, from: string | undefined): Page {
    const matches = filter === "" ? () => true : filterOf(filter);
    const { first, end } = boundsOf(filter);
    const rows: Entity[] = [];
    for (const [key, row] of this.#rows.from(from ?? first)) {
      if (end !== undefined && key >= end) break;
      this.rowsRead++;
      if (!matches(row)) continue;
      if (rows.length === top) return { rows, next: key };
      rows.push(row);
    }
    return { rows, next: undefined };
  }

  /** @throws StatusError 400 (too many, or one entity twice), 404, 409 or 412 as the service does; then nothing was done */
  transact(actions: readonly TransactionAction[]): string {
    const keys = new Set(actions.map(([, { partitionKey, rowKey }]) => keyOf(partitionKey, rowKey)));
    if (actions.length > maxActions || keys.size < actions.length) throw new StatusError(400);
    const changes: [Entity | undefined, Entity | undefined][] = [];
    try {
      for (const action of actions) changes.push(this.#apply(action));
    } catch (error) {
      for (const [old, now] of changes.reverse()) this.#undo(old, now);
      throw error;
    }
    for (const [old, now] of changes) this.#writing(this.name, old, now);
    return String(this.#etags);
  }

  /** Writes an entity as if the service had it from somebody else: as it is, over what is there. */
  put(entity: Entity): void {
    const key = keyOf(entity.partitionKey, entity.rowKey);
    const old = this.#rows.get(key);
    const written: Entity = Object.assign(entity, { etag: String(++this.#etags) });
    this.#rows.set(key, written);
    this.#writing(this.name, old, written);
  }

  #undo(old: Entity | undefined, now: Entity | undefined): void {
    if (old !== undefined) this.#rows.set(keyOf(old.partitionKey, old.rowKey), old);
    else if (now !== undefined) this.#rows.delete(keyOf(now.partitionKey, now.rowKey));
  }

  #apply(action: TransactionAction): [Entity | undefined, Entity | undefined] {
    const [kind, given] = action;
    const { partitionKey, rowKey } = given;
    const key = keyOf(partitionKey, rowKey);
    const old = this.#rows.get(key);
    if (kind === "create" && old) throw new StatusError(409);
    if ((kind === "update" || kind === "delete") && !old) throw new StatusError(404);
    const wanted = kind === "upsert" ? undefined : etagOf(action);
    if (wanted !== undefined && wanted !== "*" && wanted !== old?.["etag"]) throw new StatusError(412);
    if (kind === "delete") {
      this.#rows.delete(key);
      return [old, undefined];
    }
    const merges = kind !== "create" && action[2] !== "Replace";
    const entity = plain(given, merges && old ? { ...old } : {});
    entity["etag"] = String(++this.#etags);
    this.#rows.set(key, entity);
    return [old, entity];
  }
}

/** What a transaction and a page hold at most ("Performing entity group transactions", "Query timeout and pagination"). */
const maxActions = 100;
const maxPage = 1000;

/** The keys between which all lie that a filter lets through, as our stores write it. */
function boundsOf(filter: string): { readonly first: string; readonly end: string | undefined } {
  const all = { first: "", end: undefined };
  if (filter.replaceAll(/\([^()]*\)/g, "").includes(" or ")) return all;
  const after = /^PartitionKey gt '([^']*)'/.exec(filter)?.[1];
  if (after !== undefined) return { first: `${after}\x01`, end: undefined };
  const [, partition, from = "", to] =
    /^PartitionKey eq '([^']*)'(?: and RowKey ge '([^']*)' and RowKey lt '([^']*)')?/.exec(filter) ?? [];
  if (partition === undefined) return all;
  return { first: keyOf(partition, from), end: to === undefined ? `${partition}\x01` : keyOf(partition, to) };
}

/** An update has its options last, a deletion where the others have their mode. */
function etagOf(action: readonly unknown[]): string | undefined {
  const options = action[0] === "delete" ? action[2] : action[3];
  return typeof options === "object" && options !== null && "etag" in options ? String(options.etag) : undefined;
}

/** What the SDK makes of what is written: a typed number is a number when it is read. */
function plain(given: TableEntity<Readonly<Record<string, unknown>>>, base: Record<string, unknown>): Entity {
  for (const name of Object.keys(given)) {
    const value = given[name];
    base[name] =
      typeof value === "object" && value !== null && "type" in value && "value" in value ? value.value : value;
  }
  return Object.assign(base, { partitionKey: given.partitionKey, rowKey: given.rowKey });
}

/** What the service gives of an entity when only some columns are asked for. */
function withColumns(row: Entity, columns: readonly string[]): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = { etag: row["etag"] };
  for (const name of columns) if (row[name] !== undefined) found[name] = row[name];
  return found;
}

/** A client of one worker. What it lacks of the SDK's our stores don't use; should they, the call fails with a sentence. */
export function tableClient(table: Table, call: Call): TableClient {
  const write = (what: string, action: TransactionAction): Promise<{ etag: string }> =>
    call(`table ${table.name} ${what}`, "storage", () => ({ etag: table.transact([action]) }));
  const client = {
    createTable: () => call(`table ${table.name} make`, "storage", () => undefined),
    getEntity: (partitionKey: string, rowKey: string) =>
      call(`table ${table.name} get`, "storage", () => {
        const row = table.get(partitionKey, rowKey);
        if (row === undefined) throw new StatusError(404);
        return row;
      }),
    createEntity: (entity: Entity) => write("create", ["create", entity]),
    updateEntity: (entity: Entity, mode: "Merge" | "Replace" = "Merge", options: { etag?: string } = {}) =>
      write("update", ["update", entity, mode, options]),
    upsertEntity: (entity: Entity, mode: "Merge" | "Replace" = "Merge") => write("upsert", ["upsert", entity, mode]),
    deleteEntity: (partitionKey: string, rowKey: string, options: { etag?: string } = {}) =>
      // The SDK's type has no options here, its transactions take them all the same.
      write("delete", ["delete", { partitionKey, rowKey }, options] as unknown as TransactionAction),
    submitTransaction: (actions: TransactionAction[]) =>
      call(`table ${table.name} transaction`, "storage", () => {
        table.transact(actions);
        const subResponses = actions.map(([, { partitionKey, rowKey }]) => {
          return { rowKey, etag: table.get(partitionKey, rowKey)?.["etag"] };
        });
        return {
          subResponses,
          getResponseForEntity: (key: string) => subResponses.find(({ rowKey }) => rowKey === key),
        };
      }),
    listEntities: ({ queryOptions }: { queryOptions?: { filter?: string; select?: readonly string[] } } = {}) => {
      const columns = queryOptions?.select?.map(columnOf);
      const byPage = async function* ({ maxPageSize = maxPage }: { maxPageSize?: number } = {}) {
        for (let from: string | undefined = ""; from !== undefined;) {
          const begin: string | undefined = from === "" ? undefined : from;
          const read = () => table.page(queryOptions?.filter ?? "", maxPageSize, begin);
          const page: Page = await call(`table ${table.name} list`, "storage", read);
          yield columns === undefined ? page.rows : page.rows.map((row) => withColumns(row, columns));
          from = page.next;
        }
      };
      const each = async function* () {
        for await (const rows of byPage()) yield* rows;
      };
      return Object.assign(each(), { byPage });
    },
  };
  return client as unknown as TableClient; // the members that our stores call, and no others
}

export function pointReader(table: Table, call: Call): PointRead {
  return (partitionKey, rowKey, known) =>
    call(`table ${table.name} get`, "storage", () => {
      const columns = table.get(partitionKey, rowKey);
      const etag = String(columns?.["etag"]);
      return columns && (etag === known ? "same" : { etag, columns });
    });
}
