import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { globSync } from "tinyglobby";
import { describe, expect, test, vi } from "vitest";
import { bicep, canonical, infra, without } from "./bicep.ts";
import { said, warmCompiler } from "./compiler.ts";
import { environments } from "./environments.ts";
import { evaluate } from "./evaluate.ts";

vi.setConfig({ testTimeout: 180_000 });

test("CI has the Bicep compiler", () => {
  if (process.env["CI"]) expect(bicep, without).toBeDefined();
});

const compiler = warmCompiler();
const compiled = bicep === undefined ? describe.skip : describe;

compiled(`The templates${bicep === undefined ? ` (${without})` : ""}`, () => {
  test.each(["**/*.bicep", "**/*.bicepparam"])("compile without any diagnostic: %s", async (pattern) => {
    const files = globSync(pattern, { cwd: infra });
    expect(files).not.toEqual([]);
    for (const file of files) {
      const compiled = await compiler().compile(join(infra, file));
      expect({ success: compiled.success, said: said(compiled) }, file).toEqual({ success: true, said: "" });
    }
  });

  test("are formatted as the compiler formats them", async () => {
    for (const file of globSync("**/*.{bicep,bicepparam}", { cwd: infra })) {
      const [ours, theirs] = [await readFile(join(infra, file), "utf8"), await compiler().format(join(infra, file))];
      expect(ours, `bicep format infra/${file} --insert-final-newline --newline-kind LF`).toBe(theirs);
    }
  });

  // `npx vitest run test/infra -u` writes them anew.
  test.each(environments)("$file deploys what its snapshot says", async ({ file, snapshot }) => {
    const evaluated = await evaluate(compiler(), infra, file);
    await expect(canonical(evaluated)).toMatchFileSnapshot(join(infra, "snapshots", snapshot));
  });
});
