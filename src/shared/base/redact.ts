/**
 * Masking what was a secret wherever text leaves us: by value, in the forms in which programs write a secret (plain, base64, URL-encoded,
 * inside a JSON string). Pure.
 */
export type Mask = (text: string) => string;

const stars = "***";
/** Shorter values are words like `true` or `dev`: masking them would only make messages unreadable. */
const shortest = 4;
/** A line of a secret of several lines (a key's PEM, say) is told apart from an ordinary word by its length. */
const shortestLine = 12;
/** Texts are cut before they come here: so much of a secret at a text's end is masked, too. */
const shortestPart = 6;

export function maskValues(text: string, secrets: readonly string[]): string {
  return maskOf(secrets)(text);
}

/** The same for many texts. */
export function maskOf(secrets: readonly string[]): Mask {
  const forms = formsOf(secrets);
  return (text) => {
    let masked = text;
    for (const form of forms) if (masked.includes(form)) masked = masked.replaceAll(form, stars);
    for (const form of forms) masked = withoutCutEnd(masked, form);
    return masked;
  };
}

function withoutCutEnd(text: string, form: string): string {
  const begin = form.slice(0, shortestPart);
  if (begin.length < shortestPart) return text;
  for (let at = text.indexOf(begin, text.length - form.length); at >= 0; at = text.indexOf(begin, at + 1)) {
    if (form.startsWith(text.slice(at))) return text.slice(0, at) + stars;
  }
  return text;
}

/** Longest first, so that no part of a secret is left over when another is contained in it. */
function formsOf(secrets: readonly string[]): readonly string[] {
  const whole = secrets.filter((secret) => secret.trim().length >= shortest);
  const lines = whole
    .filter((secret) => /[\r\n]/.test(secret))
    .flatMap((secret) => secret.split(/\r\n|\r|\n/).filter((line) => line.trim().length >= shortestLine));
  const forms = [...whole, ...lines].flatMap((secret) => [
    secret,
    secret.trim(),
    JSON.stringify(secret).slice(1, -1),
    ...urlForms(secret),
    ...base64Forms(secret),
  ]);
  return [...new Set(forms)].filter((form) => form.length >= shortest).sort((a, b) => b.length - a.length);
}

/** Percent-encoding (RFC 3986), its digits in either case, and the form's own, where a space is a plus. */
function urlForms(secret: string): string[] {
  let encoded: string;
  try {
    encoded = encodeURIComponent(secret);
  } catch {
    return []; // half a character, which no URL can hold
  }
  const strict = encoded.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = strict.replaceAll("%20", "+");
  return [encoded, strict, form, encodeURI(secret)].flatMap((each) => [
    each,
    each.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  ]);
}

/**
 * Base64 and base64url of the secret, alone or anywhere in a longer text: its characters there depend on where in a group of three
 * bytes it begins, and those that it shares with its neighbours are left out.
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inside = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const shared = (shift + bytes.length) % 3 === 0 ? 0 : 1;
    return encoded.slice(shift === 0 ? 0 : shift + 1, encoded.length - shared);
  });
  // What is left of a short secret may be an ordinary word.
  return [bytes.toString("base64"), ...inside.filter((form) => form.length >= 6)].flatMap((form) => [
    form,
    form.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
  ]);
}

/** What lets somebody in, wherever it stands: keys and signatures in addresses and connection strings, bearer tokens, passwords in URLs. */
const credentials: readonly (readonly [RegExp, string])[] = [
  [
    /([?&;](?:code|sig|key|token|callback_?token|accountkey|sharedaccesssignature|password|pwd)=)[^&;\s"']+/gi,
    `$1${stars}`,
  ],
  // These names are nothing else, wherever they stand.
  [/((?:^|[\s,"'])(?:sig|accountkey|sharedaccesskey|sharedaccesssignature|password|pwd)=)[^&;,\s"']+/gi, `$1${stars}`],
  [/\b(Bearer\s+)[\w.~+/-]{8,}=*/gi, `$1${stars}`],
  [/(:\/\/)[^/\s@"']{1,500}@/g, `$1${stars}@`],
  [/(\/api\/link\/)[\w-]+/g, `$1${stars}`],
];

/** For what Azure says: it may quote credentials that no definition told us of. */
export const withCredentials =
  (mask: Mask): Mask =>
  (text) =>
    maskCredentials(mask(text));

/** Masks by structure what no definition told us of: for logs, and for what Azure says. */
export const maskCredentials: Mask = (text) => {
  let masked = text;
  for (const [pattern, replacement] of credentials) masked = masked.replace(pattern, replacement);
  return masked;
};
