import { check } from "../../../src/shared/intake/submission.ts";
import type { Refusal } from "../../../src/shared/base/errors.ts";
import type { Settings } from "../../../src/shared/config/settings.ts";
import { maskOf } from "../../../src/shared/base/redact.ts";
import { submission } from "../../kit/kit.ts";

export const maskValues = (text: string, secrets: readonly string[]): string => maskOf(secrets)(text);

/** Why a definition is not taken, if it isn't. */
export function refusalOf(text: string, settings: Settings): Refusal | undefined {
  const checked = check(submission(text), settings);
  return checked.ok ? undefined : checked.error;
}
