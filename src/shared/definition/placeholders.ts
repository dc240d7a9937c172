/** A reference to a secret in a vault, which a worker resolves at provisioning: `${keyvault:NAME}` or `${keyvault:NAME/VERSION}`. */
const vaultReference = /\$\{keyvault:([0-9A-Za-z-]{1,127})(?:\/([0-9A-Za-z]{1,64}))?\}/g;

export interface VaultReference {
  readonly name: string;
  readonly version: string | undefined;
}

export function vaultReferencesIn(text: string): VaultReference[] {
  if (!text.includes("${keyvault:")) return [];
  return Array.from(text.matchAll(vaultReference), ([, name = "", version]) => ({ name, version }));
}

/** The text with each reference to a vault replaced by what `valueOf` gives for it. */
export function replaceVaultReferences(text: string, valueOf: (reference: VaultReference) => string): string {
  if (!text.includes("${keyvault:")) return text;
  return text.replace(vaultReference, (_, name: string, version: string | undefined) => valueOf({ name, version }));
}

/** What template languages and documentation leave behind. Each pattern takes time in proportion to the text. */
const patterns: readonly RegExp[] = [
  /<[^<>]*>/, // <your-registry>
  /\$\{[^${}]*\}|\$\([^$()]*\)|#\{[^#{}]*\}/, // ${IMAGE} $(Build.BuildId) #{Octopus}
  /(?:^|[^A-Za-z0-9])\$[A-Za-z_]/, // $IMAGE_TAG
  /%[A-Za-z_]\w*%/, // %IMAGE%
  /__[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*__/, // __IMAGE__
  /\{\{/, // {{ image }}
  /^\s*\[.*\]\s*$/s, // [parameters('image')]
  /(?:^|[^A-Za-z0-9])(?:YOUR|REPLACE|CHANGE|INSERT|ENTER)[_-]|(?:^|[^A-Za-z0-9])(?:REPLACEME|CHANGEME|TODO|FIXME|PLACEHOLDER)(?:$|[^A-Za-z0-9])/,
];

/** True where a placeholder of a template is left in a name, an image, a place or an id. Vault references are none. */
export function holdsPlaceholder(text: string): boolean {
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
