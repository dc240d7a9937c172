import type { Aci, Read } from "./client.ts";
import type { CreateAnswer, DeleteAnswer } from "../job/arm-answers.ts";
import type { ArmGroup } from "./arm-group.ts";
import { defaultHold, type Budget, type Grant, type Kind } from "../limits/rate-budget.ts";
import type { Observation, Placed } from "../job/job.ts";
import type { JsonObject } from "../base/json.ts";
import { excludes, type Placement } from "../limits/placement.ts";
import type { Target } from "../config/settings.ts";

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

  async observe(placed: Placed, name: string): Promise<Observation> {
    const grant = await this.#take("read", placed);
    if (!grant.ok) return this.#unknown(grant);
    const seen = await this.#aci.observe(placed, name);
    if (seen.group === "unknown" && seen.reason === "Throttled") this.#hold("read", placed, seen.retryAfter);
    return seen;
  }

  /** @param last whether an end waits for it; what still runs is read with what is left over */
  async logs(placed: Placed, name: string, container: string, last: boolean): Promise<Read<string>> {
    const grant = await this.#take(last ? "read" : "log", placed);
    if (!grant.ok) return { kind: "unknown", ...this.#unknown(grant) };
    return this.#aci.logs(placed, name, container);
  }

  /** The create's own token was drawn when the job was admitted. */
  async create(
    placed: Placed,
    name: string,
    version: string,
    body: JsonObject,
    redact: (text: string) => string,
  ): Promise<CreateAnswer> {
    const answer = await this.#aci.create(placed, name, version, body, redact);
    if (answer.kind === "refused" && answer.reason === "Throttled") this.#hold("create", placed, answer.retryAfter);
    if (answer.kind === "refused" && excludes(answer.reason)) {
      await this.#placement.exclude(placed, answer.reason, this.#now());
    }
    return answer;
  }

  async remove(placed: Placed, name: string): Promise<DeleteAnswer> {
    const grant = await this.#take("delete", placed);
    if (!grant.ok)
      return { kind: "refused", reason: grant.reason, azure: undefined, retryAfter: grant.at - this.#now() };
    const answer = await this.#aci.remove(placed, name);
    if (answer.kind === "refused" && answer.reason === "Throttled") this.#hold("delete", placed, answer.retryAfter);
    return answer;
  }

  async stop(placed: Placed, name: string): Promise<DeleteAnswer> {
    const grant = await this.#take("write", placed);
    if (!grant.ok)
      return { kind: "refused", reason: grant.reason, azure: undefined, retryAfter: grant.at - this.#now() };
    return this.#aci.stop(placed, name);
  }

  async tag(placed: Placed, name: string, tags: Readonly<Record<string, string>>): Promise<DeleteAnswer> {
    const grant = await this.#take("write", placed);
    if (!grant.ok)
      return { kind: "refused", reason: grant.reason, azure: undefined, retryAfter: grant.at - this.#now() };
    return this.#aci.tag(placed, name, tags);
  }

  ping(target: Target): Promise<"ok" | "refused" | "unknown"> {
    return this.#aci.ping(target);
  }

  /** When ARM said to come back, if it did: milliseconds since 1970. */
  get heldUntil(): number | undefined {
    return this.#budget.heldUntil(this.#now());
  }

  locationOf(target: Target): Promise<Read<string>> {
    return this.#aci.locationOf(target);
  }

  list(target: Target): Promise<Read<readonly ArmGroup[]>> {
    return this.#aci.list(target);
  }

  #take(kind: Kind, placed: Placed): Promise<Grant> {
    return this.#budget.take(kind, placed, this.#now());
  }

  #hold(kind: Kind, placed: Placed, retryAfter: number | undefined): void {
    this.#budget.hold(kind, placed, this.#now() + (retryAfter ?? defaultHold));
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
