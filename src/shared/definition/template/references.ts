import { gapOf, gapPattern, type Gap } from "../array/gaps.ts";
import { vaultReferencesIn } from "../placeholders.ts";

/** What a text of a template is made of, in order. */
export type Part =
  /** To be sent as it stands; `$${` has become `${`. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "parameter"; readonly name: string }
  /** A reference to a vault that the template's author wrote, which is resolved when the group is created. */
  | { readonly kind: "vault"; readonly text: string }
  /** Where an array's items are put in, of a job that is one; else it is text as it is written. */
  | { readonly kind: "item"; readonly gap: Gap }
  /** Begins like a reference to a parameter and is not one. */
  | { readonly kind: "malformed" };

/** A parameter's name, in a reference and where it is declared. */
export const parameterName = /^[A-Za-z_][\w-]{0,63}$/;

const token = new RegExp(
  [
    /\$\$\{/,
    /\$\{param:([A-Za-z_][\w-]{0,63})\}/,
    /\$\{keyvault:[0-9A-Za-z-]{1,127}(?:\/[0-9A-Za-z]{1,64})?\}/,
    /\$\{ ?[Pp][Aa][Rr][Aa][Mm][Ss]? ?[:.]/,
    new RegExp(String.raw`\$(${gapPattern})`),
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** Takes time in proportion to the text. */
export function partsOf(text: string): readonly Part[] {
  if (!text.includes("${")) return [{ kind: "text", text }];
  const parts: Part[] = [];
  let plain = "";
  let at = 0;
  const add = (part: Part): void => {
    if (plain !== "") parts.push({ kind: "text", text: plain });
    plain = "";
    parts.push(part);
  };
  for (const { 0: found, 1: name, 2: braced, index } of text.matchAll(token)) {
    plain += text.slice(at, index);
    at = index + found.length;
    if (found === "$${") plain += "${";
    else if (braced !== undefined) add({ kind: "item", gap: gapOf(braced) });
    else if (name !== undefined) add({ kind: "parameter", name });
    else if (vaultReferencesIn(found).length > 0) add({ kind: "vault", text: found });
    else add({ kind: "malformed" });
  }
  plain += text.slice(at);
  if (plain !== "" || parts.length === 0) parts.push({ kind: "text", text: plain });
  return parts;
}
