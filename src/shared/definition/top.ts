import { foldName, isJsonObject, member, setMember, type JsonObject, type JsonValue } from "../base/json.ts";
import { Findings, type Advice } from "./text/positions.ts";
import { containerGroup, optionsBlock, tagsOption, type Type } from "./schema/schema.ts";
import { Trail } from "./text/trail.ts";
import { countingSpellings, type Entry, type MapNode, type Node } from "./text/tree.ts";
import { isOverridden, typed, unknown, type TypingContext } from "./schema/typed-value.ts";
import { newest, standingOf } from "./schema/versions.ts";

export interface Top {
  readonly name: string;
  readonly apiVersion: string;
  /** The members that Azure Resource Manager has at the top, spelt its way; null and empty text are as good as absent there. */
  readonly body: JsonObject;
  /** What was written, without what is left out or ours, and the tree that it came from. */
  readonly written: JsonObject;
  readonly node: MapNode;
  readonly block: Block | undefined;
  readonly callBackUri: string | undefined;
}

interface Block {
  readonly values: JsonObject;
  readonly offsetOf: (key: string) => number;
}

/**
 * Takes the top of a definition apart: what becomes the URL (`name`, `type`, `apiVersion`), what is ours (`x-aciproxy`, `callBackUri`),
 * what Azure Resource Manager has there, and what it would refuse with a 400, which is left out with a warning.
 *
 * @returns `undefined` for what is no container group at all, about which there is but one thing to say
 */
export function readTop(root: MapNode, defaultApiVersion: string, findings: Findings): Top | undefined {
  const other = otherKind(root);
  if (other) {
    findings.fault(Trail.top(other.at), other.message);
    return undefined;
  }
  const version = readApiVersion(root, defaultApiVersion, findings);
  const { node, block, callBackUri } = split(root, version.context);
  const written = typed(node, containerGroup, Trail.top(root.at), version.context);
  if (!isJsonObject(written)) return undefined; // not reached: a mapping is typed to an object
  const body: JsonObject = {};
  for (const [key, value] of Object.entries(written)) {
    const property = containerGroup.properties.get(foldName(key));
    if (!property || property.readOnly === true || value === null || value === "") continue;
    if (!["name", "type", "apiVersion"].includes(property.name)) setMember(body, property.name, value);
  }
  if (body["properties"] === undefined) {
    const missing = Trail.top(root.at).to("properties", root.at);
    findings.fault(missing, "properties is missing: it holds the group's containers, osType and the rest.");
  }
  const name = member(written, "name")?.value;
  return {
    name: typeof name === "string" ? name : "",
    apiVersion: version.apiVersion,
    body,
    written,
    node,
    block,
    callBackUri,
  };
}

/** What of the top is ours, where the rest is judged apart from it. */
export function readOurs(
  root: MapNode,
  defaultApiVersion: string,
  findings: Findings,
): Pick<Top, "block" | "callBackUri"> {
  const { context } = readApiVersion(root, defaultApiVersion, new Findings());
  const ours = new Map([...root.entries].filter(([key]) => isOurs(key)));
  return split({ ...root, entries: ours }, { ...context, findings });
}

/** A member of the top that ACI never sees. */
export function isOurs(key: string): boolean {
  return key === "x-aciproxy" || key === "callBackUri";
}

/** The option `array` of the block, as it is written there; `undefined` where it is not there. */
export function arrayOptionIn(root: MapNode): JsonValue | undefined {
  const block = root.entries.get("x-aciproxy")?.node;
  const found = block?.kind === "map" ? find(block, "array") : undefined;
  if (found === undefined) return undefined;
  const [key, { node, at }] = found;
  return typed(node, arrayType(node), Trail.top(at).to(key, at), {
    findings: new Findings(),
    version: newest,
    newer: false,
  });
}

/** Items that are scalars are text as it was written. */
function arrayType(node: Node): Type {
  const isList = node.kind === "list" && node.items.every(({ kind }) => kind === "scalar");
  return isList ? { kind: "list", of: { kind: "text" } } : { kind: "any" };
}

/** What else people send that describes containers: one sentence says more than all its faults. */
function otherKind(root: MapNode): { readonly at: number; readonly message: string } | undefined {
  const [schema, resources, kind, services, containers] = [
    find(root, "$schema") ?? find(root, "contentVersion"),
    ...["resources", "kind", "services", "containers"].map((name) => find(root, name)),
  ].map((found) => found?.[1]);
  const isGroup = find(root, "properties") !== undefined;
  if (resources && (schema || (!isGroup && resources.node.kind !== "scalar"))) {
    return {
      at: (schema ?? resources).at,
      message:
        "This is an ARM deployment template: send the container group alone, with its parameters filled in, and name, location and properties at the top.",
    };
  }
  if (isGroup) return undefined;
  if (schema && find(root, "parameters")) {
    return {
      at: schema.at,
      message:
        "These are the parameters of an ARM deployment template: send the container group, with them filled in, and name, location and properties at the top.",
    };
  }
  if (containers && isFlattened(containers)) {
    return {
      at: containers.at,
      message:
        "This group is flattened, as az container show prints it: export it with az container export, or put containers and the rest under properties.",
    };
  }
  const instead = "send an ACI container group, with name, location and properties at the top";
  if (kind && ["spec", "metadata", "items"].some((name) => find(root, name)))
    return { at: kind.at, message: `This is a Kubernetes manifest; ${instead}.` };
  if (services?.node.kind === "map") return { at: services.at, message: `This is a Compose file; ${instead}.` };
  return undefined;
}

/** A list of containers whose members stand beside their name, not under `properties`. */
function isFlattened({ node }: Entry): boolean {
  const items = node.kind === "list" ? node.items.slice(0, 60) : [];
  return items.some((item) => item.kind === "map" && !find(item, "properties") && find(item, "image") !== undefined);
}

function find(root: MapNode, name: string): [key: string, entry: Entry] | undefined {
  const key = countingSpellings(root.entries).get(foldName(name)) ?? name;
  const entry = root.entries.get(key);
  return entry && [key, entry];
}

function readApiVersion(
  root: MapNode,
  fallback: string,
  findings: Findings,
): { readonly apiVersion: string; readonly context: TypingContext } {
  const [key, entry] = find(root, "apiVersion") ?? [];
  const written = entry?.node.kind === "scalar" && entry.node.value !== null ? entry.node.text.trim() : undefined;
  const standing = standingOf(written ?? fallback);
  if (written !== undefined && key !== undefined && entry) {
    const here = Trail.top(root.at).to(key, entry.at);
    if (standing === "newer") {
      findings.warn(
        here,
        `apiVersion is newer than the newest known here (${newest}): the group is sent under it, its properties less closely checked.`,
      );
    } else if (standing === "never published") {
      findings.fault(
        here,
        `No such apiVersion was ever published for container groups; write ${fallback}, or leave it out.`,
      );
    }
  }
  const version = typeof standing === "object" ? standing.known : newest;
  return { apiVersion: written ?? fallback, context: { findings, version, newer: standing === "newer" } };
}

const provider = "microsoft.containerinstance";

/** Takes out what is ours and what Azure Resource Manager doesn't have at the top. */
function split(root: MapNode, context: TypingContext): Pick<Top, "node" | "block" | "callBackUri"> {
  const entries = new Map<string, Entry>();
  let block: Block | undefined;
  let callBackUri: string | undefined;
  for (const [key, entry] of root.entries) {
    const here = Trail.top(root.at).to(key, entry.at);
    if (key === "x-aciproxy") block = readBlock(entry, here, context);
    else if (key === "callBackUri") callBackUri = readCallBackUri(entry, here, context);
    else if (containerGroup.properties.has(foldName(key))) entries.set(key, entry);
    else context.findings.warn(here, () => advice(key, here, context));
    if (foldName(key) === "type") judgeType(entry, here, context);
  }
  return { node: { ...root, entries }, block, callBackUri };
}

function judgeType({ node }: Entry, here: Trail, { findings }: TypingContext): void {
  const type = node.kind === "scalar" && node.value !== null ? foldName(node.text.trim()) : undefined;
  if (type === undefined || type === `${provider}/containergroups`) return;
  const message = "type must be Microsoft.ContainerInstance/containerGroups, or left out.";
  if (type === provider) findings.warn(here, `${message} The provider's name alone is taken as that.`);
  else findings.fault(here, message);
}

function readBlock({ node, at }: Entry, here: Trail, context: TypingContext): Block | undefined {
  if (node.kind === "scalar" && node.value === null) return undefined;
  if (node.kind !== "map") {
    context.findings.fault(here, "x-aciproxy must be a mapping of options to values.");
    return undefined;
  }
  const values: JsonObject = {};
  const counting = countingSpellings(node.entries);
  for (const [key, entry] of node.entries) {
    const name = foldName(key);
    if (isOverridden(entry, node.entries.get(counting.get(name) ?? key))) continue;
    const option =
      name === "tags"
        ? tagsOption[entry.node.kind]
        : name === "array"
          ? arrayType(entry.node)
          : (optionsBlock.properties.get(name)?.type ?? { kind: "any" });
    setMember(values, key, typed(entry.node, option, here.to(key, entry.at), context));
  }
  return { values, offsetOf: (key) => node.entries.get(key)?.at ?? at };
}

function readCallBackUri({ node }: Entry, here: Trail, { findings }: TypingContext): string | undefined {
  if (node.kind === "scalar" && node.value === null) return undefined;
  if (node.kind === "scalar" && typeof node.value === "string") return node.value;
  findings.fault(here, "callBackUri must be an address.");
  return undefined;
}

/** What to say of a member that is left out. */
function advice(key: string, here: Trail, context: TypingContext): Advice {
  const letters = key
    .slice(0, 40)
    .toLowerCase()
    .replace(/[^a-z]/g, "");
  if (letters === "xaciproxy" || letters === "aciproxy")
    return { message: "No options are read here: they stand under x-aciproxy, in exactly these letters." };
  if (letters === "callbackuri" || letters === "callbackurl")
    return { message: "No address is read here: it stands at callBackUri, in exactly these letters." };
  const { message, meant } = unknown(key, here, containerGroup, undefined, context);
  return { message: `${message} It is left out of what is sent.`, meant };
}
