import type { Aci, Ping, Read } from "./client.ts";
import type { CreateAnswer, DeleteAnswer } from "../job/arm-answers.ts";
import type { ListedGroup } from "./arm-group.ts";
import type { Beside } from "../limits/budget-rows.ts";
import { defaultThrottle, type Budget, type Grant } from "../limits/rate-budget.ts";
import type { Kind } from "../limits/arm-calls.ts";
import type { JobTarget } from "../job/job.ts";
import type { CreateFailure, Observation } from "../job/observation.ts";
import type { JsonObject } from "../base/json.ts";
import { excludes, type Placement } from "../limits/placement.ts";
import type { Target } from "../config/settings.ts";
import type { Pool } from "../limits/region-queues.ts";
import { noToken } from "./no-token.ts";

/** A create's token: when it was taken, and who pays for it. */
export interface CreateLease {
  readonly at: number;
  readonly team: string | undefined;
}

/**
 * ACI within the budget: a call for which there is no room is not made, and its answer says when to come back; a 429 of ARM's holds
 * everybody here up. So throttling delays jobs and never fails them.
 */
export class GovernedAci {
  readonly #aci: Aci;
  readonly #budget: Budget;
  readonly #placement: Placement;
  readonly #now: () => number;

  constructor(aci: Aci, { budget, placement, now }: { budget: Budget; placement: Placement; now: () => number }) {
    this.#aci = aci;
    this.#budget = budget;
    this.#placement = placement;
    this.#now = now;
  }

  /** @param runs whether it is a group that was created and runs, or is about to: such are many, and are observed again and again */
  async observe(placed: JobTarget, name: string, runs: boolean): Promise<Observation> {
    const grant = await this.#take(runs ? "observe" : "read", placed);
    if (!grant.ok) return this.#unknown(grant);
    return this.#heeded("read", placed, await this.#aci.observe(placed, name));
  }

  /**
   * @param last whether an end waits for it; what still runs is read with what is left over
   * @param tail only this many lines from its end
   */
  logs(placed: JobTarget, name: string, container: string, last: boolean, tail?: number): Promise<Read<string>> {
    return this.#read(last ? "read" : "log", placed, () => this.#aci.logs(placed, name, container, tail));
  }

  /**
   * Capacity for a create, to be asked right before {@link create}. Who then does not send it gives the token back.
   *
   * @param team who pays for it, where teams share
   * @param charges written with the token, or not at all
   * @returns the lease, to be handed on
   */
  async leaseCreate(
    placed: JobTarget,
    team: string | undefined,
    charges: readonly Beside[],
  ): Promise<{ readonly ok: true; readonly lease: CreateLease } | Extract<Grant, { ok: false }>> {
    const at = this.#now();
    const grant = await this.#budget.take("create", placed, at, team, charges);
    return grant.ok ? { ok: true, lease: { at, team } } : grant;
  }

  returnCreate(placed: JobTarget, { at, team }: CreateLease): Promise<void> {
    return this.#budget.giveBack("create", placed, at, team);
  }

  /** @param lease from {@link leaseCreate}: the token is given back when ARM's answer says that nothing reached ACI */
  async create(
    placed: JobTarget,
    name: string,
    version: string,
    body: JsonObject,
    redact: (text: string) => string,
    lease?: CreateLease,
    pool?: Pool,
  ): Promise<CreateAnswer> {
    const answer = this.#heeded("create", placed, await this.#aci.create(placed, name, version, body, redact));
    if (lease !== undefined && neverReachedAci(answer)) await this.returnCreate(placed, lease);
    if (answer.kind === "accepted") await this.#placement.accepted(placed, this.#now());
    if (answer.kind !== "refused" && answer.kind !== "failed") return answer;
    if (excludes(answer.reason)) await this.#placement.exclude(placed, answer.reason, this.#now(), pool);
    if (answer.doubtful !== true) return answer;
    const othersAcceptedAt = await this.#placement.doubt(placed, this.#now());
    return othersAcceptedAt === undefined ? answer : { ...answer, othersAcceptedAt };
  }

  /** Why an accepted create failed, where ARM says so now; whoever can't read it does without. */
  async failureOf(placed: JobTarget, operation: string): Promise<CreateFailure | undefined> {
    const read = await this.#read("read", placed, () => this.#aci.failureOf(operation));
    return read.kind === "value" && read.value !== "none" ? read.value : undefined;
  }

  async remove(placed: JobTarget, name: string): Promise<DeleteAnswer> {
    const leasedAt = this.#now();
    const grant = await this.#take("delete", placed);
    if (!grant.ok) return this.#refused(grant);
    const answer = this.#heeded("delete", placed, await this.#aci.remove(placed, name));
    if (neverReachedAci(answer)) await this.#budget.giveBack("delete", placed, leasedAt);
    return answer;
  }

  async stop(placed: JobTarget, name: string): Promise<DeleteAnswer> {
    const grant = await this.#take("write", placed);
    if (!grant.ok) return this.#refused(grant);
    return this.#heeded("write", placed, await this.#aci.stop(placed, name));
  }

  /** Not sent while ARM wants no reads: one that came too early would only prolong that. */
  async ping(target: Target): Promise<Ping["arm"]> {
    if (this.#budget.heldFor("read", placeOf(target), this.#now()) > 0) return "throttled";
    const ping = await this.#aci.ping(target);
    if (ping.arm === "throttled") this.#throttle("read", placeOf(target), ping.retryAfter);
    return ping.arm;
  }

  /** When ARM said to come back, if it did: milliseconds since 1970. */
  get heldUntil(): number | undefined {
    return this.#budget.heldUntil(this.#now());
  }

  /** Draws no token: a location is read once, and then cached. */
  async locationOf(target: Target): Promise<Read<string>> {
    const known = this.#aci.knownLocation(target);
    if (known !== undefined) return { kind: "value", value: known };
    const retryAfter = this.#budget.heldFor("read", placeOf(target), this.#now());
    if (retryAfter > 0) return { kind: "unknown", group: "unknown", reason: "Throttled", retryAfter, azure: undefined };
    return this.#heeded("read", placeOf(target), await this.#aci.locationOf(target));
  }

  list(target: Target): Promise<Read<readonly ListedGroup[]>> {
    return this.#read("read", placeOf(target), () => this.#aci.list(target));
  }

  async #read<T>(kind: Kind, placed: JobTarget, send: () => Promise<Read<T>>): Promise<Read<T>> {
    const grant = await this.#take(kind, placed);
    if (!grant.ok) return { kind: "unknown", ...this.#unknown(grant) };
    return this.#heeded(kind, placed, await send());
  }

  /** Each answer of ARM's goes through here, but for a ping's, which has words of its own. */
  #heeded<T extends Observation | CreateAnswer | DeleteAnswer | Read<unknown>>(
    kind: Kind,
    placed: JobTarget,
    answer: T,
  ): T {
    if ("reason" in answer && answer.reason === "Throttled") this.#throttle(kind, placed, answer.retryAfter);
    return answer;
  }

  #take(kind: Kind, placed: JobTarget): Promise<Grant> {
    return this.#budget.take(kind, placed, this.#now());
  }

  /** A time that has passed already (a date, by a clock that is behind ours) says nothing. */
  #throttle(kind: Kind, placed: JobTarget, retryAfter = 0): void {
    this.#budget.throttle(kind, placed, this.#now() + (retryAfter > 0 ? retryAfter : defaultThrottle));
  }

  #refused({ reason, at }: Extract<Grant, { ok: false }>): Extract<DeleteAnswer, { kind: "refused" }> {
    return { kind: "refused", reason, azure: undefined, retryAfter: at - this.#now() };
  }

  #unknown(grant: Extract<Grant, { ok: false }>): Extract<Observation, { group: "unknown" }> {
    return {
      group: "unknown",
      reason: grant.reason,
      retryAfter: Math.max(0, grant.at - this.#now()),
      azure: undefined,
    };
  }
}

const placeOf = ({ subscriptionId, resourceGroup, location = "" }: Target): JobTarget => ({
  subscriptionId,
  resourceGroup,
  location,
});

/** Requests that were not sent: nobody listens, or the name is unknown, or there is no token. */
const neverSent: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", noToken]);

/** Refusals of ARM itself, which it makes before a provider hears of the request; its 401, 403 and 429 besides. */
const refusedByArm: ReadonlySet<string> = new Set(
  [
    "InvalidAuthenticationToken",
    "AuthorizationFailed",
    "RequestDisallowedByPolicy",
    "SubscriptionNotFound",
    "SubscriptionNotRegistered",
    "MissingSubscriptionRegistration",
    "MissingRegistrationForLocation",
    "InvalidSubscriptionRegistrationState",
    "ReadOnlyDisabledSubscription",
    "ResourceGroupNotFound",
    "ResourceGroupBeingDeleted",
    "ScopeLocked",
    "NoRegisteredProviderFound",
    "InvalidApiVersionParameter",
    "LocationNotAvailableForResourceType",
  ].map((code) => code.toLowerCase()),
);

/** ACI's own limit counts only what reached it. In doubt a call did. */
export function neverReachedAci(answer: CreateAnswer | DeleteAnswer): boolean {
  if (!("azure" in answer) || answer.azure === undefined) return false;
  const { httpStatus, code } = answer.azure;
  if (answer.kind === "unclear") return httpStatus === 0 && neverSent.has(code);
  if (excludes(answer.reason)) return false;
  return [401, 403, 429].includes(httpStatus) || refusedByArm.has(code.toLowerCase());
}
