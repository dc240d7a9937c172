import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeUtf8, fromBase64, openBytes, openText } from "../../../src/shared/base/written-text.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const yaml = "name: bellaciao\r\nproperties: {}\r\n# Grüße 🎈\r\n";
const latin = Buffer.from("name: a\nlocation: Z\xfcrich\n", "latin1");

describe("bytes", () => {
  it("that are UTF-8 are the text that they say, CRLF and all, without a byte-order mark", () => {
    expect(decodeUtf8(Buffer.from(yaml))).toEqual({ ok: true, value: yaml });
    expect(decodeUtf8(Buffer.from(`\uFEFF${yaml}`))).toEqual({ ok: true, value: yaml });
    expect(decodeUtf8(new Uint8Array())).toEqual({ ok: true, value: "" });
  });

  it("that are not UTF-8 are refused with line, column and byte", () => {
    expect(decodeUtf8(latin)).toEqual({
      ok: false,
      error: {
        line: 2,
        column: 12,
        message: "The text is not UTF-8 at line 2, column 12 (byte 20); save it as UTF-8 and send it again.",
      },
    });
  });

  it("that are UTF-16 are called so", () => {
    const text = Buffer.from(`\uFEFF${yaml}`, "utf16le");
    expect(decodeUtf8(text)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("UTF-16") as unknown },
    });
  });

  it("that are compressed are called so", () => {
    expect(decodeUtf8(gzipSync(yaml))).toMatchObject({
      error: { line: 1, column: 1, message: "The text is compressed (gzip); send it as it is." },
    });
  });

  it.each([
    ["a lone continuation", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong three-byte form", [0xe0, 0x80, 0xaf]],
    ["half of a surrogate pair", [0xed, 0xa0, 0x80]],
    ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
    ["a character that is cut off", [0xe2, 0x82]],
    ["a byte that is never used", [0xff]],
  ])("with %s are not UTF-8", (_, bytes) => {
    const text = Uint8Array.of(0x61, 0x0a, 0xc3, 0xa9, ...bytes);
    expect(decodeUtf8(text)).toMatchObject({ ok: false, error: { line: 2, column: 2 } });
  });

  it("are judged as the platform's own decoder judges them", () => {
    const strict = new TextDecoder("utf-8", { fatal: true });
    const decoded = (bytes: Uint8Array): string | undefined => {
      try {
        return strict.decode(bytes);
      } catch {
        return undefined;
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const read = decodeUtf8(bytes);
        expect(read.ok ? read.value : undefined).toBe(decoded(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a text is read through", () => {
  it.each([
    ["nothing around it", yaml],
    ["a byte-order mark", `\uFEFF${yaml}`],
    ["base64", base64(yaml)],
    ["base64 with a byte-order mark in it", base64(`\uFEFF${yaml}`)],
    ["base64 of base64", base64(base64(yaml))],
    ["base64 in short lines, twice", base64(base64(yaml).replaceAll(/.{20}/g, "$&\r\n"))],
    ["JSON's quotes", JSON.stringify(yaml)],
    ["JSON's quotes in base64", base64(JSON.stringify(yaml))],
    ["base64 in JSON's quotes", JSON.stringify(base64(yaml))],
  ])("with %s", (_, written) => {
    expect(openText(written)).toEqual({ ok: true, value: yaml });
    expect(openBytes(Buffer.from(written))).toEqual({ ok: true, value: yaml });
  });

  it("but not through what may be meant", () => {
    for (const text of [yaml, "", "abcd", "name: a", '{"a":1}', "a b c d e", '"a" "b"', '"a": "b"'])
      expect(openText(text)).toEqual({ ok: true, value: text });
  });

  it("and refused where base64 holds what is not UTF-8", () => {
    expect(openText(latin.toString("base64"))).toMatchObject({
      ok: false,
      error: { line: 2, column: 12, message: expect.stringMatching(/^In what was base64: .*line 2/) as unknown },
    });
  });

  it("at most five layers deep, in a time that grows with its length alone", () => {
    let text = "name: a\n".repeat(20_000);
    for (let layer = 0; layer < 8; layer++) text = base64(text);
    const start = performance.now();
    expect(openText(text).ok).toBe(true);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("base64", () => {
  it("may have its lines broken, and nothing else is taken for it", () => {
    for (const end of ["\n", "\r\n"]) {
      const bytes = fromBase64(`${base64(yaml).replaceAll(/.{20}/g, `$&${end}`)}${end}`);
      expect(bytes === undefined ? "" : Buffer.from(bytes).toString()).toBe(yaml);
    }
    for (const text of [yaml, "", "abcd", "name: a", '{"a":1}', "a b c d e"]) expect(fromBase64(text)).toBeUndefined();
  });

  it("is never a definition by chance", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,20}: [a-z]{1,20}$/), (text) => {
        expect(fromBase64(text)).toBeUndefined();
      }),
    );
  });
});
