import type { TableClient } from "@azure/data-tables";
import { minute, second } from "../base/duration.ts";
import { conflict, done, tryRewrite, type Pacing } from "../base/rewrite.ts";
import type { Reason } from "../job/reasons.ts";
import type { JobTarget } from "../job/job.ts";
import type { BucketLimits } from "../config/readers.ts";
import type { Settings } from "../config/settings.ts";
import { armKinds, armReserve, blocks, leaseOf, reserves, scopeOfArm, windowsOf, type Kind } from "./arm-calls.ts";
import { RefusedCalls } from "./refused-calls.ts";
import { BudgetRows, bucketIn, windowsIn, type Beside, type BudgetRow } from "./budget-rows.ts";
import {
  callUp,
  expectedCalls,
  returnShare,
  shareIn,
  takeShare,
  type SharedWindows,
  type ShareRules,
} from "./shares.ts";
import {
  bucketAt,
  capacityIn,
  nextUses,
  returnToWindows,
  takeFromBucket,
  takeFromWindows,
  type ArmKind,
  type ArmRemaining,
  type WindowLimits,
} from "./windows.ts";

export type Grant = { readonly ok: true } | Refused;
interface Refused {
  readonly ok: false;
  /** When to ask again. */
  readonly at: number;
  readonly reason: Reason;
}

/** Whether a use of a window is granted, and else when it may be tried again. */
type Use = { readonly ok: true } | { readonly ok: false; readonly at: number };

interface Wanted {
  /** Whose it is, where teams share. */
  readonly team: string | undefined;
  /** What is written with it if it is granted. */
  readonly charges: readonly Beside[];
}

/** Uses of one window that are taken together, in order of arrival. */
interface Batch {
  readonly wanted: Wanted[];
  readonly taken: Promise<readonly Use[]>;
}

const granted = { ok: true } as const;

/** A throttled caller waits this long if the reply has no time. */
export const defaultThrottle = minute / 4;
const blockTime = 30 * second;
/** How long ARM's word of what is left is taken to be true. */
const remainingTime = 10 * second;
/** A caller that finds a row in that much demand comes back after this time. */
const crowdedTime = second;
/** Calls that wait for one draw may be more than it gives: then they draw again, each at most this often. */
const maxDraws = 50;

type BudgetSettings = Pick<
  Settings,
  "createsPerHour" | "createsPerFiveMinutes" | "armReads" | "armWrites" | "armDeletes" | "teams" | "teamReserve"
>;

/**
 * The shared budget of what Azure allows: ARM's reads, writes and deletes, ACI's creates and deletes per region. It is kept in the
 * table `control`, so that all instances together stay within it; of ARM's calls each instance draws a block at a time.
 */
export class Budget {
  readonly #rows: BudgetRows;
  readonly #pacing: Pacing;
  readonly #windows: WindowLimits;
  readonly #shares: ShareRules;
  readonly #arm: Readonly<Record<ArmKind, BucketLimits>>;
  readonly #leases = new Map<string, { left: number; until: number }>();
  /** Under way: calls at once share one. */
  readonly #draws = new Map<string, Promise<Refused | undefined>>();
  /** Uses of a region's window that the next change of it takes together. */
  readonly #batches = new Map<string, Batch>();
  /** The change of a region's window that is under way, or was the last. */
  readonly #changes = new Map<string, Promise<void>>();
  /** By lease. */
  readonly #refused = new RefusedCalls();
  /** When ARM said to come back, by scope. */
  readonly #held = new Map<string, number>();
  /** What ARM last said is left, less what was asked since, by scope. */
  readonly #remaining = new Map<string, { count: number; readonly at: number }>();

  constructor(table: TableClient, settings: BudgetSettings, pacing: Pacing) {
    this.#rows = new BudgetRows(table, pacing.now);
    this.#pacing = pacing;
    this.#windows = { perHour: settings.createsPerHour, perFiveMinutes: settings.createsPerFiveMinutes };
    const weights = new Map(settings.teams.map(({ name, weight }) => [name, weight]));
    this.#shares = {
      limits: this.#windows,
      reserve: settings.teamReserve / 100,
      weightOf: (team) => weights.get(team) ?? 1,
    };
    this.#arm = { read: settings.armReads, write: settings.armWrites, delete: settings.armDeletes };
  }

  /**
   * Capacity for one call of that kind, or when there will be some. A create or delete costs ARM's write or delete too. To be asked
   * right before the call is sent; see {@link giveBack}.
   *
   * @param team who pays for a create, where teams share
   * @param charges written with a create's token, or not at all
   */
  async take(
    kind: Kind,
    placed: JobTarget,
    now: number,
    team?: string,
    charges: readonly Beside[] = [],
  ): Promise<Grant> {
    const scope = scopeOfArm(kind, placed);
    const held = this.#held.get(scope) ?? 0;
    const call: Grant =
      held > now ? { ok: false, at: held, reason: "Throttled" } : await this.#fromBucket(placed, kind, now);
    if (!call.ok) {
      const gap = second / this.#arm[armKinds[kind]].perSecond;
      return { ...call, at: this.#refused.next(leaseOf(kind, placed), call.at, gap) };
    }
    if (kind !== "create" && kind !== "delete") return call;
    const use = await this.#useWindow(windowsOf(kind, placed), now, { team, charges });
    if (use.ok) return granted;
    // The call is not made, so ARM's token is still there.
    const lease = this.#leases.get(scope);
    if (lease) lease.left++;
    return { ok: false, at: use.at, reason: "CreateLimit" };
  }

  /**
   * A create or delete that was taken at that time did not reach ACI, which therefore does not count it. If too many change the row
   * at once, it stays counted: making too few calls does no harm.
   */
  async giveBack(kind: "create" | "delete", placed: JobTarget, takenAt: number, team?: string): Promise<void> {
    const scope = windowsOf(kind, placed);
    await tryRewrite(this.#pacing, async () => {
      const row = await this.#rows.read(scope);
      const windows = windowsIn(row);
      if (row.etag === undefined) return done(undefined);
      const paidBack = team === undefined ? windows : returnShare(windows, team, this.#shares, takenAt);
      return (await this.#rows.write(scope, returnToWindows(paidBack, takenAt), row)) ? done(undefined) : conflict;
    });
  }

  /** ARM said to slow down: nobody here asks again before that, nor before what it said to a call that was under way. */
  throttle(kind: Kind, placed: JobTarget, until: number): void {
    const scope = scopeOfArm(kind, placed);
    this.#held.set(scope, Math.max(until, this.#held.get(scope) ?? 0));
  }

  /** ARM said how many calls of a kind are left. Where we counted more, ARM is right: others use the subscription too. */
  heed({ kind, subscriptionId, count }: ArmRemaining, now: number): void {
    this.#remaining.set(`${kind}_${subscriptionId}`, { count, at: now });
  }

  /** How long it takes until all that were refused an observation of what runs have had theirs. */
  backlog(placed: JobTarget, now: number): number {
    return this.#refused.backlog(leaseOf("observe", placed), now);
  }

  /** How long calls of a kind are held up yet; 0 where they are not. */
  heldFor(kind: Kind, placed: JobTarget, now: number): number {
    return Math.max(0, (this.#held.get(scopeOfArm(kind, placed)) ?? 0) - now);
  }

  heldUntil(now: number): number | undefined {
    const until = Math.max(0, ...this.#held.values());
    return until > now ? until : undefined;
  }

  /** How many creates there is capacity for now in a region, for a team where teams share. */
  async creates(placed: JobTarget, now: number, team?: string): Promise<number> {
    return this.#createsIn(await this.#rows.read(windowsOf("create", placed)), now, team);
  }

  /** Whether there is one, so that it is worth a try. No call where this instance knew of one a moment ago. */
  async hasCreate(placed: JobTarget, now: number, team?: string): Promise<boolean> {
    const recent = this.#rows.recent(windowsOf("create", placed));
    if (recent !== undefined && this.#createsIn(recent, now, team) > 0) return true;
    return (await this.creates(placed, now, team)) > 0;
  }

  #createsIn(row: BudgetRow, now: number, team: string | undefined): number {
    const windows = windowsIn(row);
    return team === undefined ? capacityIn(windows, this.#windows, now) : shareIn(windows, team, this.#shares, now);
  }

  /**
   * Who is called up now for the creates that there are. If too many change the row at once, nobody is, and the next pass goes on.
   *
   * @param waiting how many jobs of each team wait
   * @returns a team for each job that is called up
   */
  async callUp(placed: JobTarget, waiting: ReadonlyMap<string, number>, now: number): Promise<readonly string[]> {
    const scope = windowsOf("create", placed);
    const result = await tryRewrite(this.#pacing, async () => {
      const row = await this.#rows.read(scope);
      const windows = windowsIn(row);
      const { called, state } = callUp(windows, waiting, this.#shares, now);
      return (await this.#rows.write(scope, state, row)) ? done(called) : conflict;
    });
    return result === conflict ? [] : result.done;
  }

  /** When the next creates of a region may be sent, in their order. */
  async nextCreates(placed: JobTarget, count: number, now: number): Promise<readonly number[]> {
    const row = await this.#rows.read(windowsOf("create", placed));
    return nextUses(windowsIn(row), this.#windows, count, now);
  }

  /** The same where teams share: for each job that waits its team, in the order in which they would be called up. */
  async expectedCalls(
    placed: JobTarget,
    waiting: ReadonlyMap<string, number>,
    max: number,
    now: number,
  ): Promise<ReturnType<typeof expectedCalls>> {
    const row = await this.#rows.read(windowsOf("create", placed));
    return expectedCalls(windowsIn(row), waiting, this.#shares, max, now);
  }

  async #fromBucket(placed: JobTarget, kind: Kind, now: number): Promise<Grant> {
    const scope = scopeOfArm(kind, placed);
    const lease = leaseOf(kind, placed);
    for (let draws = 0; draws < maxDraws; draws++) {
      const told = this.#throttledUntil(scope, kind, now);
      if (told !== undefined) return { ok: false, at: told, reason: "Throttled" };
      const own = this.#leases.get(lease);
      if (own && own.left > 0 && own.until > now) {
        own.left--;
        const remaining = this.#remaining.get(scope);
        if (remaining) remaining.count--;
        return granted;
      }
      const refused = await this.#drawOnce(lease, () => this.#draw(scope, lease, kind, now));
      if (refused) return refused;
    }
    return { ok: false, at: now + crowdedTime, reason: "Throttled" };
  }

  /** One request for tokens at a time for each lease: callers that come meanwhile wait for it. */
  #drawOnce(lease: string, draw: () => Promise<Refused | undefined>): Promise<Refused | undefined> {
    const running = this.#draws.get(lease);
    if (running) return running;
    const started = draw().finally(() => this.#draws.delete(lease));
    this.#draws.set(lease, started);
    return started;
  }

  /** @returns `undefined` when the lease has tokens again */
  async #draw(scope: string, lease: string, kind: Kind, now: number): Promise<Refused | undefined> {
    const limits = this.#arm[armKinds[kind]];
    const block = Math.min(blocks[kind], Math.ceil(limits.capacity / 5));
    const reserve = limits.capacity * (reserves[kind] ?? 0);
    const drawn = await tryRewrite<Refused | undefined>(this.#pacing, async () => {
      const row = await this.#rows.read(scope);
      const bucket = bucketAt(bucketIn(row), limits, now);
      const result = takeFromBucket(bucket, limits, block, now, reserve);
      if (!result.ok) return done({ ok: false, at: result.at, reason: "Throttled" });
      if (!(await this.#rows.write(scope, result.state, row))) return conflict;
      this.#leases.set(lease, { left: result.taken, until: now + blockTime });
      return done(undefined);
    });
    return drawn === conflict ? { ok: false, at: now + crowdedTime, reason: "Throttled" } : drawn.done;
  }

  /** When ARM has something left again for such a call, where it said a moment ago that it has not. */
  #throttledUntil(scope: string, kind: Kind, now: number): number | undefined {
    const told = this.#remaining.get(scope);
    if (told === undefined || now - told.at > remainingTime) return undefined;
    const { capacity, perSecond } = this.#arm[armKinds[kind]];
    const needed = 1 + (kind in reserves ? capacity * armReserve : 0);
    const left = told.count + (Math.max(0, now - told.at) / second) * perSecond;
    return left >= needed ? undefined : now + Math.ceil(((needed - left) / perSecond) * second);
  }

  /** One use of a region's window. Who comes while a change of it is under way shares the next one. */
  async #useWindow(scope: string, now: number, wanted: Wanted): Promise<Use> {
    const batch = this.#batches.get(scope) ?? this.#newBatch(scope, now);
    const place = batch.wanted.push(wanted) - 1;
    return (await batch.taken)[place] ?? { ok: false, at: now + crowdedTime };
  }

  #newBatch(scope: string, now: number): Batch {
    const before = this.#changes.get(scope) ?? Promise.resolve();
    const wanted: Wanted[] = [];
    const batch: Batch = {
      wanted,
      taken: before.then(() => {
        this.#batches.delete(scope);
        return this.#takeUses(scope, wanted, now);
      }),
    };
    this.#batches.set(scope, batch);
    const settled = batch.taken.then(
      () => undefined,
      () => undefined,
    );
    this.#changes.set(scope, settled);
    return batch;
  }

  /** Takes as many of these uses as there are; of the others it says when there will be more. */
  async #takeUses(scope: string, wanted: readonly Wanted[], now: number): Promise<readonly Use[]> {
    const used = await tryRewrite(this.#pacing, async () => {
      const recent = this.#rows.takeRecent(scope);
      let row = recent ?? (await this.#rows.read(scope));
      let taken = this.#usesOf(row, wanted, now);
      // Nothing is refused by what a row said a moment ago.
      if (recent !== undefined && taken.uses.some(({ ok }) => !ok)) {
        row = await this.#rows.read(scope);
        taken = this.#usesOf(row, wanted, now);
      }
      const { uses, state } = taken;
      if (uses.every(({ ok }) => !ok)) return done(uses);
      const charges = wanted.flatMap((each, n) => (uses[n]?.ok ? each.charges : []));
      return (await this.#rows.write(scope, state, row, charges)) ? done(uses) : conflict;
    });
    return used === conflict ? [] : used.done;
  }

  #usesOf(row: BudgetRow, wanted: readonly Wanted[], now: number) {
    let state: SharedWindows = windowsIn(row);
    const refused = new Map<string | undefined, Use>();
    const uses = wanted.map(({ team }): Use => {
      const before = refused.get(team);
      if (before !== undefined) return before;
      const result =
        team === undefined ? takeFromWindows(state, this.#windows, now) : takeShare(state, team, this.#shares, now);
      if (result.ok) state = result.state;
      else refused.set(team, { ok: false, at: result.at });
      return result.ok ? granted : { ok: false, at: result.at };
    });
    return { uses, state };
  }
}
