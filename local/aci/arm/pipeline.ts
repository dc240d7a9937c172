import type { Clock } from "../clock.ts";
import type { Counters } from "../control/counters.ts";
import { errorOf } from "../control/effects.ts";
import type { Effect } from "../control/effects.ts";
import type { Faults, Strike } from "../control/faults.ts";
import { isRecord } from "../definition/shape.ts";
import { groupKey, locationOf } from "../group.ts";
import type { Group } from "../group.ts";
import { isCourse } from "../groups/course.ts";
import type { Plan } from "../groups/course.ts";
import type { Provider } from "../groups/provider.ts";
import type { Arm, Call, Reply } from "./arm.ts";
import { ArmError } from "./errors.ts";
import { errorReply } from "./http.ts";
import type { Answer, Incoming } from "./http.ts";
import type { Throttle } from "./limits.ts";
import { route } from "./routes.ts";
import type { CallKind } from "./routes.ts";

export interface PipelineParts {
  readonly arm: Arm;
  readonly clock: Clock;
  readonly provider: Provider;
  readonly throttle: Throttle;
  readonly faults: Faults;
  readonly counters: Counters;
  /** By group: what its next deployment is to go through, put there for the provider to see. */
  readonly ahead: Map<string, Pick<Plan, "course" | "put">>;
}

/** One ARM request from the wire to the wire: throttled, struck by faults, answered, counted. */
export async function answerCall(parts: PipelineParts, incoming: Incoming): Promise<Answer> {
  parts.clock.settle();
  const call = toCall(incoming);
  const strike = parts.faults.strike(call.method, call.route);
  const answer = before(strike?.effect) ?? (await work(parts, call, incoming, strike));
  parts.counters.called(call.route, typeof answer === "string" ? answer : answer.status);
  return answer;
}

function before(effect: Effect | undefined): "silence" | "drop" | undefined {
  const cut = effect?.type === "silence" || effect?.type === "drop" ? effect : undefined;
  return cut?.when === "before" ? cut.type : undefined;
}

async function work(parts: PipelineParts, call: Call, incoming: Incoming, strike: Strike | undefined): Promise<Answer> {
  const { route } = call;
  const { kind, subscription } = route;
  const effect = strike?.effect;
  if (effect?.type === "slow") await later(parts.clock, effect.seconds * 1000);
  if (strike && isCourse(strike.effect)) {
    parts.ahead.set(groupKey(route), { course: strike.effect, put: strike.hits });
  }
  if (effect && kind !== "put") befall(parts.provider.find(route), effect, parts.clock.now());
  let reply: Reply;
  try {
    const error = effect && errorOf(effect, route);
    if (error) throw error;
    parts.throttle.admitCall(kind, subscription);
    reply = await parts.arm.answer(call);
    if (kind === "put") parts.counters.accepted(route);
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    reply = errorReply(error, incoming.requestId, incoming.correlationId);
  } finally {
    parts.ahead.delete(groupKey(route));
  }
  const group = parts.provider.find(route);
  const location = group ? locationOf(group) : undefined;
  const headers = { ...reply.headers, ...parts.throttle.headers(kind, subscription, location) };
  if (effect && group) await befallAfter(parts, group, kind, effect);
  return after({ ...reply, headers }, effect);
}

/** What becomes of the group once the call was worked. */
async function befallAfter(parts: PipelineParts, group: Group, kind: CallKind, effect: Effect): Promise<void> {
  if (kind === "put") befall(group, effect, parts.clock.now());
  if (effect.type === "vanish") {
    const { code, message = "" } = effect;
    await parts.provider.vanish(group, code === undefined ? undefined : { code, message });
  }
  if (effect.type !== "interrupt") return;
  const { afterSeconds, reason, exitCode } = effect;
  if (afterSeconds === undefined) group.deployment.interrupt(reason, exitCode);
  else group.deployment.interruptIn(afterSeconds, reason, exitCode);
}

/** What of an effect shows on the group from now on. */
function befall(group: Group | undefined, effect: Effect, now: number): void {
  switch (effect.type) {
    case "notVisible":
      group?.deployment.appear({ hiddenUntil: now + effect.seconds * 1000 });
      return;
    case "repairing":
      group?.deployment.appear({ provisioning: { word: "Repairing", until: now + effect.seconds * 1000 } });
      return;
    case "unknownExitCode": {
      const { seconds = Infinity, groupSaysRunning } = effect;
      group?.deployment.appear({ codes: { delay: seconds * 1000, groupSaysRunning } });
      return;
    }
    default:
      return;
  }
}

function after(reply: Reply, effect: Effect | undefined): Answer {
  switch (effect?.type) {
    case "silence":
      return "silence";
    case "drop":
      return "drop";
    case "notJson":
      return {
        status: effect.status,
        raw: "<html><head><title>Service unavailable</title></head><body></body></html>",
      };
    case "clockSkew":
      return { ...reply, body: skewed(reply.body, effect.seconds * 1000) };
    case "truncateLog":
      return { ...reply, body: shortened(reply.body, effect.bytes) };
    case "unknownState":
      return { ...reply, body: withStates(reply.body, effect) };
    default:
      return reply;
  }
}

const TIME_MEMBERS = new Set(["startTime", "finishTime", "firstTimestamp", "lastTimestamp", "endTime"]);

/** A copy with every time moved. */
function skewed(body: unknown, milliseconds: number): unknown {
  if (Array.isArray(body)) return body.map((item: unknown) => skewed(item, milliseconds));
  if (!isRecord(body)) return body;
  const moved = Object.entries(body).map(([name, value]) => [
    name,
    TIME_MEMBERS.has(name) && typeof value === "string"
      ? new Date(Date.parse(value) + milliseconds).toISOString()
      : skewed(value, milliseconds),
  ]);
  return Object.fromEntries(moved);
}

function shortened(body: unknown, bytes: number): unknown {
  if (!isRecord(body) || typeof body["content"] !== "string") return body;
  const content = Buffer.from(body["content"]);
  return { ...body, content: content.subarray(Math.max(0, content.length - bytes)).toString("utf8") };
}

function withStates(body: unknown, states: Extract<Effect, { type: "unknownState" }>): unknown {
  if (!isRecord(body) || !isRecord(body["properties"])) return body;
  const properties = { ...body["properties"] };
  if (states.provisioningState !== undefined) properties["provisioningState"] = states.provisioningState;
  if (states.groupState !== undefined && isRecord(properties["instanceView"])) {
    properties["instanceView"] = { ...properties["instanceView"], state: states.groupState };
  }
  if (states.containerState !== undefined && Array.isArray(properties["containers"])) {
    properties["containers"] = properties["containers"].map((container: unknown) =>
      withContainerState(container, states.containerState ?? ""),
    );
  }
  return { ...body, properties };
}

function withContainerState(container: unknown, state: string): unknown {
  if (!isRecord(container) || !isRecord(container["properties"])) return container;
  const view = container["properties"]["instanceView"];
  if (!isRecord(view) || !isRecord(view["currentState"])) return container;
  const currentState = { ...view["currentState"], state };
  return { ...container, properties: { ...container["properties"], instanceView: { ...view, currentState } } };
}

const later = (clock: Clock, milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    clock.at(clock.now() + milliseconds, () => resolve());
  });

function toCall({ method, url, body, headers, requestId, correlationId }: Incoming): Call {
  return {
    method,
    route: route(method, url.pathname),
    query: url.searchParams,
    base: url.origin,
    path: url.pathname,
    body,
    cause: {
      requestId,
      correlationId,
      clientRequestId: String(headers["x-ms-client-request-id"] ?? ""),
      method,
      url: url.href,
    },
  };
}
