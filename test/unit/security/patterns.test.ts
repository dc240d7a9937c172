import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Patterns } from "../../../src/shared/base/masking/patterns.ts";
import { maskValues } from "./kit.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** Which bytes of a text belong to a pattern, found one pattern after another. */
function naive(patterns: readonly Uint8Array[], text: Uint8Array): string {
  const marks = Buffer.alloc(text.length, ".");
  for (const pattern of patterns)
    for (let at = Buffer.from(text).indexOf(pattern); at >= 0; at = Buffer.from(text).indexOf(pattern, at + 1))
      marks.fill("x", at, at + pattern.length);
  return marks.toString();
}

function marked(patterns: Patterns, text: Uint8Array): string {
  const marks = Buffer.alloc(text.length, ".");
  patterns.search(text, (from, to) => void marks.fill("x", from, to));
  return marks.toString();
}

// Few letters, so that patterns begin, end and go on in each other.
const letters = (minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(97, 98, 99), { minLength, maxLength }).map((list) => Uint8Array.from(list));

describe("many patterns in one pass", () => {
  test("find what one search for each of them finds, in one text after another", () => {
    const texts = fc.array(letters(0, 60), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(letters(4, 9), { minLength: 1, maxLength: 12 }), texts, (patterns, all) => {
        const together = new Patterns(patterns);
        for (const text of all) expect(marked(together, text)).toBe(naive(patterns, text));
      }),
      { numRuns: 3000 },
    );
  });

  test("mask what a mask for each secret masks", () => {
    const word = fc.stringMatching(/^[a-c]{4,8}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fc.stringMatching(/^[a-c ]{0,60}$/),
        (secrets, text) => {
          // A sentinel keeps the text's end from being taken for a cut.
          const marks = naive(secrets.map(bytes), bytes(text));
          const masked = Array.from(text, (sign, at) => (marks[at] === "x" ? "\u0000" : sign)).join("");
          expect(maskValues(`${text}. `, secrets)).toBe(`${masked.replaceAll(/\0+/g, "***")}. `);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["ordinary lines", "2026-11-24T08:00:00Z an ordinary line of output, number 17\n", 1.5],
    ["text that nearly is a secret all the time", "secret-number-1-secret-number-17-secret-", 3],
    ["one letter", "s", 3],
  ])("8,000 secrets cost at most three times the steps of 8 on %s", (_, line, most) => {
    const text = bytes(line.repeat(Math.ceil(200_000 / line.length)));
    const steps = [8, 8000].map((count) => {
      const patterns = new Patterns(
        Array.from({ length: count }, (_each, n) => bytes(`secret-number-${n}-${"x".repeat(20)}`)),
      );
      patterns.search(text, () => undefined);
      return patterns.steps;
    });
    expect(steps[1] ?? Infinity).toBeLessThanOrEqual(3 * (steps[0] ?? 0));
    expect((steps[1] ?? Infinity) / text.length).toBeLessThanOrEqual(most);
  });

  test("a pattern that the text nearly is, again and again, costs a few steps a byte", () => {
    const patterns = new Patterns([bytes(`${"a".repeat(20_000)}b`)]);
    patterns.search(bytes("a".repeat(200_000)), () => undefined);
    expect(patterns.steps).toBeLessThan(200_000 * 3);
  });
});
