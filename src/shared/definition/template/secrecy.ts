import type { LocatedFault } from "../../base/errors.ts";
import { credentialsIn } from "../../base/redact.ts";
import { foldName, type JsonObject } from "../../base/json.ts";
import { mapLeaves } from "../leaves.ts";
import { commandSecrets, isOrdinary, userinfo } from "../secrets.ts";
import { Findings } from "../text/positions.ts";
import { readTop } from "../top.ts";
import { visit } from "../text/rewrite.ts";
import type { Filled } from "./fill.ts";
import { parametersMember } from "./parameters.ts";
import { partsOf } from "./references.ts";
import type { Template } from "./template.ts";

/**
 * Judges where secrets stand in a template: a secret parameter only where Azure never gives a value back, and no secret in its text,
 * so that the template can be shown whole, edited and stored again.
 *
 * @param sample the template with any values: the shape of its body
 */
export function judgeSecrecy(
  template: Template,
  sample: Filled,
  defaultApiVersion: string,
): { readonly faults: readonly LocatedFault[]; readonly warnings: readonly LocatedFault[] } {
  const { root, places } = template.tree;
  const findings = new Findings();
  const leaves = leavesByKey(readTop(sample.root, defaultApiVersion, new Findings())?.body ?? {});
  visit(root, (node, here) => {
    if (node.kind !== "scalar" || node.text === "" || node.value === null) return;
    const parts = partsOf(node.text);
    const names = parts.flatMap((part) => (part.kind === "parameter" ? [part.name] : []));
    const secret = names.find((name) => template.parameters.get(foldName(name))?.secret === true);
    const { isSecret = false, isNamed = false, inCommand = false } = leaves.get(here.key) ?? {};
    const spot = { path: here.path, offset: node.at };
    if (secret !== undefined && !isSecret)
      findings.fault(spot, `Parameter ${secret} is secret: it may stand only in ${secretPlaces}.`);
    const isReference = secret !== undefined || parts.some(({ kind }) => kind === "vault" || kind === "item");
    const literal = parts.map((part) => (part.kind === "text" ? part.text : " ")).join("");
    const isLiteral = names.length === 0 && !parts.some(({ kind }) => kind === "item");
    if ((isSecret && !isReference) || (inCommand && isLiteral) || holdsCredential(literal))
      findings.fault(spot, noSecret);
    else if (isNamed && isLiteral) findings.warn(spot, openSecret);
  });
  const faults = [...findings.faults(places)];
  for (const { name, fallback, line, column } of template.parameters.values()) {
    const texts = typeof fallback === "object" ? fallback : [String(fallback ?? "")];
    if (texts.some(holdsCredential))
      faults.push({ path: `${parametersMember}.${name}`, line, column, message: noSecret });
  }
  return { faults, warnings: findings.warnings(places) };
}

interface SecretLeaf {
  readonly isSecret: boolean;
  readonly isNamed: boolean;
  readonly inCommand: boolean;
}

function leavesByKey(body: JsonObject): ReadonlyMap<string, SecretLeaf> {
  const leaves = new Map<string, SecretLeaf>();
  const commandSecret = commandSecrets();
  mapLeaves(body, (leaf) => {
    const { place, trail, value } = leaf;
    leaves.set(trail.key, {
      isSecret: place === "secret" || place === "file",
      isNamed: place === "named" && !isOrdinary(String(value)),
      inCommand: commandSecret(leaf) !== undefined,
    });
    return value;
  });
  return leaves;
}

function holdsCredential(text: string): boolean {
  return [...credentialsIn(text), ...(text.match(userinfo) ?? [])].some((each) => each.trim() !== "");
}

const secretPlaces =
  "secureValue, a registry's password, storageAccountKey, workspaceKey, or a file of a secret volume";
const noSecret =
  "A template holds no secret: write a vault reference, ${keyvault:NAME}, or ${param:NAME} of a parameter with secret: true.";
const openSecret =
  "The variable's name speaks of a secret, and its value can be read in the template and in Azure; use secureValue.";
