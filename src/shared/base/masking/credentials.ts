/**
 * Recognizes credentials by their form, anywhere in a text: passwords and keys behind their names, tokens that have a form of
 * their own, users in addresses. Positions in texts of one character for each byte. Pure; each pattern takes time in proportion to the text.
 */

/** Names of what is secret; what stands before them in a longer name (`DB_PASSWORD`, `--registry-password`) does not matter. */
const strong = "(?:password|passwd|passphrase|pwd|(?<![a-z])pass)";
const weak =
  "(?:(?:access|account|api|client|function|functions|host|master|private|shared|storage|subscription|workspace|encryption|signing)[_ -]?(?:access[_-]?)?key|secret(?:[_-]?(?:access[_-]?)?(?:key|value))?|secure[_-]?value|token|credentials?|(?:shared[_-]?access[_-]?)?signature|(?<![a-z])sig|(?<![a-z])sas|authorization|connection[_-]?string|conn[_-]?str)";
const any = `(?:${strong}|${weak})`;
/** A value in quotes, closed or cut off, or without. */
const quoted = `(?:"((?:[^"\\\\]|\\\\.){1,20000})|'((?:[^'\\\\]|\\\\.){1,20000}))`;

const patterns: readonly RegExp[] = [
  // password=..., --password=..., ?access_token=..., AccountKey=...
  new RegExp(`${any}["']?\\s{0,3}=\\s{0,3}(?:${quoted}|([^&;,\\s"'<>]+))`, "dgi"),
  // Of these only where they stand in an address or a connection string.
  /[?&;](?:code|key|auth|pat)=([^&;,\s"'<>]+)/dgi,
  // "password": "...", 'password': '...', password: "..."
  new RegExp(`${any}["']?\\s{0,3}:\\s{0,3}${quoted}`, "dgi"),
  // "name": "DB_PASSWORD", "value": "..."
  new RegExp(
    `"name"\\s{0,3}:\\s{0,3}"[^"]{0,60}${any}[^"]{0,60}"\\s{0,3},\\s{0,3}"\\w{0,20}value"\\s{0,3}:\\s{0,3}${quoted}`,
    "dgi",
  ),
  // password: ..., where the word behind it looks like one
  new RegExp(`${strong}["']?\\s{0,3}:\\s{0,3}([^\\s"'<>,;]{4,})`, "dgi"),
  new RegExp(
    `${weak}["']?\\s{0,3}:\\s{0,3}(?!(?:basic|bearer)\\b)((?=[^\\s"'<>,;\\d]{0,200}\\d)[^\\s"'<>,;]{6,})`,
    "dgi",
  ),
  // --password ..., "--password", "..."
  new RegExp(
    `(?:^|[\\s"'[,(])--?[\\w-]{0,40}?${any}(?:["']\\s{0,3},\\s{0,3}["']|\\s{1,3}["']?)([^\\s"',\\]-][^\\s"',\\]]*)`,
    "dgi",
  ),
  // curl --user name:password
  /(?:^|[\s"'[,(])(?:-u|--user)(?:["']\s{0,3},\s{0,3}["']|\s{1,3}["']?)[^\s:"',]{1,100}:([^\s"',\]]+)/dgi,
  /\b(?:Bearer|Basic|SharedKey|SharedKeyLite)\s{1,3}([\w.~+/:-]{8,}=*)/dgi,
  // JSON Web Tokens, and JSON Web Encryption (RFC 7515, 7516); each run of their signs is read once
  /(?<![\w-])(?=[\w-]+\.)[\w-]*?\b(eyJ[\w-]{5,}\.[\w-]*(?:\.[\w-]*){0,3})/dg,
  // user:password@ in an address, and in front of a registry
  /:\/\/([^/\s@"'<>]{1,500})@/dg,
  /(?<![\w:/])(?!mailto:)[\w.+-]{1,100}:([^\s/@:"'<>]{1,200})@(?=[\w-]+\.[\w.-]*[a-z])/dgi,
  /\/api\/(?:link|result)\/([\w-]+)/dg,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----([\s\S]*?)(?:-----END|$)/dg,
  // Forms that their makers gave them to be found by: keys of Azure, of its applications, GitHub, GitLab, Slack, AWS, Google
  /\b([A-Za-z0-9+/]{86}==)/dg,
  /\b([\w.~-]{3}\dQ~[\w.~-]{31,34})/dg,
  /\b((?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{35}|sk-[\w-]{20,}))/dg,
];

/** Without one of these nothing of it can be there. */
const hint = /[=:@~]|eyJ|--|[bB](?:earer|asic)|Key|api\/(?:link|result)|_|-/;

export function credentialPositions(latin: string): (readonly [from: number, to: number])[] {
  if (!hint.test(latin)) return [];
  return patterns.flatMap((pattern) =>
    Array.from(latin.matchAll(pattern)).flatMap(({ indices = [] }) =>
      indices.slice(1).filter((place) => place !== undefined),
    ),
  );
}
