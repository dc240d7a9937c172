import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runBicep } from "./bicep.ts";
import type { GroupSource } from "./group-source.ts";

/** What the compiler says of one place. Codes: https://aka.ms/bicep/core-diagnostics */
export interface Diagnostic {
  readonly code: string;
  /** Of a missing property: where it would stand. */
  readonly path: string;
  readonly message: string;
}

/** Compiles all sources by one start of the compiler. The result's keys are those of `sources`. */
export async function compile(
  sources: ReadonlyMap<string, GroupSource>,
): Promise<ReadonlyMap<string, readonly Diagnostic[]>> {
  const folder = await mkdtemp(join(tmpdir(), "definitions-"));
  try {
    const all = [...sources];
    await Promise.all(all.map(([, { text }], index) => writeFile(join(folder, `${index}.bicep`), text)));
    const { stderr } = await runBicep(["build", "--pattern", "*.bicep", "--outdir", join(folder, "built")], folder);
    const said = [...stderr.matchAll(/(\d+)\.bicep\((\d+),\d+\) : \w+ (BCP\d+): (.*)/g)];
    return new Map(
      all.map(([name, { paths }], index) => {
        const own = said.filter(([, file]) => Number(file) === index);
        return [
          name,
          own.flatMap(([, , line, code = "", message = ""]) => read(paths[Number(line)] ?? "", code, message)),
        ];
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

function read(path: string, code: string, message: string): Diagnostic[] {
  const text = message.replace(/ If this is a resource type definition inaccuracy.*| \[https:.*/, "");
  // the type itself: unknown (BCP081), or no version at all (BCP029)
  if (code === "BCP081" || code === "BCP029") return [{ code, path: "apiVersion", message: text }];
  if (code !== "BCP035") return [{ code, path, message: text }];
  const [, names = ""] = /required properties: (.*)\.$/.exec(text) ?? [];
  return [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => ({
    code,
    path: path === "" ? name : `${path}.${name}`,
    message: `"${name}" is missing`,
  }));
}
