import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../..", import.meta.url);

/** What stands in a document between `<!-- NAME -->` and `<!-- end NAME -->`; a test writes what it computes there with UPDATE_DOCS=1. */
export function part(path: string, name: string, computed?: string): string {
  const file = new URL(path, root);
  const between = new RegExp(`(?<=<!-- ${name} -->\\n)[^]*?(?=\\n?<!-- end ${name} -->)`);
  if (computed !== undefined && process.env["UPDATE_DOCS"])
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(between, () => `${computed}\n`),
    );
  const match = between.exec(readFileSync(file, "utf8"));
  if (match === null) throw new Error(`${path} has no part ${name}`);
  return match[0].trim();
}
