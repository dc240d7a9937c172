/** Escapes that programs write for signs of a text, read in texts of one character for each byte. Pure. */

/**
 * Escapes of JSON, JavaScript, Python, C and shells (`\u002b`, `\x2b`, `\053`, `\"`), as .NET's serializers write them too, of URLs
 * (`%2B`), and of HTML (`&#43;`, `&#x2b;`, `&quot;`); hexadecimal digits in either case.
 */
const backslash = String.raw`\\u\{(?<code>[\da-fA-F]{1,6})\}|\\u(?<high>[dD][89abAB][\da-fA-F]{2})\\u(?<low>[dD][c-fC-F][\da-fA-F]{2})|\\u(?<four>[\da-fA-F]{4})|\\U(?<eight>[\da-fA-F]{8})|\\x(?<two>[\da-fA-F]{2})|\\(?<octal>[0-3][0-7]{2})|\\(?<control>[nrtbf])|\\(?<sign>[^\w\s]| )`;
const percent = String.raw`%u(?<fourMore>[\da-fA-F]{4})|%(?<twoMore>[\da-fA-F]{2})`;
const ampersand = String.raw`&#(?<decimal>\d{1,7});|&#[xX](?<hex>[\da-fA-F]{1,6});|&(?<entity>[A-Za-z]{2,8});`;
export const escapesByKind = [backslash, percent, ampersand].map((kind) => new RegExp(kind, "g"));
export const allEscapes = new RegExp([backslash, percent, ampersand].join("|"), "g");
/** One that a cut has left unfinished. */
const unfinished =
  /(?:\\(?:u(?:[\da-fA-F]{0,3}|\{[\da-fA-F]{0,6})|U[\da-fA-F]{0,7}|x[\da-fA-F]?|[0-3][0-7]?)?|%(?:u?[\da-fA-F]{0,3})|&(?:#?[\da-zA-Z]{0,8}))$/;
const controls = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["b", "\b"],
  ["f", "\f"],
]);
/** Names of signs that may stand in a secret ("Named character references" of HTML). */
const entities = new Map(
  Object.entries({
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    plus: "+",
    sol: "/",
    bsol: "\\",
    equals: "=",
    commat: "@",
    colon: ":",
    semi: ";",
    comma: ",",
    period: ".",
    excl: "!",
    quest: "?",
    num: "#",
    dollar: "$",
    percnt: "%",
    ast: "*",
    midast: "*",
    lpar: "(",
    rpar: ")",
    lsqb: "[",
    lbrack: "[",
    rsqb: "]",
    rbrack: "]",
    lcub: "{",
    lbrace: "{",
    rcub: "}",
    rbrace: "}",
    Hat: "^",
    lowbar: "_",
    grave: "`",
    verbar: "|",
    vert: "|",
    Tab: "\t",
    NewLine: "\n",
    nbsp: "\u00a0",
  }),
);

/** The bytes that a match of them stands for; `undefined` where it stands for nothing. */
export function meaningOf(escape: Readonly<Record<string, string | undefined>>): Uint8Array | undefined {
  const { high, low, octal, control, sign, decimal, entity } = escape;
  const code = escape["code"] ?? escape["four"] ?? escape["fourMore"] ?? escape["eight"] ?? escape["hex"];
  if (code !== undefined) return character(Number.parseInt(code, 16));
  if (high !== undefined && low !== undefined)
    return Buffer.from(String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16)));
  const byte = escape["two"] ?? escape["twoMore"];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  if (octal !== undefined) return Uint8Array.of(Number.parseInt(octal, 8));
  if (decimal !== undefined) return character(Number(decimal));
  if (sign !== undefined) return Uint8Array.of(sign.charCodeAt(0));
  const text = control === undefined ? entities.get(entity ?? "") : controls.get(control);
  return text === undefined ? undefined : Buffer.from(text);
}

function character(code: number): Uint8Array | undefined {
  return code <= 0x10ffff ? Buffer.from(String.fromCodePoint(code)) : undefined;
}

/** How much at a text's end may be an escape that a cut has left unfinished. */
export function unfinishedLength(latin: string): number {
  return unfinished.exec(latin.slice(-12))?.[0].length ?? 0;
}
