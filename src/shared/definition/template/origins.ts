import type { LocatedFault } from "../../base/errors.ts";
import type { OwnReferences } from "../secrets.ts";
import { visit } from "../text/rewrite.ts";
import type { Filled } from "./fill.ts";

/** What the tree of a run says of where its values come from. */

/** The vault references that the template's author wrote, by their positions in the body. */
export function ownReferences({ root, references }: Pick<Filled, "root" | "references">): OwnReferences {
  const own = new Map<string, readonly number[]>();
  if (references.size === 0) return own;
  visit(root, (node, here) => {
    const starts = references.get(node);
    if (starts !== undefined) own.set(here.key, starts);
  });
  return own;
}

/** The parameters whose values stand at a path. */
export function parametersByPath({ root, origins }: Filled): (path: string) => readonly string[] {
  let known: Map<string, readonly string[]> | undefined;
  const read = (): Map<string, readonly string[]> => {
    const paths = new Map<string, readonly string[]>();
    visit(root, (node, here) => {
      const names = origins.get(node);
      if (names !== undefined) paths.set(here.path, names);
    });
    return paths;
  };
  return (path) => (known ??= read()).get(path) ?? [];
}

/** The paths of the texts with gaps for an array's items. */
export function pathsWithGaps({ root, gaps }: Filled): ReadonlySet<string> {
  const paths = new Set<string>();
  if (gaps.size === 0) return paths;
  visit(root, (node, here) => {
    if (gaps.has(node)) paths.add(here.path);
  });
  return paths;
}

/** Adds to each fault the parameters that its value comes from. */
export function namingParameters(filled: Filled): (faults: readonly LocatedFault[]) => readonly LocatedFault[] {
  const at = parametersByPath(filled);
  return (faults) =>
    faults.map((fault) => {
      const names = at(fault.path);
      if (names.length === 0) return fault;
      const from = names.length === 1 ? `parameter ${names.join("")}` : `the parameters ${names.join(", ")}`;
      return { ...fault, message: `${fault.message} The value comes from ${from}.` };
    });
}
