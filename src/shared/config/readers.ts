import { formatDuration, parseDuration, second } from "../base/duration.ts";

/** How one setting is read: its text to its value, or to what is wrong with it, in words that never repeat the text. */
export interface Read<T> {
  (text: string): T | { readonly fault: string };
  /** What it takes, for the docs, where the setting's own text does not say so. */
  readonly form?: string;
}

/** A reader with what the docs say of it. */
export const formed = <T>(form: string, read: Read<T>): Read<T> => Object.assign(read, { form });

export interface Row<T> {
  readonly name: string;
  readonly fallback: T;
  /** How the default reads in the docs. */
  readonly shown: string;
  readonly read: Read<T>;
  readonly text: string;
}

export const row = <T>(name: string, shown: string, fallback: T, read: Read<T>, text: string): Row<T> => ({
  name,
  shown,
  fallback,
  read,
  text,
});

export const text: Read<string | undefined> = (value) => value;

export const words: Read<readonly string[]> = (value) =>
  value
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** A list of words that all have one form. */
export const wordsLike =
  (form: RegExp, shown: string): Read<readonly string[]> =>
  (value) => {
    const list = words(value);
    return "fault" in list || list.every((word) => form.test(word)) ? list : { fault: `must be ${shown}` };
  };

export const yes = formed<boolean>("`true` or `false`", (value) => {
  if (/^(true|1|yes|on)$/i.test(value)) return true;
  if (/^(false|0|no|off)$/i.test(value)) return false;
  return { fault: "must be true or false" };
});

export const integer = (least: number, max: number): Read<number> =>
  formed<number>(max === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${max}`, (value) =>
    /^\d+$/.test(value) && Number(value) >= least && Number(value) <= max
      ? Number(value)
      : { fault: `must be a whole number from ${least} to ${max}` },
  );

export const decimal = formed<number>("0 or more, fractions too", (value) =>
  /^\d+(\.\d+)?$/.test(value) ? Number(value) : { fault: "must be a number" },
);

export const optionalInteger: Read<number | undefined> = integer(0, Number.MAX_SAFE_INTEGER);

export const duration = (least: number, max: number): Read<number> =>
  formed<number>(`${shownDuration(least)} to ${shownDuration(max)}`, (value) => {
    const ms = parseDuration(value);
    if (ms === undefined) return { fault: "must be an ISO 8601 duration (PT10M) or a number of seconds" };
    return ms >= least && ms <= max ? ms : { fault: `must be between ${least / second} and ${max / second} seconds` };
  });

const shownDuration = (ms: number): string => (ms % second === 0 ? formatDuration(ms) : `PT${ms / second}S`);

export const url: Read<string | undefined> = (value) => {
  const { protocol, username, password, search, hash } = URL.canParse(value) ? new URL(value) : noUrl;
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === ""
    ? value.replace(/\/+$/, "")
    : { fault: "must be an absolute http(s) URL, without a user, query or fragment" };
};
const noUrl = { protocol: "", username: "", password: "", search: "", hash: "" };

/** A token bucket: how many tokens it holds, and how many come back each second. */
export interface BucketLimits {
  readonly capacity: number;
  readonly perSecond: number;
}

export const bucket = formed<BucketLimits>("`CAPACITY/PER-SECOND`", (value) => {
  const match = /^([1-9]\d{0,8})\/(\d{1,6}(?:\.\d{1,6})?)$/.exec(value);
  const [capacity, perSecond] = [Number(match?.[1]), Number(match?.[2])];
  return perSecond > 0 ? { capacity, perSecond } : { fault: "must be CAPACITY/PER-SECOND, like 250/25" };
});

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a setting says anything: an empty one counts as absent. */
export const isSetIn =
  (environment: Environment) =>
  (name: string): boolean =>
    (environment[name]?.trim() ?? "") !== "";

export const unresolved = Symbol("a Key Vault reference that was not resolved");
export type Written = (name: string) => string | typeof unresolved | undefined;

/** What a setting says, without blanks around it; `undefined` where it is empty. A reference that was not resolved is a fault. */
export function writtenIn(environment: Environment, faults: string[]): Written {
  return (name) => {
    const value = environment[name]?.trim();
    if (!value) return undefined;
    if (!/^["']?@Microsoft\.KeyVault\s*\(/i.test(value)) return value;
    faults.push(
      `${name} is a Key Vault reference that was not resolved: check the app's identity and its access to the vault.`,
    );
    return unresolved;
  };
}
