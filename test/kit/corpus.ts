import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Definitions that other people wrote: the folder CORPUS_DIR, else ../shared/corpus. They are not ours to copy. */
const corpus = resolve(
  fileURLToPath(new URL("../..", import.meta.url)),
  process.env["CORPUS_DIR"] ?? "../shared/corpus",
);

export const hasCorpus = existsSync(resolve(corpus, "INDEX.tsv"));

/** Why tests were skipped, for their names. */
export const withoutCorpus = `there is no folder ${corpus} with INDEX.tsv (CORPUS_DIR names another)`;

/** The definition; one of the specification's examples, whose name stands in the URL, gets one. */
export function corpusText(file: string): string {
  const written = readCorpus(file);
  const isExample =
    file.endsWith(".json") &&
    !/"name":[^]*"properties":|\$schema/.test(written.slice(0, written.indexOf('"containers"')));
  return isExample ? written.replace("{", '{"name": "group",') : written;
}

export function readCorpus(file: string): string {
  return readFileSync(resolve(corpus, file), "utf8");
}

/** The rows of one of its tables, without the heading. */
export function corpusTable(file: string): string[][] {
  return readCorpus(file)
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/\r$/, "").split("\t"));
}
