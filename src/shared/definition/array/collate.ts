import type { LocatedFault } from "../../base/errors.ts";

/** What was found of children that are judged alike. */
export interface FoundOf {
  readonly indexes: readonly number[];
  readonly faults: readonly LocatedFault[];
}

interface How {
  /** Groups of children that were judged. */
  readonly judged: number;
  /** The paths at which items land. */
  readonly landed: ReadonlySet<string>;
  readonly max: number;
  /** Of faults that differ in nothing but their index the first is enough. */
  readonly once?: boolean;
}

/**
 * One list of what was found of all children: what was found of every one of them, where no item lands, comes once and says nothing of
 * items; all else comes with its index.
 */
export function collated(all: readonly FoundOf[], { judged, landed, max, once = false }: How): readonly LocatedFault[] {
  const found = new Map<string, { readonly fault: LocatedFault; readonly indexes: number[]; groups: number }>();
  for (const { indexes, faults } of all) {
    const seen = new Set<string>();
    for (const fault of faults) {
      const key = JSON.stringify([fault.path, fault.line, fault.column, fault.message]);
      if (seen.has(key)) continue;
      seen.add(key);
      const known = found.get(key);
      if (known === undefined) found.set(key, { fault, indexes: indexes.slice(0, max), groups: 1 });
      else {
        known.groups += 1;
        if (known.indexes.length < max) known.indexes.push(...indexes.slice(0, max));
      }
    }
  }
  const [common, own]: [LocatedFault[], { readonly index: number; readonly fault: LocatedFault }[]] = [[], []];
  for (const { fault, indexes, groups } of found.values()) {
    if (groups === judged && !landed.has(fault.path)) common.push(fault);
    else for (const index of once ? indexes.slice(0, 1) : indexes) own.push({ index, fault });
  }
  own.sort((a, b) => a.index - b.index);
  return [...common, ...own.slice(0, max).map(({ index, fault }) => withIndex(fault, index))];
}

function withIndex({ path, message, ...at }: LocatedFault, index: number): LocatedFault {
  return {
    ...at,
    path: path === "" ? `array[${index}]` : `array[${index}].${path}`,
    message: `Index ${index}: ${message}`,
  };
}
