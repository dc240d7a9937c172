import { z } from "zod";
import type { Reply } from "../arm/arm.ts";
import { ArmError, badRequest } from "../arm/errors.ts";
import type { Incoming } from "../arm/http.ts";
import type { Throttle } from "../arm/limits.ts";
import type { Clock } from "../clock.ts";
import type { Group } from "../group.ts";
import type { Provider } from "../groups/provider.ts";
import { limitsSchema } from "../options.ts";
import type { Counters } from "./counters.ts";
import { faultSchema } from "./faults.ts";
import { isThisMachine } from "./this-machine.ts";
import type { Faults } from "./faults.ts";

export interface Controlled {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly counters: Counters;
  readonly throttle: Throttle;
  readonly provider: Provider;
}

const interruption = z.strictObject({ reason: z.enum(["Platform", "Evicted"]).default("Platform") });
const advance = z.strictObject({ seconds: z.number().nonnegative() });
const limits = z.strictObject({ limits: limitsSchema.or(z.literal(false)) });

/**
 * The control endpoint under /local, for tests. Off unless asked for, and answered only where the `Host` is this machine, so that no
 * web page can reach it through a name of its own.
 *
 * | GET /local/faults, POST /local/faults, DELETE /local/faults[/ID] | what to go wrong (faults.ts) |
 * | GET /local/counters[?tag=NAME] | calls, live groups, deployments by group, live groups by tag |
 * | GET /local/clock, POST /local/clock {seconds} | the time; moves it on |
 * | GET /local/limits, PUT /local/limits {limits} | limits.ts |
 * | POST /local/groups/NAME/vanish, .../interrupt {reason} | what happens to a group without a call |
 * | POST /local/reset | no groups, faults, counters, spent limits |
 */
export async function control(parts: Controlled, incoming: Incoming): Promise<Reply> {
  if (!isThisMachine(incoming.url.hostname)) {
    throw new ArmError(403, "Forbidden", "The control endpoint answers this machine only.");
  }
  const [, , what = "", item, action] = incoming.url.pathname.split("/");
  switch (`${incoming.method} ${what}`) {
    case "GET faults":
      return ok(parts.faults.list());
    case "POST faults":
      return { status: 201, body: { id: parts.faults.add(read(faultSchema, incoming)) } };
    case "DELETE faults":
      parts.faults.remove(item === undefined ? undefined : Number(item));
      return { status: 204 };
    case "GET counters":
      return ok(parts.counters.view(incoming.url.searchParams.get("tag")));
    case "GET clock":
      return ok({ now: new Date(parts.clock.now()).toISOString() });
    case "POST clock":
      parts.clock.advance(read(advance, incoming).seconds * 1000);
      return ok({ now: new Date(parts.clock.now()).toISOString() });
    case "GET limits":
      return ok({ limits: parts.throttle.limits });
    case "PUT limits":
      parts.throttle.limits = read(limits, incoming).limits;
      return { status: 204 };
    case "POST groups":
      return toGroups(parts, item ?? "", action, incoming);
    case "POST reset":
      return reset(parts);
    default:
      throw new ArmError(404, "NotFound", `There is no ${incoming.method} ${incoming.url.pathname}.`);
  }
}

async function toGroups(
  parts: Controlled,
  name: string,
  action: string | undefined,
  incoming: Incoming,
): Promise<Reply> {
  const groups = [...parts.provider.all()].filter(({ id }) => id.name.toLowerCase() === name.toLowerCase());
  if (groups.length === 0) throw new ArmError(404, "NotFound", `There is no group ${name}.`);
  for (const group of groups) await act(parts, group, action, incoming);
  return { status: 204 };
}

async function act(parts: Controlled, group: Group, action: string | undefined, incoming: Incoming): Promise<void> {
  if (action === "vanish") await parts.provider.vanish(group);
  else if (action === "interrupt") group.deployment.interrupt(read(interruption, incoming).reason);
  else throw new ArmError(404, "NotFound", "A group can vanish or interrupt.");
}

async function reset(parts: Controlled): Promise<Reply> {
  parts.faults.remove(undefined);
  for (const group of [...parts.provider.all()]) await parts.provider.vanish(group);
  parts.provider.operations.clear();
  parts.throttle.clear();
  parts.counters.clear();
  return { status: 204 };
}

const ok = (body: unknown): Reply => ({ status: 200, body });

function read<T>(schema: z.ZodType<T>, incoming: Incoming): T {
  let given: unknown;
  try {
    given = JSON.parse(incoming.body === "" ? "{}" : incoming.body);
  } catch {
    throw badRequest("InvalidControlRequest", "The body is not valid JSON.");
  }
  const result = schema.safeParse(given);
  if (!result.success) throw badRequest("InvalidControlRequest", z.prettifyError(result.error));
  return result.data;
}
