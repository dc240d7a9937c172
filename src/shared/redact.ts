/** Masking what was a secret wherever text leaves us: by value, in plain, base64 and URL-encoded form. Pure. */
export function maskValues(text: string, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of formsOf(secrets)) masked = masked.replaceAll(secret, "***");
  return masked;
}

/** Longest first, so that no part of a secret is left over when another is contained in it. Words too short to be secrets stay. */
function formsOf(secrets: readonly string[]): readonly string[] {
  const forms = secrets
    .filter((secret) => secret.length >= 4)
    .flatMap((secret) => [
      secret,
      Buffer.from(secret).toString("base64"),
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
    ]);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}
