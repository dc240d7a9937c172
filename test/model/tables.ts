import type { TableClient, TransactionAction } from "@azure/data-tables";
import type { PointRead } from "../../src/shared/store/point-read.ts";
import type { Call } from "./scheduler.ts";
import { filterOf } from "./filter.ts";

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

export class Table {
  readonly name: string;
  /** Entities with their ETags. They are never changed, only replaced. */
  #rows = new Map<string, Entity>();
  /** In the order in which the service lists them, until a key comes or goes. */
  #sorted: readonly string[] | undefined;
  #etags = 0;
  /** Called with every write before it is done. */
  readonly #writing: Writing;

  constructor(name: string, writing: Writing) {
    this.name = name;
    this.#writing = writing;
  }

  get(partitionKey: string, rowKey: string): Entity | undefined {
    return this.#rows.get(`${partitionKey}|${rowKey}`);
  }

  *all(): Generator<Entity> {
    this.#sorted ??= [...this.#rows.keys()].sort();
    for (const key of this.#sorted) {
      const row = this.#rows.get(key);
      if (row) yield row;
    }
  }

  /** @throws StatusError 404, 409 or 412 as the service does; then nothing was done */
  transact(actions: readonly TransactionAction[]): string {
    const before = actions.length > 1 ? new Map(this.#rows) : this.#rows;
    const changes: [Entity | undefined, Entity | undefined][] = [];
    try {
      for (const action of actions) changes.push(this.#apply(action));
    } catch (error) {
      this.#rows = before;
      this.#sorted = undefined;
      throw error;
    }
    for (const [old, now] of changes) this.#writing(this.name, old, now);
    return String(this.#etags);
  }

  #apply(action: TransactionAction): [Entity | undefined, Entity | undefined] {
    const [kind, given] = action;
    const { partitionKey, rowKey } = given;
    const key = `${partitionKey}|${rowKey}`;
    const old = this.#rows.get(key);
    if (kind === "create" && old) throw new StatusError(409);
    if ((kind === "update" || kind === "delete") && !old) throw new StatusError(404);
    const wanted = kind === "upsert" ? undefined : etagOf(action);
    if (wanted !== undefined && wanted !== "*" && wanted !== old?.["etag"]) throw new StatusError(412);
    if (!old || kind === "delete") this.#sorted = undefined;
    if (kind === "delete") {
      this.#rows.delete(key);
      return [old, undefined];
    }
    const merges = kind !== "create" && action[2] !== "Replace";
    const base = merges && old ? { ...old } : {};
    const entity: Entity = Object.assign(base, plain(given), { partitionKey, rowKey, etag: String(++this.#etags) });
    this.#rows.set(key, entity);
    return [old, entity];
  }
}

/** An update has its options last, a deletion where the others have their mode. */
function etagOf(action: readonly unknown[]): string | undefined {
  const options = action[0] === "delete" ? action[2] : action[3];
  return typeof options === "object" && options !== null && "etag" in options ? String(options.etag) : undefined;
}

/** What the SDK makes of what is written: a typed number is a number when it is read. */
function plain(entity: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const name of Object.keys(entity)) {
    const value = entity[name];
    read[name] =
      typeof value === "object" && value !== null && "type" in value && "value" in value ? value.value : value;
  }
  return read;
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
      call(`table ${table.name} transaction`, "storage", () => ({ etag: table.transact(actions) })),
    listEntities: ({ queryOptions }: { queryOptions?: { filter?: string } } = {}) => {
      const matches = queryOptions?.filter === undefined ? () => true : filterOf(queryOptions.filter);
      const read = () => call(`table ${table.name} list`, "storage", () => [...table.all()].filter(matches));
      const byPage = async function* () {
        yield await read();
      };
      return Object.assign(
        (async function* () {
          yield* await read();
        })(),
        { byPage },
      );
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
