import { isRecord } from "../definition/shape.ts";
import { shown } from "../group.ts";
import type { Group } from "../group.ts";
import type { Appearance, PlayedScript } from "../groups/appearance.ts";
import { viewAt } from "../groups/script.ts";
import type { ScriptedView } from "../groups/script.ts";
import { ArmError, groupNotFound } from "./errors.ts";
import type { CallKind } from "./routes.ts";
import { fullView, listView } from "./view.ts";

/** Codes that answer every call on a group, since what it lies in is gone. */
const NO_SCOPE = new Set(["ResourceGroupNotFound", "SubscriptionNotFound"]);
const NOT_FOUND = "ResourceNotFound";

/** Can callers see the group? Lists leave out one that they can't, and DELETE answers 204 for it. */
export function isVisible(group: Group, now: number): boolean {
  if (now < group.deployment.appearance.hiddenUntil) return false;
  const refused = refusedView(group, now);
  return refused?.status !== 404 || codeOf(refused) !== NOT_FOUND;
}

/** What a call on this group is answered instead of the work. A PUT reaches a group that can't be seen. */
export function refusalOf(group: Group, kind: CallKind, now: number): ArmError | undefined {
  const { resourceGroup, name } = group.id;
  if (!isVisible(group, now)) {
    return kind === "put" || kind === "delete" ? undefined : groupNotFound(resourceGroup, name);
  }
  const refused = refusedView(group, now);
  if (!refused || !(kind === "get" || NO_SCOPE.has(codeOf(refused)))) return undefined;
  return new ArmError(refused.status, codeOf(refused), refused.text ?? "As the script says.");
}

type RefusedView = ScriptedView & { readonly status: number };

function refusedView({ deployment }: Group, now: number): RefusedView | undefined {
  const { script } = deployment.appearance;
  const current = script && viewOf(script, now);
  return current?.status === undefined ? undefined : { ...current, status: current.status };
}

const codeOf = ({ status, code }: RefusedView): string => code ?? (status === 404 ? NOT_FOUND : "InternalServerError");

const viewOf = ({ views, since, stoppedAt }: PlayedScript, now: number): ScriptedView =>
  viewAt(views, ((stoppedAt ?? now) - since) / 1000);

/** A group as GET shows it. */
export function observed(group: Group, now: number): Record<string, unknown> {
  const { appearance, life } = group.deployment;
  const plain = fullView(shown(group));
  const { script, codes } = appearance;
  const scripted = script ? played(plain, script, now, life.phase === "Stopped") : plain;
  const masked = codes ? withoutCodes(scripted, codes, now) : scripted;
  return withProvisioning(masked, appearance, group, now);
}

/** A group as lists show it. */
export const listed = (group: Group, now: number): Record<string, unknown> =>
  withProvisioning(listView(shown(group)), group.deployment.appearance, group, now);

function withProvisioning(
  view: Record<string, unknown>,
  { provisioning }: Appearance,
  group: Group,
  now: number,
): Record<string, unknown> {
  if (group.deleting) return changed(view, { provisioningState: "Deleting" });
  return provisioning && now < provisioning.until ? changed(view, { provisioningState: provisioning.word }) : view;
}

const changed = (view: Record<string, unknown>, change: Record<string, unknown>): Record<string, unknown> => ({
  ...view,
  properties: { ...propertiesOf(view), ...change },
});

const propertiesOf = ({ properties }: Record<string, unknown>): Record<string, unknown> =>
  isRecord(properties) ? properties : {};

/** The script's view in the form of the group's own. */
function played(
  plain: Record<string, unknown>,
  script: PlayedScript,
  now: number,
  stopped: boolean,
): Record<string, unknown> {
  const view = viewOf(script, now);
  const { instanceView: _, ...properties } = propertiesOf(plain);
  const state = stopped ? "Stopped" : view.state;
  const group =
    view.state === undefined && view.events === undefined ? {} : { instanceView: { events: view.events ?? [], state } };
  const members = (name: "containers" | "initContainers"): unknown =>
    view[name]?.length === 0 ? [] : withViews(properties[name], view[name] ?? [], stopped);
  const timed = atTimes(
    {
      provisioningState: view.provisioningState === undefined ? "Succeeded" : view.provisioningState,
      containers: members("containers"),
      initContainers: members("initContainers"),
      ...group,
    },
    script.since,
  );
  return {
    ...plain,
    ...(view.tags === undefined ? {} : { tags: view.tags }),
    properties: { ...properties, ...(isRecord(timed) ? timed : {}) },
  };
}

function withViews(
  containers: unknown,
  views: readonly (Record<string, unknown> | null)[],
  stopped: boolean,
): unknown[] {
  return (Array.isArray(containers) ? containers : []).map((container: unknown, index) => {
    if (!isRecord(container)) return container;
    const { instanceView: _, ...properties } = propertiesOf(container);
    const view = views[index];
    if (!view) return { ...container, properties };
    return { ...container, properties: { ...properties, instanceView: stopped ? ended(view) : view } };
  });
}

/** A stop kills what runs. */
function ended(view: Record<string, unknown>): Record<string, unknown> {
  const current = view["currentState"];
  if (!isRecord(current) || current["state"] !== "Running") return view;
  return { ...view, currentState: { ...current, state: "Terminated", exitCode: 137, detailStatus: "Error" } };
}

const RELATIVE = /^@(-?\d+(?:\.\d+)?)$/;

/** A copy in which every `@N` is the time N seconds after `since`. */
function atTimes(given: unknown, since: number): unknown {
  if (Array.isArray(given)) return given.map((item: unknown) => atTimes(item, since));
  if (isRecord(given)) {
    return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, atTimes(value, since)]));
  }
  const seconds = typeof given === "string" ? RELATIVE.exec(given)?.[1] : undefined;
  return seconds === undefined ? given : new Date(since + Number(seconds) * 1000).toISOString();
}

type Codes = NonNullable<Appearance["codes"]>;

const STATES = ["currentState", "previousState"] as const;

/** Exit codes that nobody knows yet are left out. */
function withoutCodes(view: Record<string, unknown>, codes: Codes, now: number): Record<string, unknown> {
  const isUnknown = (state: unknown): state is Record<string, unknown> =>
    isRecord(state) && typeof state["finishTime"] === "string" && now < Date.parse(state["finishTime"]) + codes.delay;
  const { containers, initContainers, instanceView } = propertiesOf(view);
  const views = [...instanceViews(containers), ...instanceViews(initContainers)];
  if (!views.some((one) => STATES.some((name) => isUnknown(one[name])))) return view;
  const masked = (one: Record<string, unknown>): Record<string, unknown> => ({
    ...one,
    ...Object.fromEntries(
      STATES.filter((name) => isUnknown(one[name])).map((name) => [
        name,
        { ...(isUnknown(one[name]) ? one[name] : {}), exitCode: null, detailStatus: "" },
      ]),
    ),
  });
  return changed(view, {
    containers: mapViews(containers, masked),
    initContainers: mapViews(initContainers, masked),
    ...(codes.groupSaysRunning && isRecord(instanceView)
      ? { instanceView: { ...instanceView, state: "Running" } }
      : {}),
  });
}

const instanceViews = (containers: unknown): Record<string, unknown>[] =>
  (Array.isArray(containers) ? containers : []).flatMap((container: unknown) => {
    const view = isRecord(container) ? propertiesOf(container)["instanceView"] : undefined;
    return isRecord(view) ? [view] : [];
  });

const mapViews = (containers: unknown, change: (view: Record<string, unknown>) => unknown): unknown[] =>
  (Array.isArray(containers) ? containers : []).map((container: unknown) => {
    if (!isRecord(container)) return container;
    const { instanceView, ...properties } = propertiesOf(container);
    const view = isRecord(instanceView) ? { instanceView: change(instanceView) } : {};
    return { ...container, properties: { ...properties, ...view } };
  });
