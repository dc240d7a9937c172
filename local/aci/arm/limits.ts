import type { Clock } from "../clock.ts";
import type { GroupId } from "../group.ts";
import type { Used } from "../groups/usage.ts";
import type { Limits } from "../options.ts";
import { ArmError } from "./errors.ts";
import type { CallKind } from "./routes.ts";

type Bucket = "reads" | "writes" | "deletes";

/** What ARM and the service let through, and what replies say is left. All figures are by subscription; see options.ts. */
export class Throttle {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #creates = new Windows();
  readonly #deletes = new Windows();
  /** Where a group of a name was created last, and when. */
  readonly #names = new Map<string, { location: string; at: number }>();
  limits: Limits | false;

  constructor(limits: Limits | false, clock: Clock) {
    this.limits = limits;
    this.#clock = clock;
  }

  clear(): void {
    this.#buckets.clear();
    this.#creates.clear();
    this.#deletes.clear();
    this.#names.clear();
  }

  /** Takes a token of ARM's bucket; throws 429 with `Retry-After` where the bucket is empty. */
  admitCall(kind: CallKind, subscription: string): void {
    const bucket = bucketOf(kind);
    const limit = this.limits && this.limits[bucket];
    if (!limit || subscription === "") return;
    const level = this.#level(bucket, subscription, limit);
    if (level.tokens < 1) {
      const seconds = Math.max(1, Math.ceil((1 - level.tokens) / limit.perSecond));
      throw new ArmError(
        429,
        "SubscriptionRequestsThrottled",
        `Number of '${bucket.slice(0, -1)}' requests for subscription '${subscription}' actor 'local' exceeded. ` +
          `Please try again after '${seconds}' seconds after additional tokens are available.`,
        seconds,
      );
    }
    level.tokens -= 1;
  }

  /** The headers that tell what is left. */
  headers(kind: CallKind, subscription: string, location: string | undefined): Record<string, string> {
    if (!this.limits || subscription === "") return {};
    const bucket = bucketOf(kind);
    const limit = this.limits[bucket];
    const left: Record<string, string> = {};
    if (limit) {
      const { tokens } = this.#level(bucket, subscription, limit);
      left[`x-ms-ratelimit-remaining-subscription-${bucket}`] = String(Math.floor(tokens));
    }
    const window = kind === "put" ? this.limits.groupCreates : kind === "delete" ? this.limits.groupDeletes : false;
    if (window && location !== undefined) {
      const spent = (kind === "put" ? this.#creates : this.#deletes).spent(
        place(subscription, location),
        this.#clock.now(),
      );
      const prefix = "x-ms-ratelimit-remaining-subscription-resource-requests";
      left[`${prefix}-pt5m`] = String(Math.max(0, window.per5Minutes - spent.per5Minutes));
      left[`${prefix}-pt1h`] = String(Math.max(0, window.perHour - spent.perHour));
    }
    return left;
  }

  /** Rate, same name elsewhere, quota: in this order, and the rate counts whatever comes after. */
  admitCreate(group: GroupId, location: string, cores: number, used: Used): void {
    if (!this.limits) return;
    const { groupCreates, sameNameInRegions, quota } = this.limits;
    const now = this.#clock.now();
    if (groupCreates) this.#creates.take(place(group.subscription, location), groupCreates, now, "create", location);
    if (sameNameInRegions) this.#checkName(group, location, now);
    if (!quota) return;
    if (used.groups + 1 > quota.groups) {
      throw quotaReached("ContainerGroupQuotaReached", "ContainerGroups", location, quota.groups, used.groups, 1);
    }
    if (used.cores + cores > quota.cores) {
      throw quotaReached("ContainerGroupQuotaReached", "StandardCores", location, quota.cores, used.cores, cores);
    }
  }

  admitDelete(group: GroupId, location: string): void {
    const window = this.limits && this.limits.groupDeletes;
    if (window) this.#deletes.take(place(group.subscription, location), window, this.#clock.now(), "delete", location);
  }

  /** Article "container group quota exceeded ... Limit 0": one name deployed in several regions at once is taken for fraud. */
  #checkName({ subscription, name }: GroupId, location: string, now: number): void {
    const key = `${subscription}/${name}`.toLowerCase();
    const last = this.#names.get(key);
    if (last && last.location !== location && now - last.at < SAME_TIME) {
      throw quotaReached("ServiceUnavailable", "ContainerGroups", location, 0, 0, 1);
    }
    this.#names.set(key, { location, at: now });
    if (this.#names.size > 10_000) {
      for (const [known, { at }] of this.#names) if (now - at >= SAME_TIME) this.#names.delete(known);
    }
  }

  #level(bucket: Bucket, subscription: string, limit: { size: number; perSecond: number }): { tokens: number } {
    const key = `${bucket}/${subscription.toLowerCase()}`;
    const now = this.#clock.now();
    const level = this.#buckets.get(key) ?? { tokens: limit.size, at: now };
    level.tokens = Math.min(limit.size, level.tokens + ((now - level.at) / 1000) * limit.perSecond);
    level.at = now;
    this.#buckets.set(key, level);
    return level;
  }
}

/** The page says "at once"; how long that is, is not published. */
const SAME_TIME = 60_000;

const MINUTES_5 = 5 * 60_000;
const HOUR = 60 * 60_000;

interface Window {
  readonly per5Minutes: number;
  readonly perHour: number;
}

/** Sliding windows: when each request of the last hour came. */
class Windows {
  readonly #times = new Map<string, number[]>();

  clear(): void {
    this.#times.clear();
  }

  spent(key: string, now: number): Window {
    const times = this.#recent(key, now);
    return { per5Minutes: times.filter((time) => time > now - MINUTES_5).length, perHour: times.length };
  }

  take(key: string, window: Window, now: number, what: string, location: string): void {
    const times = this.#recent(key, now);
    const within5 = times.filter((time) => time > now - MINUTES_5);
    const free = [
      within5.length >= window.per5Minutes ? (within5[within5.length - window.per5Minutes] ?? now) + MINUTES_5 : now,
      times.length >= window.perHour ? (times[times.length - window.perHour] ?? now) + HOUR : now,
    ];
    const wait = Math.max(...free) - now;
    if (wait > 0) {
      throw new ArmError(
        429,
        "TooManyRequests",
        `Too many container group ${what} requests for the subscription in region '${location}'. ` +
          `The limits are ${window.per5Minutes} in 5 minutes and ${window.perHour} in an hour. Please retry later.`,
        Math.ceil(wait / 1000),
      );
    }
    times.push(now);
  }

  #recent(key: string, now: number): number[] {
    const times = (this.#times.get(key) ?? []).filter((time) => time > now - HOUR);
    this.#times.set(key, times);
    return times;
  }
}

const place = (subscription: string, location: string): string => `${subscription.toLowerCase()}/${location}`;

const WRITES = new Set<CallKind>(["put", "patch", "start", "stop", "restart", "exec", "attach"]);

const bucketOf = (kind: CallKind): Bucket => (kind === "delete" ? "deletes" : WRITES.has(kind) ? "writes" : "reads");

const quotaReached = (
  code: string,
  quota: string,
  location: string,
  limit: number,
  used: number,
  wanted: number,
): ArmError =>
  new ArmError(
    409,
    code,
    `Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota '${quota}' exceeded in region '${location}'. ` +
      `Limit: '${limit}', Usage: '${used}' Requested: '${wanted}'.`,
  );
