import type { JobKey } from "./job-row.ts";
import type { Stored } from "./jobs.ts";

/** So many jobs are polled at once, on one instance; a job takes some kilobytes. */
const most = 500;

/**
 * Jobs as they were last read for a reply. A row is read at each poll, and has mostly not changed since the one before: its ETag says
 * so, and then its record need not be parsed again. Those that have been the same for the longest make room.
 */
export class Peeked {
  readonly #jobs = new Map<string, Stored>();

  get({ rowKey }: JobKey, etag: string): Stored | undefined {
    const stored = this.#jobs.get(rowKey);
    return stored?.etag === etag ? stored : undefined;
  }

  set(stored: Stored): void {
    const { rowKey } = stored.key;
    this.#jobs.delete(rowKey);
    this.#jobs.set(rowKey, stored);
    if (this.#jobs.size > most) for (const oldest of this.#jobs.keys()) return void this.#jobs.delete(oldest);
  }
}
