import type { LocatedFault } from "../base/errors.ts";
import { packSuffixLength } from "../base/ids.ts";
import type { Settings } from "../config/settings.ts";
import {
  filledWith,
  groupMax,
  isFirstContainersName,
  isInFirstContainer,
  packedName,
  type ArrayDefinition,
  type Definition,
} from "../definition/index.ts";
import { Cursor } from "../definition/cursor.ts";
import type { JobOptions } from "./options.ts";

/**
 * What a definition must not have where its array's items share container groups (the option `pack`), and whether that many fit. Pure.
 */
export interface PackFaults {
  readonly ofDefinition: readonly LocatedFault[];
  readonly ofOptions: readonly LocatedFault[];
}

type Place = (path: string) => { readonly line: number; readonly column: number };
type PackSettings = Pick<Settings, "policyMaxCpu" | "policyMaxMemoryGb" | "policyMaxContainers">;

/** Of a group's name and of a container's. */
const maxName = 63;

/** @param definition that of the array, with the size of its largest child */
export function packFaults(
  { view, name }: Definition,
  array: ArrayDefinition | undefined,
  options: JobOptions,
  place: Place,
  settings: PackSettings,
): PackFaults {
  const { pack } = options;
  if (pack === undefined || array === undefined) return { ofDefinition: [], ofOptions: [] };
  const found = [
    ...shapeFaults(Cursor.over(array.body), view),
    ...gapFaults(array),
    ...nameFaults(name, array, options),
  ];
  const tooMany = packSizeFault(view, pack, settings);
  return {
    ofDefinition: found.map(({ path, message }) => ({ path, ...place(path), message })),
    ofOptions: tooMany === undefined ? [] : [{ path: "pack", line: 1, column: 1, message: tooMany }],
  };
}

interface Fault {
  readonly path: string;
  readonly message: string;
}

/** What copies of a container in one group can't have, or would share though they are items of their own. */
function* shapeFaults(root: Cursor, view: Definition["view"]): Generator<Fault> {
  const group = root.get("properties");
  const [init, containers] = [group.get("initContainers"), group.get("containers")];
  if (view.initContainers.length > 0)
    yield { path: init.path, message: "With pack there are no init containers: a group has items of its own each." };
  if (containers.records.length !== 1)
    yield {
      path: containers.path,
      message: "With pack the definition has exactly one container: its copies are the items.",
    };
  if (view.restartPolicy === "Always")
    yield {
      path: group.get("restartPolicy").path,
      message: "With pack restartPolicy must be Never or OnFailure; Always is the default.",
    };
  const address = group.get("ipAddress");
  const ports = containers.records.map((container) => container.get("properties").get("ports"));
  for (const each of [address.get("ports"), ...ports]) {
    if (!each.empty)
      yield { path: each.path, message: "With pack there are no ports: the containers of a group share them." };
  }
  for (const container of containers.records) {
    for (const probe of ["livenessProbe", "readinessProbe"]) {
      const http = container.get("properties").get(probe).get("httpGet");
      if (!http.empty)
        yield { path: http.path, message: "With pack a probe runs a command: the containers of a group share ports." };
    }
  }
  for (const volume of group.get("volumes").records) {
    if (volume.get("emptyDir").present)
      yield { path: volume.path, message: "With pack there is no emptyDir: the items of a group would share it." };
  }
}

/** What stands outside the container is the whole group's. */
function* gapFaults({ gaps, body }: ArrayDefinition): Generator<Fault> {
  if (gaps.some(({ key }) => !isInFirstContainer(key)))
    yield {
      path: Cursor.over(body).get("properties").path,
      message: "With pack ${item} and ${index} stand inside the container alone: all else is the whole group's.",
    };
}

function* nameFaults(name: string, array: ArrayDefinition, { uniqueName }: JobOptions): Generator<Fault> {
  if (!uniqueName && name.length + packSuffixLength > maxName)
    yield {
      path: "name",
      message: `With pack the name has at most ${maxName - packSuffixLength} characters: the groups are called NAME-pNUMBER.`,
    };
  for (const index of tooLongNames(array))
    yield {
      path: "properties.containers[0].name",
      message: `Index ${index}: the container's name, NAME-INDEX, would have more than ${maxName} characters; give a shorter name.`,
    };
}

/** Of indexes whose names are too long as many are listed one by one; where no item is a part of the name the first is enough. */
const maxListed = 50;

function tooLongNames({ body, gaps, items, size }: ArrayDefinition): readonly number[] {
  const [container] = Cursor.over(body).get("properties").get("containers").records;
  const parts = gaps.find(({ key }) => isFirstContainersName(key))?.parts;
  const written = parts ?? [container?.get("name").text ?? ""];
  const isTooLong = (index: number): boolean =>
    packedName(String(filledWith(written, { index, item: items?.[index] })), index).length > maxName;
  return Array.from({ length: size }, (_, index) => index)
    .filter(isTooLong)
    .slice(0, parts === undefined ? 1 : maxListed);
}

/** How many fit into one group, by what Azure gives one and by what the operator allows. */
export function packSizeFault(
  { cpu, memoryGB }: Definition["view"],
  pack: number,
  settings: PackSettings,
): string | undefined {
  const limits = [
    { what: `ACI gives one group at most ${groupMax.cpu} CPUs`, each: cpu, max: groupMax.cpu },
    { what: `ACI gives one group at most ${groupMax.memoryGB} GB`, each: memoryGB, max: groupMax.memoryGB },
    { what: `POLICY_MAX_CPU allows ${settings.policyMaxCpu ?? 0} CPUs`, each: cpu, max: settings.policyMaxCpu },
    {
      what: `POLICY_MAX_MEMORY_GB allows ${settings.policyMaxMemoryGb ?? 0} GB`,
      each: memoryGB,
      max: settings.policyMaxMemoryGb,
    },
    {
      what: `POLICY_MAX_CONTAINERS allows ${settings.policyMaxContainers ?? 0} containers`,
      each: 1,
      max: settings.policyMaxContainers,
    },
  ].flatMap(({ max, each, what }) =>
    max === undefined || each <= 0 ? [] : [{ what, fit: Math.floor(max / each + 1e-9) }],
  );
  const [least] = limits.toSorted((a, b) => a.fit - b.fit);
  if (least === undefined || least.fit >= pack) return undefined;
  const advice = least.fit < 2 ? "leave pack out" : `pack may be at most ${least.fit}`;
  return `${pack} items do not fit into one group: ${least.what}; ${advice}.`;
}
