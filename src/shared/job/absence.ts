import type { Rules } from "./step.ts";
import { settleTime } from "./step.ts";

/**
 * When "nothing there" can be trusted. ARM's view lags behind: a group that was created a moment ago, or that runs, may be absent
 * for a while (Azure-Samples/aci-logicapps-integration#10). Pure.
 */
export interface Absence {
  /** When the group was first seen absent since it was last seen. */
  readonly absentAt?: number | undefined;
  /** How often it was, that time included. */
  readonly absences?: number | undefined;
}

/**
 * What is known besides.
 * - `told`: Azure said so: it accepted our DELETE of a group that we had seen, or answered our PUT with a failure of its own.
 * - `nothing`: the group was accepted or seen, or may be on its way.
 */
export type Ground = "told" | "nothing";

/** From one observation to the next, as parts of `absenceTime`: at 5, 15, 35, 75 and 180 s of three minutes if all come in time. */
const gaps = [5 / 180, 10 / 180, 20 / 180, 40 / 180, 105 / 180] as const;
const minAbsences = gaps.length;

/** The absence with one more observation. */
export function absentAgain({ absentAt, absences }: Absence, now: number): { absentAt: number; absences: number } {
  return { absentAt: absentAt ?? now, absences: (absences ?? (absentAt === undefined ? 0 : 1)) + 1 };
}

/** Whether the observations so far prove it, and if not, when the next is due. */
export function absenceProof(
  { absentAt, absences = 1 }: Absence,
  ground: Ground,
  now: number,
  { absenceTime }: Pick<Rules, "absenceTime">,
): { readonly proved: true } | { readonly proved: false; readonly nextAt: number } {
  if (absentAt === undefined) return { proved: false, nextAt: now };
  if (ground === "told") {
    if (absences >= 2 && now >= absentAt + settleTime) return { proved: true };
    return { proved: false, nextAt: Math.max(absentAt + settleTime, now + 1) };
  }
  if (absences >= minAbsences && now >= absentAt + absenceTime) return { proved: true };
  // Counted from now, not from the first: late observations would otherwise follow each other at once, and one short gap of ARM would be proof.
  return { proved: false, nextAt: Math.round(now + (gaps[absences - 1] ?? gaps[0]) * absenceTime) };
}
