import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { bicep, canonical, evaluate, inCopy, infra, runBicep, without } from "./bicep.ts";
import { environments } from "./environments.ts";

vi.setConfig({ testTimeout: 180_000 });

test("CI has the Bicep compiler", () => {
  if (process.env["CI"]) expect(bicep, without).toBeDefined();
});

const compiled = bicep === undefined ? describe.skip : describe;

compiled(`The templates${bicep === undefined ? ` (${without})` : ""}`, () => {
  test.each(["**/*.bicep", "**/*.bicepparam"])("compile without any diagnostic: %s", async (pattern) => {
    const { exitCode, stdout, stderr } = await runBicep(["lint", "--pattern", pattern], infra);
    expect({ exitCode, said: stdout + stderr }).toEqual({ exitCode: 0, said: "" });
  });

  test("are formatted as the compiler formats them", async () => {
    await inCopy(async (folder) => {
      for (const pattern of ["**/*.bicep", "**/*.bicepparam"]) {
        const words = ["format", "--pattern", pattern, "--insert-final-newline", "--newline-kind", "LF"];
        expect(await runBicep(words, folder)).toMatchObject({ exitCode: 0 });
      }
      for (const file of await readdir(infra, { recursive: true })) {
        if (!/\.bicep(param)?$/.test(file)) continue;
        const [ours, theirs] = await Promise.all([infra, folder].map((root) => readFile(join(root, file), "utf8")));
        expect(ours, `bicep format infra/${file} --insert-final-newline --newline-kind LF`).toBe(theirs);
      }
    });
  });

  // `npx vitest run test/infra -u` writes them anew.
  test.each(environments)("$file deploys what its snapshot says", async ({ file, snapshot }) => {
    const evaluated = await inCopy((folder) => evaluate(folder, file));
    await expect(canonical(evaluated)).toMatchFileSnapshot(join(infra, "snapshots", snapshot));
  });
});
