import { readFileSync } from "node:fs";
import { join } from "node:path";
import { globSync } from "tinyglobby";
import ts from "typescript";

/**
 * Checks the project's language: plain English in comments, pages, messages and test titles, and one word for one thing in file names
 * and exported identifiers. `npm run words` prints what it finds; CONTRIBUTING.md says how to choose words.
 */
export interface WordFault {
  readonly file: string;
  readonly line: number;
  readonly found: string;
  readonly advice: string;
}

/** Ways of writing that a reader has to read twice, and what to write instead. */
const prose: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/\bso (?:many|long)\b/gi, "this many, this long, or the number"],
  [/\b(?:told|tells)\b/gi, "reports, says, notifies, distinguishes"],
  [/(?<![\w'"./=-])none(?![\w'"/:=-])(?! *\|)/gi, "no, not one, nobody, or a sentence about what is there"],
  [/\b(?:be|been|is|are|was|were) had\b/gi, "obtained, available"],
  [/\bmostly\b/gi, "usually"],
  [/\blest\b/gi, "so that ... not"],
  [/\bas [^.;:()]{1,40} ha(?:s|ve) it\b/gi, "as ... defines it"],
  [/\bwho joins?\b/gi, "a caller that attaches"],
  [/\bof ours\b/gi, "our, or the name of what it is"],
  [/\bby itself\b/gi, "alone, automatically"],
  [/\btwinkling\b|\bmend(?:s|ed|ing)?\b|\bbelieved?\b|\bleads? nowhere\b/gi, "the everyday word"],
];

/** Words of a private vocabulary, in file names and in exported names, and what this project calls the thing. */
const names: readonly (readonly [word: RegExp, advice: string])[] = [
  [/^looks?$/, "observe, observation"],
  [/^rest$/, "requeue"],
  [/^tid(?:y|ied)$/, "finalize"],
  [/^lines?$/, "wait queue (or an exception: lines of text)"],
  [/^obstacles?$/, "conflict"],
  [/^join(?:ed|s)?$/, "attach, attached"],
  [/^(?:purse|drawn)$/, "token lease"],
  [/^usual$/, "typical"],
  [/^seen$/, "observed"],
  [/^wakes?$/, "requeue (or an exception: the queue aci-wake)"],
  [/^(?:tells?|told)$/, "notify, report"],
  [/^(?:holds?|holders?)$/, "name lock, locked by; contains"],
  [/^room$/, "capacity"],
  [/^orders?$/, "submission"],
  [/^(?:doors?|knocks?)$/, "guard"],
  [/^(?:beats?|turns?)$/, "heartbeat, periodic"],
  [/^part(?:y|ies)$/, "fault domain"],
  [/^most$/, "max"],
  [/^place[ds]?$/, "location, position, target, secrecy"],
];

/** Files and exported names that may hold such a word, and why. */
const exceptions: Readonly<Record<string, string>> = {
  "src/workers/wake.ts": "the trigger of the queue aci-wake",
  "src/workers/sweep/health-line.ts": "a line of the log",
  "test/service/log-lines.test.ts": "lines of the log",
  wake: "the function's name, which operators see",
  Party: "a schema's name in the API's description, which callers see",
  ...Object.fromEntries(
    [
      "csvLine",
      "HistoryLine",
      "lastLinesAt",
      "linesAfter",
      "linesFrom",
      "linesOf",
      "LogLines",
      "markLine",
      "progressLine",
      "WriteLine",
    ].map((name) => [name, "a line of text"]),
  ),
};
/** Texts that are not ours. */
const quoted: readonly RegExp[] = [/--network none/g, /messageEncoding none/g, /property none does/g];

const code = ["src", "client", "local", "test"].map((folder) => `${folder}/**/*.{ts,js,mjs}`);
const pages = ["*.md", "docs/**/*.md", "local/**/*.md", "src/**/*.html"];

/** The words of a name: `placedFault`, `placed-fault` and `PLACED_FAULT` are `placed`, `fault`. */
const wordsOf = (name: string): string[] =>
  name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== "");

function* judgeProse(file: string, line: number, text: string): Generator<WordFault> {
  const own = quoted.reduce((left, other) => left.replace(other, (all) => " ".repeat(all.length)), text);
  for (const [pattern, advice] of prose)
    for (const { 0: found, index } of own
      .replaceAll(/`[^`\n]*`/g, (code) => "`".padEnd(code.length - 1) + "`")
      .matchAll(pattern))
      yield { file, line: line + (text.slice(0, index).match(/\n/g)?.length ?? 0), found, advice };
}

function* judgeName(file: string, line: number, name: string): Generator<WordFault> {
  if (Object.hasOwn(exceptions, name)) return;
  if (name === "no") yield { file, line, found: name, advice: "err" };
  for (const word of wordsOf(name))
    for (const [pattern, advice] of names) if (pattern.test(word)) yield { file, line, found: name, advice };
}

/** What a page says, without its code. */
export function judgePage(file: string, text: string): WordFault[] {
  return [
    ...judgeProse(
      file,
      1,
      text.replaceAll(/^```.*?^```$/gms, (block) => block.replaceAll(/[^\n]/g, "")),
    ),
  ];
}

/** Comments, texts with spaces in them, and exported names of a source file. */
export function judgeSource(file: string, text: string): WordFault[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineOf = (at: number): number => source.getLineAndCharacterOfPosition(at).line + 1;
  const comments = new Map<number, string>();
  const faults: WordFault[] = [];
  const visit = (node: ts.Node): void => {
    for (const { pos, end } of commentsBeside(node, text)) comments.set(pos, text.slice(pos, end));
    if ((ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node)) && /\s/.test(node.text))
      faults.push(...judgeProse(file, lineOf(node.getStart()), node.text));
    for (const name of exportedNames(node)) faults.push(...judgeName(file, lineOf(name.getStart()), name.text));
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  for (const [at, comment] of comments) faults.push(...judgeProse(file, lineOf(at), comment));
  return faults;
}

/** The comments in front of and behind a node; inside a template what looks like one is text. */
function commentsBeside(node: ts.Node, text: string): readonly ts.CommentRange[] {
  if (ts.isTemplateLiteralToken(node) || ts.isTemplateSpan(node)) return [];
  return [
    ...(ts.getLeadingCommentRanges(text, node.pos) ?? []),
    ...(ts.getTrailingCommentRanges(text, node.end) ?? []),
  ];
}

function exportedNames(node: ts.Node): readonly ts.Identifier[] {
  const names = (): readonly (ts.Node | undefined)[] => {
    if (ts.isExportSpecifier(node)) return [node.name];
    if (!ts.canHaveModifiers(node) || !ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
      return [];
    return ts.isVariableStatement(node)
      ? node.declarationList.declarations.map(({ name }) => name)
      : [ts.getNameOfDeclaration(node as ts.Node as ts.Declaration)];
  };
  return names().flatMap((name) => (name !== undefined && ts.isIdentifier(name) ? [name] : []));
}

export function judgePath(file: string): WordFault[] {
  return Object.hasOwn(exceptions, file)
    ? []
    : [...judgeName(file, 1, file.replace(/^.*\//, "").replace(/(?:\.test)?\.\w+$/, ""))];
}

export function wordFaults(root: string): WordFault[] {
  const read = (file: string): string => readFileSync(join(root, file), "utf8");
  return [
    ...globSync(pages, { cwd: root })
      .toSorted()
      .flatMap((file) => judgePage(file, read(file))),
    ...globSync(code, { cwd: root, ignore: ["test/unit/words.test.ts"] })
      .toSorted()
      .flatMap((file) => [...judgePath(file), ...judgeSource(file, read(file))]),
  ];
}

if (process.argv[1] === import.meta.filename) {
  const faults = wordFaults(join(import.meta.dirname, ".."));
  for (const { file, line, found, advice } of faults) console.log(`${file}:${line}: "${found}": write ${advice}`);
  if (faults.length > 0) process.exitCode = 1;
}
