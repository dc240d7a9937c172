import { check } from "../../../src/shared/order.ts";
import type { Refusal } from "../../../src/shared/errors.ts";
import type { Settings } from "../../../src/shared/settings.ts";
import { order } from "../../kit.ts";

/** Why a definition is not taken, if it isn't. */
export function refusalOf(text: string, settings: Settings): Refusal | undefined {
  const checked = check(order(text), settings);
  return checked.ok ? undefined : checked.error;
}
