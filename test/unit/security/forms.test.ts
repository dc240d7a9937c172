import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maskOf, maskOfOutput } from "../../../src/shared/base/redact.ts";
import { maskValues } from "./kit.ts";

/** How programs write a text; each takes whatever it is given. */
const writers: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  json: (text) => JSON.stringify(text).slice(1, -1),
  // System.Text.Json: everything but letters, digits and a few signs.
  dotnet: (text) =>
    escaped(text, /[^A-Za-z0-9 .,;:()-]/g, (code) => `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`),
  small: (text) => escaped(text, /[^A-Za-z0-9]/g, (code) => `\\u${code.toString(16).padStart(4, "0")}`),
  url: encodeURIComponent,
  form: (text) => new URLSearchParams({ x: text }).toString().slice(2),
  smallUrl: (text) => encodeURIComponent(text).replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
  everyByte: (text) => Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  html: (text) =>
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;")
      .replaceAll("+", "&#x2B;"),
  htmlNumbers: (text) => Array.from(text, (sign) => `&#${sign.codePointAt(0) ?? 0};`).join(""),
  c: (text) =>
    Array.from(Buffer.from(text), (byte) =>
      byte > 0x60 && byte < 0x7b ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join(""),
  shell: (text) => text.replaceAll(/[^\w\s]/gu, "\\$&"),
  slashes: (text) => text.replaceAll("\\", "\\\\").replaceAll("/", "\\/"),
  base64: (text) => Buffer.from(text).toString("base64"),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  basic: (text) => Buffer.from(`user:${text}`).toString("base64"),
  mime: (text) =>
    Buffer.from(`${"x".repeat(31)}${text}`)
      .toString("base64")
      .replaceAll(/.{20}/g, "$&\n"),
};
function escaped(text: string, which: RegExp, write: (code: number) => string): string {
  return text.replaceAll(which, (part) =>
    Array.from({ length: part.length }, (_, index) => write(part.charCodeAt(index))).join(""),
  );
}

const secretTexts = fc
  .array(fc.constantFrom(...("abcdefgXYZ0123456789+/=&<>\"'%\\;:!?#$* é€😀{}[]()@~^|`,.-_".match(/./gu) ?? [])), {
    minLength: 8,
    maxLength: 40,
  })
  .map((signs) => signs.join("").trim())
  .filter((text) => text.length >= 8);

describe("a secret is masked in whatever form it is written", () => {
  test.each(Object.keys(writers))("%s", (name) => {
    const write = writers[name] ?? String;
    fc.assert(
      fc.property(secretTexts, (secret) => {
        expect(maskValues(`before ${write(secret)} after`, [secret])).toMatch(
          name === "mime" ? /^before [\s\S]*\*\*\*[\s\S]* after$/ : /^before [\w+/=-]{0,8}\*\*\*[=%3Dd]{0,8} after$/,
        );
      }),
      { numRuns: 200 },
    );
  });

  test.each(
    Object.keys(writers).flatMap((inner) =>
      ["json", "dotnet", "url", "html", "base64"].map((outer) => [inner, outer] as const),
    ),
  )("%s inside %s", (inner, outer) => {
    fc.assert(
      fc.property(secretTexts, (secret) => {
        const text = (writers[outer] ?? String)((writers[inner] ?? String)(secret));
        const masked = maskValues(`before ${text} after`, [secret]);
        expect(masked).toContain("***");
        expect(masked.length).toBeLessThan(`before ${text} after`.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a secret that a log driver split or cut", () => {
  const secret = "correct-horse/battery+staple=";
  const stamp = "2026-11-24T08:00:00.123456789Z ";
  const mask = maskOfOutput([secret]);
  const readable = (text: string): string[] =>
    Array.from({ length: secret.length - 5 }, (_, at) => secret.slice(at, at + 6)).filter((part) =>
      text.includes(part),
    );

  test("over two lines, wherever it was split", () => {
    for (let at = 1; at < secret.length; at++) {
      const log = `${stamp}${"x".repeat(16_384 - at)}${secret.slice(0, at)}\n${stamp}${secret.slice(at)} done\n`;
      const masked = mask(log);
      expect(masked.split("\n")[1]).toBe(`${stamp}*** done`);
      expect(masked.split("\n")[0]).toBe(`${stamp}${"x".repeat(16_384 - at)}***`);
      expect(mask(log.replaceAll(stamp, "")).split("\n")[1]).toBe("*** done");
    }
  });

  test("at the end of a long line, of which the rest was dropped, and at the beginning of the next", () => {
    for (let at = 6; at < secret.length; at++) {
      const line = `${stamp}${"x".repeat(16_384 - at)}`;
      expect(readable(mask(`${line}${secret.slice(0, at)}\n${stamp}next\n`))).toEqual([]);
      expect(readable(mask(`${line}\n${stamp}${secret.slice(-at)} next\n`))).toEqual([]);
    }
  });

  test("over two reads: what the one ends with and the other begins with is never the whole of it", () => {
    for (let at = 1; at < secret.length; at++) {
      const first = mask(`${stamp}ready ${secret.slice(0, at)}`);
      const second = mask(`${secret.slice(at)} go on\n${stamp}more\n`);
      expect(readable(first + second)).toEqual([]);
      expect((first + second).replaceAll("***", "").length).toBeLessThan(stamp.length * 2 + 30);
    }
  });

  test("in each form", () => {
    const encoded = encodeURIComponent(secret);
    for (let at = 1; at < encoded.length; at++)
      expect(
        readable(
          decodeURIComponent(
            mask(`${stamp}${encoded.slice(0, at)}\n${stamp}${encoded.slice(at)}\n`)
              .replaceAll("%\n", "\n")
              .replaceAll(/%.?\*/g, "*"),
          ),
        ),
      ).toEqual([]);
    const base64 = Buffer.from(secret).toString("base64");
    for (let at = 1; at < base64.length; at++)
      expect(mask(`${stamp}${base64.slice(0, at)}\n${stamp}${base64.slice(at)}\n`)).toMatch(
        /^\S+ \*\*\*\n\S+ (?:\*\*\*)?=?\n$/,
      );
  });

  test("lines and their timestamps stay, and short words are not put together over lines", () => {
    expect(maskOfOutput(["1234"])(`${stamp}12\n${stamp}34\n${stamp}1234\n`)).toBe(
      `${stamp}12\n${stamp}34\n${stamp}***\n`,
    );
    const pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nshort\n-----END KEY-----\n";
    expect(maskOfOutput([pem])(pem.replaceAll(/^/gm, stamp))).toBe(`${stamp}***\n`.repeat(4) + stamp);
  });

  test("but of what Azure says only the end may be cut", () => {
    expect(maskOf(["hunter2-production"])("production failed")).toBe("production failed");
    expect(maskOfOutput(["hunter2-production"])("production failed")).toBe("*** failed");
  });
});
