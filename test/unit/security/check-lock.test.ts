import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const check = (folder: string): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts/check-lock.mjs"), folder], {
    encoding: "utf8",
  });
  return { status, said: stdout + stderr };
};

const integrity = `sha512-${"A".repeat(86)}==`;
const lock = (entry: object): object => ({
  lockfileVersion: 3,
  packages: { "": { name: "x" }, "node_modules/a": { version: "1.0.0", integrity, ...entry } },
});

function folderWith(contents: object, npmrc = "ignore-scripts=true\n"): string {
  const folder = mkdtempSync(join(tmpdir(), "check-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify(contents));
  writeFileSync(join(folder, ".npmrc"), npmrc);
  return folder;
}

test("this project's lock file is in order", () => {
  expect(check(root)).toEqual({ status: 0, said: expect.stringMatching(/^\d+ packages, 0 faults\n$/) as string });
});

test("every package that has an install script is named, and the build needs no install script", () => {
  expect(readFileSync(join(root, ".npmrc"), "utf8")).toContain("ignore-scripts=true");
  expect(check(folderWith(lock({ hasInstallScript: true })))).toMatchObject({ status: 1 });
});

test.each<[string, object]>([
  ["no hash", { integrity: undefined }],
  ["a weak hash", { integrity: "sha1-AAAA" }],
  ["another registry", { resolved: "https://registry.evil.example/a.tgz" }],
  ["a registry that looks like npm's", { resolved: "https://registry.npmjs.org.evil.example/a.tgz" }],
  ["a git address", { resolved: "git+ssh://git@github.com/a/b.git", version: "git+ssh://x" }],
  ["a file", { resolved: "file:../a.tgz" }],
  ["a link", { link: true }],
])("a package with %s is a fault", (_, entry) => {
  expect(check(folderWith(lock(entry)))).toMatchObject({
    status: 1,
    said: expect.stringContaining("node_modules/a") as string,
  });
});

test.each([
  "",
  "ignore-scripts=false\n",
  "ignore-scripts=true\nregistry=https://evil.example/\n",
  "ignore-scripts=true\n//x/:_authToken=y\n",
])("settings of npm that say %j are a fault", (npmrc) => {
  expect(check(folderWith(lock({}), npmrc))).toMatchObject({ status: 1 });
});
