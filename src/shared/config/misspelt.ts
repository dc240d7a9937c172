import { nearest } from "../base/nearest.ts";
import { isSetIn, type Environment } from "./readers.ts";
import { storageSettings } from "./storage-settings.ts";

/** What settings of this service alone begin with: any other name that begins so is a mistake. */
const ownPrefixes = ["POLICY_", "ENTRA_", "NOTIFY_", "PRICE_", "LOOK_INTERVAL_", "MAX_ACTIVE_", "DAILY_"];

/**
 * Settings that are likely misspelt, a sentence each: a setting that nobody reads is otherwise silent, and a policy that was meant does not apply.
 * Only names are compared and shown, never a value. A name counts where its likely right one is not set as well.
 */
export function misspeltIn(environment: Environment, table: readonly string[]): readonly string[] {
  const known = [...table, ...storageSettings];
  const isSet = isSetIn(environment);
  return Object.keys(environment).flatMap((name) => {
    if (known.includes(name) || !isSet(name)) return [];
    const meant = name.length < 5 ? undefined : nearest(name, known);
    if (meant !== undefined && !isSet(meant)) return [`${name} is no setting and is not read. Is ${meant} meant?`];
    return ownPrefixes.some((prefix) => name.toUpperCase().startsWith(prefix))
      ? [`${name} is no setting and is not read: docs/settings.md lists all.`]
      : [];
  });
}
