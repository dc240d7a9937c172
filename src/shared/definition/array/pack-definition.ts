import { isJsonObject, member, withMember, type JsonObject, type JsonValue } from "../../base/json.ts";
import type { Definition } from "../parsed.ts";
import { viewOf } from "../view.ts";
import { childBody } from "./array-definition.ts";
import type { ArrayDefinition } from "./gaps.ts";

/**
 * The definition of a pack: the one container of each of these children, called NAME-INDEX, in one group. All else is the same for all
 * children. Pure.
 */
export function packDefinition(array: ArrayDefinition, indexes: readonly number[]): Definition {
  const { name, apiVersion } = array;
  const own = new Map<string, readonly number[]>();
  const containers: JsonValue[] = [];
  let group: JsonObject = {};
  for (const [at, index] of indexes.entries()) {
    const { body, references } = childBody(array, index);
    if (at === 0) group = body;
    containers.push(...containersIn(body).map((container) => named(container, index)));
    for (const [key, starts] of references) {
      const isInContainer = firstContainer.test(key);
      if (isInContainer || at === 0) own.set(key.replace(firstContainer, `$1/${at}`), starts);
    }
  }
  const properties = member(group, "properties")?.value;
  const body = isJsonObject(properties)
    ? withMember(group, "properties", withMember(properties, "containers", containers))
    : group;
  return { name, apiVersion, body, view: viewOf(body, own) };
}

/** What a pack's container for an index is called. */
export function packedName(name: string, index: number): string {
  return `${name}-${index}`;
}

/** The beginning of a position in the first container, as far as the container's number. */
const firstContainer = /^(\/"properties"\/"containers")\/0(?=\/|$)/i;

/** Whether a position of a body lies in its first container. */
export function isInFirstContainer(key: string): boolean {
  return firstContainer.test(key);
}

/** Whether it is that container's name. */
export function isFirstContainersName(key: string): boolean {
  return isInFirstContainer(key) && /^\/"name"$/i.test(key.replace(firstContainer, ""));
}

function containersIn(body: JsonObject): readonly JsonValue[] {
  const properties = member(body, "properties")?.value;
  const containers = isJsonObject(properties) ? member(properties, "containers")?.value : undefined;
  return Array.isArray(containers) ? containers : [];
}

function named(container: JsonValue, index: number): JsonValue {
  const name = isJsonObject(container) ? member(container, "name")?.value : undefined;
  return isJsonObject(container) && typeof name === "string"
    ? withMember(container, "name", packedName(name, index))
    : container;
}
