import type { Definition } from "../definition/index.ts";
import type { LocatedFault } from "../base/errors.ts";
import { policyFaults } from "./policy.ts";
import type { Settings } from "../config/settings.ts";
import { vaultFault } from "../security/vault-references.ts";

/** A good definition that this service will not run: it refers to a vault where that can't be, or an operator's rule forbids it. */
export interface NotPermitted {
  readonly code: "InvalidDefinition" | "PolicyRefused";
  readonly what: string;
  readonly errors: readonly LocatedFault[];
}

/** The number of faults that are reported; finding the position of each costs time. */
const maxTold = 20;
/** A job that asked for more would keep the vault busy for everybody. */
const maxReferences = 100;

export function notPermitted(
  definition: Definition,
  place: (path: string) => { line: number; column: number },
  settings: Settings,
): NotPermitted | undefined {
  const placed = (faults: readonly { path: string; message: string }[]): LocatedFault[] =>
    faults.slice(0, maxTold).map(({ path, message }) => ({ path, ...place(path), message }));
  const references = definition.view.vaultReferences.flatMap((reference, index) => {
    const message =
      index < maxReferences
        ? vaultFault(reference, settings)
        : `A definition may have at most ${maxReferences} vault references.`;
    return message === undefined ? [] : [{ path: reference.path, message }];
  });
  if (references.length > 0)
    return { code: "InvalidDefinition", what: "A vault reference can't be followed", errors: placed(references) };
  const forbidden = policyFaults(definition, settings);
  if (forbidden.length > 0)
    return { code: "PolicyRefused", what: "The operator's policy forbids this", errors: placed(forbidden) };
  return undefined;
}
