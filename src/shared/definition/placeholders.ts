/** A reference to a secret in a vault, which a worker resolves at provisioning: `${keyvault:NAME}` or `${keyvault:NAME/VERSION}`. */
const vaultReference = /\$\{keyvault:([0-9A-Za-z-]{1,127})(?:\/([0-9A-Za-z]{1,64}))?\}/g;

export interface VaultReference {
  readonly name: string;
  readonly version: string | undefined;
  /** Where in the text it begins. */
  readonly start: number;
}

export function vaultReferencesIn(text: string): VaultReference[] {
  if (!text.includes("${keyvault:")) return [];
  return Array.from(text.matchAll(vaultReference), ({ 1: name = "", 2: version, index: start }) => ({
    name,
    version,
    start,
  }));
}

/** The text with each reference to a vault replaced by what `valueOf` gives for it; one for which it gives nothing stays. */
export function replaceVaultReferences(
  text: string,
  valueOf: (reference: VaultReference) => string | undefined,
): string {
  if (!text.includes("${keyvault:")) return text;
  return text.replace(
    vaultReference,
    (written: string, name: string, version: string | undefined, start: number) =>
      valueOf({ name, version, start }) ?? written,
  );
}

/** A Data Factory expression that nobody evaluated: `@{...}`, or `@pipeline().RunId` and the like, anywhere. `@@` is a plain `@`. */
const expression = /(?<!@)@(?:\{|[A-Za-z]\w{0,60} ?\()/;

/** The same where an `@` may be meant: the whole text is a call, or one stands in `@{...}`. PowerShell's `@{Name = 1}` is no expression. */
const surelyExpression = /^\s*@[A-Za-z]\w{0,60} ?\(|(?<!@)@\{ ?[A-Za-z]\w{0,60} ?\(/;

/** True for a text in which an expression of Data Factory is left, wherever it stands. */
export function containsExpression(text: string): boolean {
  return text.includes("@") && surelyExpression.test(text);
}

/** What is left in a text that names something (an image, a region): an expression or a placeholder, but not a vault reference. */
export function leftover(text: string): "A Data Factory expression" | "A template placeholder" | undefined {
  if (text.length > 2000) return undefined;
  if (expression.test(text)) return "A Data Factory expression";
  return containsPlaceholder(text) ? "A template placeholder" : undefined;
}

/** What to do about it. */
export function fillIn(left: string, advice: string): string {
  return left === "A Data Factory expression" ? `${advice}, or make the activity's body dynamic content` : advice;
}

/** What template languages and documentation leave behind. Each pattern takes time in proportion to the text. */
const patterns: readonly RegExp[] = [
  /<[^<>]*>/, // <your-registry>
  /\$\{[^${}]*\}|\$\([^$()]*\)|#\{[^#{}]*\}/, // ${IMAGE} $(Build.BuildId) #{Octopus}
  /(?:^|[^A-Za-z0-9])\$[A-Za-z_]/, // $IMAGE_TAG
  /%[A-Za-z_]\w*%/, // %IMAGE%
  /__[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*__/, // __IMAGE__
  /\{\{|\{%|\(\(/, // {{ image }} {% if %} ((image))
  /\{[^{}]*\}/, // {image}
  /^\s*\[.*\]\s*$/s, // [parameters('image')]
  /(?:^|[^A-Za-z0-9])(?:YOUR|REPLACE|CHANGE|INSERT|ENTER)[_-]|(?:^|[^A-Za-z0-9])(?:REPLACEME|CHANGEME|TODO|FIXME|PLACEHOLDER)(?:$|[^A-Za-z0-9])/,
];

/** True where a placeholder of a template is left in a name, an image, a region or an id. A vault reference is no placeholder. */
export function containsPlaceholder(text: string): boolean {
  if (text.length > 2000) return false;
  const rest = replaceVaultReferences(text, () => "");
  return patterns.some((pattern) => pattern.test(rest));
}

const whole =
  /^\s*(?:<[^<>]+>|\$\{[^${}]*\}|\$\([^$()]*\)|\$[A-Za-z_]\w*|#\{[^#{}]*\}#?|\{\{[^{}]*\}\}|__\w+__|\[[^[\]]*\])\s*$/;

/** True where a value is nothing but a placeholder: in credentials and variables more than that may be meant. */
export function isPlaceholder(text: string): boolean {
  return text.length <= 200 && whole.test(replaceVaultReferences(text, () => "x"));
}
