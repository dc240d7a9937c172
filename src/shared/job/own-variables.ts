import type { ArrayDefinition, Definition } from "../definition/index.ts";
import type { LocatedFault } from "../base/errors.ts";
import { isJsonObject, member, type JsonValue } from "../base/json.ts";
import type { JobOptions } from "./options.ts";

/** Variables that every container gets with the option `env`, and those of an array's children. */
const ofJob = ["JOB_ID", "NAME", "ATTEMPT", "DEADLINE"].map((name) => `ACI_PROXY_${name}`);
const ofPlainJob = ["ACI_PROXY_RESULT_URL"];
const ofChild = ["ACI_PROXY_ARRAY_INDEX", "ACI_PROXY_ARRAY_SIZE"];

/** A reply is no place for thousands. */
const maxListed = 50;

/** Warnings of variables that the service's own of the same names replace. Pure. */
export function replacedVariables(
  { body }: Definition,
  array: ArrayDefinition | undefined,
  { env, pack }: JobOptions,
  place: (path: string) => { readonly line: number; readonly column: number },
): LocatedFault[] {
  const own = new Set([
    ...(env ? [...ofJob, "TRACEPARENT", ...(pack === undefined ? ofPlainJob : [])] : []),
    ...(array === undefined ? [] : ofChild),
    ...(array?.items === undefined ? [] : ["ACI_PROXY_ARRAY_ITEM"]),
  ]);
  if (own.size === 0) return [];
  const message = "The service sets this variable itself: the value here has no effect.";
  const found = ["containers", "initContainers"].flatMap((list) =>
    listIn(valueAt(body, "properties", list)).flatMap((container, at) =>
      listIn(valueAt(container, "properties", "environmentVariables")).flatMap((variable, index) => {
        const name = valueAt(variable, "name");
        if (typeof name !== "string" || !own.has(name)) return [];
        const path = `properties.${list}[${at}].properties.environmentVariables[${index}]`;
        return [{ path, ...place(path), message }];
      }),
    ),
  );
  return found.slice(0, maxListed);
}

function valueAt(value: JsonValue, ...path: readonly string[]): JsonValue {
  return path.reduce<JsonValue>((at, name) => (isJsonObject(at) ? (member(at, name)?.value ?? null) : null), value);
}

function listIn(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
