/** Hostile bodies, made at random: definitions with something wrong in them, and what is no definition at all. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (folder: string): string[] =>
  readdirSync(root(folder))
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .map((name) => readFileSync(root(`${folder}/${name}`), "utf8"));

/** Definitions that are good, or nearly. */
const seeds = [...read("test/fixtures/definitions"), ...read("examples")];

/** What a mutation puts in: YAML's own signs, our own words, and numbers at the edge. */
const tokens = [
  ...[
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    ":",
    ": ",
    "- ",
    "? ",
    "|",
    ">",
    "#",
    "&a ",
    "*a",
    "<<: *a",
    "!!",
    "!!js/function ",
    "%",
    "@",
    "`",
  ],
  ...[
    "[",
    "]",
    "{",
    "}",
    ",",
    '"',
    "'",
    "\\",
    "\0",
    "\uFEFF",
    "\u2028",
    "\uD800",
    "\u202E",
    "---\n",
    "...\n",
    "${",
    "}",
    "${keyvault:job-x}",
  ],
  // What happens to texts on their way, and what other programs leave in them.
  ...[
    "\\n",
    "\\r\\n",
    "\u00A0",
    "\uFFFE",
    "\uFFFF",
    "&#xD;",
    "b'",
    "{{ x }}",
    "@{pipeline().RunId}",
    "@pipeline().parameters.a",
    "@@",
    "@sha256:",
    "reg/a:b@c",
  ],
  ...["limits", "zones", "command", "shareName", "priority: Spot", "instanceView", "provisioningState"],
  ...[
    "null",
    "~",
    "true",
    "Yes",
    "0x1F",
    "0o17",
    "007",
    "1e400",
    "-.inf",
    ".nan",
    "9007199254740993",
    "-1",
    "1.5",
    "2026-11-24",
  ],
  ...[
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "name",
    "properties",
    "containers",
    "image",
    "secureValue",
  ],
  ...[
    "x-aciproxy",
    "callBackUri",
    "apiVersion",
    "location",
    "tags",
    "identity",
    "version",
    "definition",
    "restartPolicy: Always",
  ],
];

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60)),
  insert: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...tokens) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(...tokens), fc.nat(3000)).map(([token, times]) => token.repeat(times)),
    },
  ),
});

const mutated = fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 6 })).map(([seed, edits]) =>
  edits.reduce((text, { at, remove, insert }) => {
    const index = Math.floor(at * text.length);
    return text.slice(0, index) + insert + text.slice(index + remove);
  }, seed),
);

const word = fc.constantFrom(...tokens.filter((token) => /^\w[\w-]*$/.test(token)));
const scalar = fc.oneof(
  fc.string({ unit: "binary" }),
  word,
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    scalar,
    fc.array(tie("tree"), { maxLength: 6 }),
    fc.dictionary(fc.oneof(word, fc.string({ maxLength: 8 })), tie("tree"), { maxKeys: 8 }),
  ),
}));

const json = fc
  .record({ name: fc.oneof(fc.constant("bomb"), tree), properties: tree, more: tree })
  .map(({ more, ...rest }) =>
    JSON.stringify({ ...rest, ...(typeof more === "object" && !Array.isArray(more) ? more : { more }) }),
  );

const salad = fc.array(fc.constantFrom(...tokens), { maxLength: 400 }).map((words) => words.join(""));

export const hostileBody: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: mutated },
  { weight: 2, arbitrary: json },
  { weight: 2, arbitrary: salad },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 2000 }) },
);

/** The query of a POST; most ask for a dry run, which checks everything and stores nothing. */
export const hostileQuery: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(fc.constantFrom("polling", "timeout", "retryOn", "tags", "main", "source", "__proto__", "code"), scalar),
    {
      maxLength: 3,
    },
  )
  .map((pairs) =>
    new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString(),
  );

const envelope = fc
  .record(
    {
      version: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, tree),
      op: fc.oneof({ weight: 8, arbitrary: fc.constant("submit") }, fc.constantFrom("cancel", "run"), tree),
      id: fc.oneof(fc.uuid(), tree),
      idempotencyKey: fc.oneof(fc.string(), tree),
      definition: fc.oneof({ weight: 4, arbitrary: hostileBody }, tree),
      definitionBlob: fc.oneof(fc.constant("aci-definitions/none"), tree),
      options: fc.oneof({ weight: 4, arbitrary: fc.constant({ dryRun: true }) }, tree),
      replyTo: tree,
      callBackUri: fc.oneof(fc.webUrl(), tree),
    },
    { requiredKeys: ["version"] },
  )
  .map((value) => JSON.stringify(value));

/** What a text is wrapped in on its way: base64, the quotes of a JSON string, a byte-order mark, CRLF. */
const wrap = fc.constantFrom<(text: string) => string>(
  (text) => Buffer.from(text).toString("base64"),
  (text) => JSON.stringify(text),
  (text) => `\uFEFF${text}`,
  (text) => text.replaceAll("\n", "\r\n"),
  (text) => text.replaceAll("\n", ""),
);

/** A message on `aci-jobs`, plain or wrapped. */
export const hostileMessage: fc.Arbitrary<string> = fc
  .tuple(fc.oneof({ weight: 2, arbitrary: envelope }, hostileBody), fc.array(wrap, { maxLength: 4 }))
  .map(([text, wraps]) => wraps.reduce((inner, outer) => outer(inner), text));
