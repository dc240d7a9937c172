import { foldName, isJsonObject, type JsonObject, type JsonValue } from "../../src/shared/base/json.ts";
import { Findings } from "../../src/shared/definition/text/positions.ts";
import { containerGroup } from "../../src/shared/definition/schema/schema.ts";
import { nameInPath, Trail } from "../../src/shared/definition/text/trail.ts";
import { typed } from "../../src/shared/definition/schema/typed-value.ts";
import { newest, standingOf } from "../../src/shared/definition/schema/versions.ts";
import { readYaml } from "../../src/shared/definition/text/read.ts";

/** A definition as a resource in Bicep: one property, or item of a list, to a line. */
export interface GroupSource {
  readonly text: string;
  /** By line, from 1: the path, in the validator's form, of what stands there. */
  readonly paths: readonly string[];
}

/** What of the top becomes the URL, or is ours and never sent. */
const apart = ["type", "apiversion", "x-aciproxy", "callbackuri"];

/**
 * @param fallback the apiVersion of a definition without one
 * @returns `undefined` where the text is no mapping at all, or an ARM deployment template
 */
export function groupSource(definition: string, fallback: string): GroupSource | undefined {
  const read = readYaml(definition, { maxDepth: 64, maxNodes: 100_000 });
  if (!read.ok || read.root.entries.has("$schema")) return undefined;
  const version = [...read.root.entries].findLast(([key]) => foldName(key) === "apiversion")?.[1].node;
  const apiVersion = version?.kind === "scalar" && version.value !== null ? version.text : fallback;
  const standing = standingOf(apiVersion);
  const known = typeof standing === "object" ? standing.known : newest;
  const context = { findings: new Findings(), version: known, newer: standing === "newer" };
  const written = typed(read.root, containerGroup, Trail.top(0), context);
  return isJsonObject(written) ? sourceOf(written, apiVersion) : undefined;
}

/** A resource, its properties spelt as the body has them: at the top as Azure Resource Manager does, below as written. */
function sourceOf(group: JsonObject, apiVersion: string): GroupSource {
  const lines: string[] = [];
  const paths = [""];
  const put = (path: string, line: string): void => {
    lines.push(line);
    paths.push(path);
  };
  const putValue = (path: string, before: string, value: JsonValue): void => {
    if (Array.isArray(value)) {
      put(path, `${before}[`);
      value.forEach((item, index) => {
        putValue(`${path}[${index}]`, "", item);
      });
      put(path, "]");
    } else if (isJsonObject(value)) {
      put(path, `${before}{`);
      for (const [key, item] of Object.entries(value))
        putValue(`${path}.${nameInPath(key, path.split(".").at(-1))}`, `${quoted(key)}: `, item);
      put(path, "}");
    } else put(path, before + scalar(value));
  };
  put("", `resource group 'Microsoft.ContainerInstance/containerGroups@${apiVersion}' = {`);
  for (const [key, value] of Object.entries(group)) {
    if (apart.includes(foldName(key))) continue;
    const name = containerGroup.properties.get(foldName(key))?.name ?? key;
    putValue(nameInPath(key, undefined), `${quoted(name)}: `, value);
  }
  put("", "}");
  return { text: `${lines.join("\n")}\n`, paths };
}

function scalar(value: null | boolean | number | string): string {
  if (typeof value === "string") return quoted(value);
  // Bicep has no fractions
  return typeof value === "number" && !Number.isSafeInteger(value) ? `json('${value}')` : String(value);
}

function quoted(text: string): string {
  const escaped = text.replace(/[\\']|\$(?=\{)/g, "\\$&");
  return `'${escaped.replace(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/g, (control) => `\\u{${control.charCodeAt(0).toString(16)}}`)}'`;
}
