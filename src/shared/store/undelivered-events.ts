import type { TableClient } from "@azure/data-tables";
import { parseJobId, type JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import { entitiesOf, storageCall } from "./connect.ts";

/**
 * Jobs of which an endpoint has not all events yet (partition `undelivered` of the table `control`), oldest first, so that the sweep finds
 * them without reading jobs; and how many events were dropped because nobody took them for a day.
 */
export interface Undelivered {
  readonly id: JobId;
  /** When its first undelivered event was noted, milliseconds since 1970. */
  readonly at: number;
  readonly etag: string;
  readonly rowKey: string;
}

const partition = "undelivered";
const maxNoted = 1000;

export class UndeliveredEvents {
  readonly #table: TableClient;
  readonly #pacing: Pacing;
  /** The last event of each job that this instance noted: observations of a job that waits for its endpoint note it once. */
  readonly #noted = new Map<string, number>();

  constructor(table: TableClient, pacing: Pacing) {
    this.#table = table;
    this.#pacing = pacing;
  }

  /** @param last the sequence of the job's newest event */
  async note(id: JobId, createdAt: number, last: number): Promise<void> {
    if (this.#noted.get(id) === last) return;
    const rowKey = `${String(createdAt).padStart(13, "0")}-${id}`;
    const entity = { partitionKey: partition, rowKey, id, at: new Date(this.#pacing.now()) };
    await storageCall(() => this.#table.upsertEntity(entity, "Replace"));
    if (this.#noted.size >= maxNoted) this.#noted.clear();
    this.#noted.set(id, last);
  }

  async *oldestFirst(): AsyncGenerator<Undelivered> {
    for await (const { id: text, at, etag, rowKey } of entitiesOf(this.#table, partition)) {
      const id = typeof text === "string" ? parseJobId(text) : undefined;
      if (id !== undefined && at instanceof Date && typeof rowKey === "string")
        yield { id, at: at.getTime(), etag, rowKey };
    }
  }

  /** How many there are, as far as this. */
  async count(max: number): Promise<number> {
    let count = 0;
    for await (const _each of this.oldestFirst()) if (++count >= max) break;
    return count;
  }

  /** The job has no undelivered events any more, unless it was noted again since it was listed. */
  async remove({ rowKey, etag }: Undelivered): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, rowKey, { etag }), 404, 412);
  }

  /** Counts events that were not delivered in their time. */
  addDropped(events: number): Promise<void> {
    return rewrite("the count of dropped events", this.#pacing, async () => {
      const found = await storageCall(() => this.#table.getEntity("control", "dropped-events"), 404);
      const count = events + (found !== 404 && typeof found["count"] === "number" ? found["count"] : 0);
      const entity = { partitionKey: "control", rowKey: "dropped-events", count };
      const written =
        found === 404
          ? await storageCall(() => this.#table.createEntity(entity), 409)
          : await storageCall(() => this.#table.updateEntity(entity, "Replace", { etag: found.etag }), 412);
      return typeof written === "number" ? conflict : done(undefined);
    });
  }

  async dropped(): Promise<number> {
    const found = await storageCall(() => this.#table.getEntity("control", "dropped-events"), 404);
    return found !== 404 && typeof found["count"] === "number" ? found["count"] : 0;
  }
}
