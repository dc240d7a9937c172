/** The command and stored definitions, on a real stack. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { Command, useStack } from "./kit.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const example = fileURLToPath(new URL("../../../examples/nightly-template.yaml", import.meta.url));
const used = useStack();

async function ended(...words: string[]) {
  const command = new Command(words, { env: { ACI_PROXY_URL: used.stack.url, ACI_PROXY_KEY: "local" } });
  const code = await command.exitCode;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

test("a template is stored, listed, shown, compared, run and deleted by the command", async () => {
  expect(await ended("validate", example)).toMatchObject({ code: 0 });
  expect(await ended("template", "list")).toMatchObject({ code: 0, stdout: "", stderr: "There are no templates.\n" });
  expect(await ended("template", "put", "nightly", example, "--if-version", "0")).toMatchObject({
    stderr: "",
    stdout: "Template nightly is stored as version 1.\n",
  });
  const text = await readFile(example, "utf8");
  expect((await ended("template", "get", "nightly")).stdout).toBe(text);
  const second = join(used.folder, "second.yaml");
  await writeFile(second, text.replace("timeout: PT2H", "timeout: PT3H"));
  expect(await ended("template", "put", "nightly", second, "--if-version", "1")).toMatchObject({ code: 0 });
  const refused = await ended("template", "put", "nightly", second, "--if-version", "1");
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("Its newest version is 2");
  const { stdout: compared } = await ended("template", "diff", "nightly");
  expect(compared).toContain("-x-aciproxy: { timeout: PT2H }");
  expect(compared).toContain("+x-aciproxy: { timeout: PT3H }");
  const { stdout: shown } = await ended("template", "list", "nightly");
  expect(shown).toMatch(/waitSeconds\s+number\s+default 3/);
  expect(shown).toMatch(/image\s+string\s+required/);
  const ran = await ended(
    ...["run", "--template", "Nightly", "--template-version", "1", "--param", "image=registry.example/app:1"],
    ...["--param", "day=2026-11-29", "--param-json", "waitSeconds=0"],
  );
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(await ended("template", "delete", "nightly")).toMatchObject({ code: 0 });
  expect((await ended("template", "get", "nightly")).stderr).toContain("There is no template nightly.");
});

test("what is wrong with a run or a template is said once, with parameter, file and line", async () => {
  await ended("template", "put", "faulty", example);
  const run = await ended("run", "--template", "faulty", "--param", "day=today", "--param", "imag=x");
  expect(run.stderr).toContain("Parameter day must be text and must match");
  expect(run.stderr).toContain("The template has no parameter imag; is image meant?");
  expect(run.stderr).toContain("Parameter image is missing");
  const wrong = join(used.folder, "wrong.yaml");
  await writeFile(wrong, "x-aciproxy-parameters: {a: {type: int}}\nname: x\nproperties: {}\n");
  const put = await ended("template", "put", "faulty", wrong);
  expect(put.stderr).toContain("wrong.yaml:1:");
  expect(await ended("validate", wrong)).toMatchObject({ stdout: expect.stringContaining("wrong.yaml:1:") as string });
});

test.each([
  [["run"], "run needs a file or --template"],
  [["run", example, "--template", "x"], "and not both"],
  [["run", example, "--param", "a=b"], "go with --template"],
  [["run", "--template", "x", "--param", "a"], "--param must be NAME=VALUE"],
  [["run", "--template", "x", "--param-json", "a=["], "--param-json a must be JSON"],
  [["template", "get", "x", "one"], "must be a whole number"],
])("%j is misuse, and says why", async (words, why) => {
  const { code, stderr } = await ended(...words);
  expect(code).toBe(202);
  expect(stderr).toContain(why);
});
