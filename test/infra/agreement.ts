import type { Parsed } from "../../src/shared/definition/index.ts";
import { foldName } from "../../src/shared/base/json.ts";
import type { Diagnostic } from "./diagnostics.ts";

/** Of a property: it has no effect, or its value is wrong or missing. */
type Kind = "effect" | "value" | "other";

/** What one of the two says and the other doesn't, at the same place and of the same kind. */
export interface Disagreement {
  readonly by: "compiler" | "validator";
  readonly kind: Kind;
  /** `PATH: MESSAGE`, the compiler's with its code before the message. */
  readonly says: string;
}

interface Said {
  readonly path: string;
  readonly kind: Kind;
  readonly says: string;
  /** The compiler misses a property: it agrees with whoever misses what should stand inside. */
  readonly missing?: boolean;
}

/**
 * Compares path by path: a property that the compiler does not have, or that is read-only, with a warning that it has no effect; a
 * wrong or missing value with a finding that says so. Nothing is compared where the compiler does not look: inside a property that it
 * does not have, and in a version of which it has no types.
 *
 * @param diagnostics `undefined` where no resource could be made of the definition
 */
export function disagreements(parsed: Parsed, diagnostics: readonly Diagnostic[] | undefined): Disagreement[] {
  const compiler = (diagnostics ?? [])
    .filter((diagnostic, _, all) => !isMisspelt(diagnostic, all))
    .map(({ code, path, message }): Said => {
      return { path, kind: kindOfCode(code), says: `${path}: ${code} ${message}`, missing: code === "BCP035" };
    });
  const validator = [...parsed.warnings, ...(parsed.ok ? [] : parsed.faults)].map(({ path, message }): Said => ({
    path,
    kind: kindOf(message),
    says: `${path}: ${message}`,
  }));
  const closed = compiler.filter(({ kind }) => kind === "effect").map(({ path }) => path);
  const hasTypes = compiler.every(({ path }) => path !== "apiVersion");
  const isSeen = ({ path, kind }: Said): boolean =>
    !closed.some((outer) => isInside(path, outer)) && (hasTypes || kind === "other");
  const agree = (one: Said, other: Said): boolean =>
    one.kind === other.kind && (one.path === other.path || (one.missing === true && isInside(other.path, one.path)));
  return [
    ...compiler.filter((one) => !validator.some((other) => agree(one, other))).map(by("compiler")),
    ...validator.filter((other) => isSeen(other) && !compiler.some((one) => agree(one, other))).map(by("validator")),
  ];
}

function by(who: Disagreement["by"]): (said: Said) => Disagreement {
  return ({ kind, says }) => ({ by: who, kind, says });
}

function isInside(path: string, outer: string): boolean {
  return path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

/** A property that is missing because it stands there in other letters: the compiler says both, and one is enough. */
function isMisspelt({ code, path }: Diagnostic, all: readonly Diagnostic[]): boolean {
  return code === "BCP035" && all.some((other) => other.code === "BCP089" && foldName(other.path) === foldName(path));
}

/** Not allowed, read-only, not allowed but much like another, not allowed at the top. */
function kindOfCode(code: string): Kind {
  return ["BCP037", "BCP073", "BCP089", "BCP187"].includes(code) ? "effect" : "value";
}

function kindOf(message: string): Kind {
  if (message.includes("has no effect")) return "effect";
  return /\bmust be\b|\b(?:is|are) missing\b|No such apiVersion|apiVersion is newer/.test(message) ? "value" : "other";
}
