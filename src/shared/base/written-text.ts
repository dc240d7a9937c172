import { isUtf8 } from "node:buffer";
import { err, ok, type Result } from "./errors.ts";

/**
 * Text as somebody wrote it, whichever way it came: by POST, in a queue message, in a blob, in a file. All of them are read here, so
 * that the same bytes mean the same everywhere.
 */
export interface NotText {
  /** From 1, columns in UTF-16 units, of the first byte that is not UTF-8. */
  readonly line: number;
  readonly column: number;
  /** Names the place; quotes nothing. */
  readonly message: string;
}

const byteOrderMark = "\uFEFF";

/** UTF-8 as text, without its byte-order mark. */
export function decodeUtf8(bytes: Uint8Array): Result<string, NotText> {
  if (isUtf8(bytes)) return ok(withoutMark(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)));
  const at = firstInvalid(bytes);
  if (at === 0 && isUtf16(bytes)) {
    return err({
      line: 1,
      column: 1,
      message: "The text is UTF-16, as Windows PowerShell writes it; save it as UTF-8.",
    });
  }
  if (isGzip(bytes)) return err({ line: 1, column: 1, message: "The text is compressed (gzip); send it as it is." });
  const before = withoutMark(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, at)));
  const lines = before.split(/\r\n|\r|\n/);
  const [line, column] = [lines.length, (lines.at(-1) ?? "").length + 1];
  const place = `line ${line}, column ${column} (byte ${at + 1})`;
  return err({ line, column, message: `The text is not UTF-8 at ${place}; save it as UTF-8 and send it again.` });
}

/** Base64 inside base64, a text in JSON's quotes inside that: nobody means more. */
const maxLayers = 5;

/**
 * The text itself, read through what was put around it on its way: a byte-order mark, base64 (also twice), the quotes of a JSON string.
 * A caller can't have meant any of them: no definition is base64 (it has a colon) or a single quoted text.
 */
export function openText(written: string): Result<string, NotText> {
  let text = withoutMark(written);
  for (let layer = 0; layer < maxLayers; layer++) {
    const bytes = fromBase64(text);
    if (bytes !== undefined) {
      const decoded = decodeUtf8(bytes);
      if (!decoded.ok) return err({ ...decoded.error, message: `In what was base64: ${decoded.error.message}` });
      text = decoded.value;
      continue;
    }
    const quoted = fromJsonString(text);
    if (quoted === undefined) break;
    text = withoutMark(quoted);
  }
  return ok(text);
}

/** The same of bytes. */
export function openBytes(bytes: Uint8Array): Result<string, NotText> {
  const text = decodeUtf8(bytes);
  return text.ok ? openText(text.value) : text;
}

function withoutMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;
}

/** The bytes of a text that is base64 as a whole. Its lines may be broken, as `base64` and MIME break them. */
export function fromBase64(text: string): Uint8Array | undefined {
  const joined = text.trim().replaceAll(/\r?\n/g, "");
  if (joined.length < 8 || joined.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(joined)) return undefined;
  return Buffer.from(joined, "base64");
}

function fromJsonString(text: string): string | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('"') || !trimmed.endsWith('"')) return undefined;
  try {
    const value: unknown = JSON.parse(trimmed);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

function isGzip([first, second]: Uint8Array): boolean {
  return first === 0x1f && second === 0x8b;
}

/** Offset of the first byte that is not UTF-8 (Unicode 16, table 3-7). */
function firstInvalid(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceAt(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return at;
}

/** Bytes of the character that begins there; 0 where no character begins. */
function sequenceAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  const second = bytes[at + 1] ?? 0;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const max = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (length === 0 || second < least || second > max) return 0;
  for (let next = at + 2; next < at + length; next++) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}
