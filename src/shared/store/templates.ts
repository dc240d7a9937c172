import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import { foldName } from "../base/json.ts";
import { storageCall } from "./connect.ts";

/**
 * Stored definitions (table `control`, partition `templates`): for each name a head, which has the newest version whole, and a row for
 * each version that is kept. Their texts are sealed. A version's number is never given twice: a head stays when its template is deleted.
 */
export interface StoredVersion {
  readonly name: string;
  readonly version: number;
  readonly sealed: Uint8Array;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by: string | undefined;
  /** Names of its parameters, which a list shows without opening the text. */
  readonly parameters: readonly string[];
}

/** What a list shows. */
export type TemplateInfo = Omit<StoredVersion, "sealed">;

interface Head {
  /** As it was first written, also before it was deleted: letter case does not count. */
  readonly name: string;
  readonly version: number;
  /** The first version since the template was last deleted. */
  readonly first: number;
  readonly isDeleted: boolean;
  readonly etag: string;
}

export type Saved =
  | { readonly kind: "saved"; readonly name: string; readonly version: number }
  | { readonly kind: "changed" | "too large" };

/** The newest of these stay. */
const maxVersions = 100;
/** Beside the head: a transaction has at most 100 entities. */
const maxInTransaction = 99;
/** An entity has at most 1 MiB, and a binary property 64 KiB. */
const maxSealed = 900_000;
const chunk = 60_000;
const chunks = Array.from({ length: Math.ceil(maxSealed / chunk) }, (_, index) => `text${index}`);

const partition = "templates";
const headKey = (name: string): string => `head|${foldName(name)}`;
const versionPrefix = (name: string): string => `version|${foldName(name)}|`;
const versionKey = (name: string, version: number): string =>
  `${versionPrefix(name)}${String(version).padStart(10, "0")}`;
/** Behind every key that begins with this text: no name has this character. */
const after = "~";

export class Templates {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** One read. @param version the newest, unless one is named */
  async read(name: string, version: number | undefined): Promise<StoredVersion | undefined> {
    const row = await this.#get(version === undefined ? headKey(name) : versionKey(name, version));
    return row === undefined || row["deleted"] === true ? undefined : versionIn(row);
  }

  /** @returns the newest version's number and ETag of its head, also of a template that was deleted */
  async head(name: string): Promise<Head | undefined> {
    const row = await this.#get(headKey(name));
    if (row === undefined) return undefined;
    const [version, first] = [Number(row["version"]), Number(row["first"])];
    return { name: String(row["name"]), version, first, isDeleted: row["deleted"] === true, etag: String(row["etag"]) };
  }

  /**
   * Adds a version. One transaction, which fails when somebody else has changed the template since its head was read.
   *
   * @param seal gives the sealed text for the version's number, which it binds in
   */
  async add(
    { at, by, parameters, ...given }: Omit<TemplateInfo, "version">,
    head: Head | undefined,
    seal: (version: number) => Promise<Uint8Array>,
  ): Promise<Saved> {
    const name = head?.name ?? given.name;
    const version = (head?.version ?? 0) + 1;
    const sealed = await seal(version);
    if (sealed.length > maxSealed) return { kind: "too large" };
    const first = head === undefined || head.isDeleted ? version : head.first;
    const info = {
      name,
      version,
      at: new Date(at),
      parameters: parameters.join(),
      ...(by === undefined ? {} : { by }),
    };
    const content = { ...info, ...chunksOf(sealed) };
    const headRow = { ...content, partitionKey: partition, rowKey: headKey(name), first, deleted: false };
    const actions: TransactionAction[] = [
      head === undefined ? ["create", headRow] : ["update", headRow, "Replace", { etag: head.etag }],
      ["create", { ...content, partitionKey: partition, rowKey: versionKey(name, version) }],
    ];
    const saved = await storageCall(() => this.#table.submitTransaction(actions), 404, 409, 412);
    if (typeof saved === "number") return { kind: "changed" };
    if (version - first >= maxVersions) await this.#drop(name, version - maxVersions);
    return { kind: "saved", name, version };
  }

  /**
   * Deletes a template with all its versions, in one transaction but for versions that it has no place for, which go first. False when
   * somebody else has changed it since its head was read.
   */
  async remove({ name, etag, version }: Head): Promise<boolean> {
    const versions = await this.versions(name);
    for (const old of versions.slice(maxInTransaction)) await this.#drop(name, old.version);
    const row = { partitionKey: partition, rowKey: headKey(name), name, version, first: version + 1, deleted: true };
    const removed = versions.slice(0, maxInTransaction).map((old): TransactionAction => {
      return ["delete", { partitionKey: partition, rowKey: versionKey(name, old.version) }];
    });
    const actions: TransactionAction[] = [["update", row, "Replace", { etag }], ...removed];
    return typeof (await storageCall(() => this.#table.submitTransaction(actions), 404, 412)) !== "number";
  }

  /** The versions that are kept, newest first. */
  async versions(name: string): Promise<readonly TemplateInfo[]> {
    const prefix = versionPrefix(name);
    const found = await this.#rows(
      odata`PartitionKey eq ${partition} and RowKey ge ${prefix} and RowKey lt ${prefix + after}`,
    );
    return found.rows.flatMap((row) => infoIn(row) ?? []).toReversed();
  }

  /** A page of the templates by name. @param from the last name of the page before */
  async page(
    from: string | undefined,
    size: number,
  ): Promise<{ readonly templates: readonly TemplateInfo[]; readonly more: boolean }> {
    const begin = from === undefined ? "head|" : headKey(from);
    const filter = odata`PartitionKey eq ${partition} and RowKey gt ${begin} and RowKey lt ${"head|" + after} and deleted eq false`;
    const { rows, more } = await this.#rows(filter, size);
    return { templates: rows.flatMap((row) => infoIn(row) ?? []), more };
  }

  async #get(rowKey: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const row = await storageCall(() => this.#table.getEntity(partition, rowKey), 404);
    return row === 404 ? undefined : row;
  }

  async #rows(filter: string, size = 1000) {
    const select = ["rowKey", "name", "version", "at", "by", "parameters"];
    const rows: Readonly<Record<string, unknown>>[] = [];
    const pages = this.#table.listEntities({ queryOptions: { filter, select } }).byPage({ maxPageSize: size });
    for (;;) {
      const page = await storageCall(() => pages.next(), 404);
      if (page === 404 || page.done) return { rows, more: false };
      rows.push(...page.value);
      if (rows.length >= size) return { rows: rows.slice(0, size), more: true };
    }
  }

  async #drop(name: string, version: number): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, versionKey(name, version)), 404);
  }
}

function chunksOf(sealed: Uint8Array): Readonly<Record<string, Uint8Array>> {
  const used = chunks.slice(0, Math.ceil(sealed.length / chunk));
  return Object.fromEntries(used.map((name, part) => [name, sealed.subarray(part * chunk, (part + 1) * chunk)]));
}

/** `undefined` for a row of another form. */
function versionIn(row: Readonly<Record<string, unknown>>): StoredVersion | undefined {
  const info = infoIn(row);
  const parts = chunks.flatMap((name) => (row[name] instanceof Uint8Array ? [row[name]] : []));
  return info && { ...info, sealed: Buffer.concat(parts) };
}

function infoIn({ name, version, at, by, parameters }: Readonly<Record<string, unknown>>): TemplateInfo | undefined {
  if (typeof name !== "string" || typeof version !== "number") return undefined;
  return {
    name,
    version,
    at: at instanceof Date ? at.getTime() : 0,
    by: typeof by === "string" ? by : undefined,
    parameters: typeof parameters === "string" && parameters !== "" ? parameters.split(",") : [],
  };
}
