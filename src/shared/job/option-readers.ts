import { formatDuration, parseDuration } from "../base/duration.ts";
import { catalogue, reasonNamed, type FaultDomain, type ReasonWord } from "./reasons.ts";
import { maxArraySize, readItems } from "../definition/index.ts";
import { err, ok, type Result } from "../base/errors.ts";
import { isDeeperThan, parseJson, type JsonValue } from "../base/json.ts";
import type { OpenWord } from "../base/open.ts";
import type { Settings } from "../config/settings.ts";
import { teamNamed } from "../config/teams.ts";

/** Values of options as callers write them: each reader gives the value, or what it must be (no quotation of what it is). */
export type ReadValue<T> = (value: JsonValue, settings: Settings) => Result<T, string>;

/** Which Data Factory activity run asked: `FACTORY/PIPELINE/RUNID/ACTIVITY`. */
export interface Source {
  readonly factory: string;
  readonly pipeline: string;
  readonly pipelineRunId: string;
  readonly activity: string;
}

/** One rule of `retryOn`; the first that matches decides. */
export interface RetryRule {
  readonly when:
    | { readonly exitCodes: readonly [from: number, to: number] }
    | { readonly reason: ReasonWord }
    | { readonly party: FaultDomain }
    | OpenWord<"anything">;
  readonly retry: boolean;
}

/** A scalar as text; a list or mapping, which is never a right value where this is used, as nothing. */
const scalar = (value: JsonValue): string => (typeof value === "object" ? "" : String(value));

/** A list or mapping that a query can bring as JSON text only. */
function collectionIn(value: JsonValue): JsonValue {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  return (parseJson(value) ?? value) as JsonValue; // what JSON.parse returns is JSON
}

export const readBoolean = (value: JsonValue): Result<boolean, string> => {
  const word = typeof value === "string" ? value.trim().toLowerCase() : value;
  if (word === true || word === "true" || word === "1") return ok(true);
  if (word === false || word === "false" || word === "0") return ok(false);
  return err("must be true or false");
};

export const word =
  <const W extends string>(...words: readonly W[]) =>
  (value: JsonValue): Result<W, string> => {
    const lower = typeof value === "string" ? value.trim().toLowerCase() : scalar(value);
    const found = words.find((candidate) => candidate === lower);
    return found === undefined ? err(`must be one of ${words.join(", ")}`) : ok(found);
  };

export const duration =
  (least: number, max: (settings: Settings) => number) =>
  (value: JsonValue, settings: Settings): Result<number, string> => {
    const ms = typeof value === "string" || typeof value === "number" ? parseDuration(String(value)) : undefined;
    if (ms === undefined) return err("must be an ISO 8601 duration (PT10M) or a number of seconds");
    if (ms < least || ms > max(settings))
      return err(`must be from ${formatDuration(least)} to ${formatDuration(max(settings))}`);
    return ok(ms);
  };

export const whole =
  (least: number, max: number) =>
  (value: JsonValue): Result<number, string> => {
    const number =
      typeof value === "number"
        ? value
        : typeof value === "string" && /^\s*-?\d{1,9}\s*$/.test(value)
          ? Number(value)
          : NaN;
    return Number.isInteger(number) && number >= least && number <= max
      ? ok(number)
      : err(`must be a whole number from ${least} to ${max}`);
  };

/** The number of children alone: options stand in the row in clear, and items lie sealed. */
export const readArray = (value: JsonValue): Result<number, string> => {
  const read = readItems(value);
  return read.ok ? ok(read.value.size) : read;
};

/** Children that must succeed: a number, or a share such as `90%`. */
export type MinSuccess = number | `${number}%`;

export const readMinSuccess: ReadValue<MinSuccess> = (value) => {
  const share = typeof value === "string" ? /^\s*(\d{1,3}(?:\.\d{1,6})?)\s*%\s*$/.exec(value)?.[1] : undefined;
  const percent = Number(share);
  if (percent > 0 && percent <= 100) return ok<MinSuccess>(`${percent}%`);
  const number = whole(1, maxArraySize)(value);
  return number.ok ? number : err(`must be a whole number from 1 to ${maxArraySize}, or a share such as 90%`);
};

/** How many children of an array must succeed. */
export function leastSuccesses(minSuccess: MinSuccess, size: number): number {
  return typeof minSuccess === "number" ? minSuccess : Math.ceil((Number(minSuccess.slice(0, -1)) * size) / 100 - 1e-9);
}

const parties = new Set<string>(Object.values(catalogue).map(({ party }) => party));

function readRetryRule(text: string): RetryRule | undefined {
  const retry = !text.startsWith("!");
  const bare = retry ? text : text.slice(1);
  const codes = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(bare);
  if (codes) {
    const [from, to] = [Number(codes[1]), Number(codes[2] ?? codes[1])];
    return from <= to ? { when: { exitCodes: [from, to] }, retry } : undefined;
  }
  if (bare === "*") return { when: "anything", retry };
  const reason = reasonNamed(bare);
  if (reason !== undefined) return { when: { reason }, retry };
  const party = bare.toLowerCase();
  return parties.has(party) ? { when: { party: party as FaultDomain }, retry } : undefined; // a member of the set of parties
}

export function readRetryOn(written: JsonValue): Result<readonly RetryRule[], string> {
  const value = collectionIn(written);
  const wrong =
    "must be a list of exit codes (137, or a range such as 1-5, the smaller first), reasons, faults (platform) or *, each retried, or with ! in front not; at most 20";
  const items =
    typeof value === "string" ? value.split(",") : Array.isArray(value) ? value.map(scalar) : [scalar(value)];
  const rules: RetryRule[] = [];
  for (const item of items) {
    const rule = readRetryRule(item.trim());
    if (rule === undefined) return err(wrong);
    rules.push(rule);
  }
  return rules.length <= 20 ? ok(rules) : err(wrong);
}

export function readTags(written: JsonValue): Result<Readonly<Record<string, string>>, string> {
  const value = collectionIn(written);
  const wrong =
    "must be labels or KEY=VALUE pairs: at most 15, keys of at most 100 and values of at most 256 characters, keys without <>%&\\?/ and not beginning with aciproxy";
  const pairs: (readonly [string, string])[] = [];
  const isNested = typeof value === "object" && value !== null && isDeeperThan(value, 1);
  if (isNested) return err(wrong);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [key, item] of Object.entries(value)) pairs.push([key.trim(), scalar(item)]);
  } else {
    for (const item of Array.isArray(value) ? value : scalar(value).split(",")) {
      const label = scalar(item).trim();
      if (label === "") continue;
      const [key = "", ...rest] = label.split("=");
      pairs.push([key.trim(), rest.join("=").trim()]);
    }
  }
  const fine =
    pairs.length <= 15 &&
    pairs.every(
      ([key, item]) =>
        /^[^<>%&\\?/\p{Cc}]{1,100}$/u.test(key) && !/^aciproxy/i.test(key) && /^[^\p{Cc}]{0,256}$/u.test(item),
    );
  return fine ? ok(lastOfEach(pairs)) : err(wrong);
}

/** Azure compares the names of tags without regard to case: of one in two spellings the last counts. */
function lastOfEach(pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  const last = new Map(pairs.map((pair) => [pair[0].toLowerCase(), pair]));
  return Object.fromEntries(last.values());
}

export function readSource(value: JsonValue): Result<Source, string> {
  const parts = typeof value === "string" ? value.split("/").map((part) => part.trim()) : [];
  const [factory, pipeline, pipelineRunId, ...activity] = parts;
  const fine = typeof value === "string" && /^[^\p{Cc}]{1,512}$/u.test(value);
  if (!fine || !factory || !pipeline || !pipelineRunId || activity.length === 0)
    return err("must be FACTORY/PIPELINE/RUNID/ACTIVITY, at most 512 characters");
  return ok({ factory, pipeline, pipelineRunId, activity: activity.join("/") });
}

export function readMain(value: JsonValue): Result<string, string> {
  return typeof value === "string" && value !== "" && value.length <= 63
    ? ok(value)
    : err("must be a container's name");
}

export function readGroup(value: JsonValue): Result<string, string> {
  const text = scalar(value).trim();
  return /^[\w.:/-]{1,128}$/.test(text)
    ? ok(text.toLowerCase())
    : err("must be 1 to 128 letters, digits and . _ - / :");
}

export function readTeam(value: JsonValue): Result<string, string> {
  const name = teamNamed(scalar(value));
  return name === undefined ? err("must be 1 to 64 letters, digits and . _ -") : ok(name);
}

export function readFailureStatus(value: JsonValue): Result<number, string> {
  const status = whole(200, 599)(value);
  const fine =
    status.ok && (status.value === 200 || (status.value >= 400 && ![401, 403, 408, 429].includes(status.value)));
  return fine ? status : err("must be 200 or from 400 to 599, except 401, 403, 408 and 429");
}
