import { hour } from "../../../src/shared/base/duration.ts";

/** What is kept for a time: when each thing may go, by the hour, so that millions take no room. */
export class DueBook {
  readonly #open = new Map<string, Map<number, number>>();
  /** What went before its time. */
  readonly early: string[] = [];

  keep(kind: string, due: number): void {
    this.#add(kind, due, 1);
  }

  gone(kind: string, due: number, now: number): void {
    if (now < due && this.early.length < 10) this.early.push(`${kind}: ${(due - now) / hour} hours too early`);
    this.#add(kind, due, -1);
  }

  /** How many things of a kind should have gone before a time and have not. */
  overdue(kind: string, before: number): number {
    let count = 0;
    for (const [at, open] of this.#open.get(kind) ?? []) if ((at + 1) * hour <= before) count += open;
    return count;
  }

  #add(kind: string, due: number, by: 1 | -1): void {
    let hours = this.#open.get(kind);
    if (hours === undefined) this.#open.set(kind, (hours = new Map<number, number>()));
    const at = Math.floor(due / hour);
    const open = (hours.get(at) ?? 0) + by;
    if (open === 0) hours.delete(at);
    else hours.set(at, open);
  }
}
