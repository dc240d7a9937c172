import { execFile, spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { isWanted } from "../../kit/wanted.ts";
import { definition } from "../simulated.ts";
import { installPackage, npmFreeEnv, useStack } from "./kit.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const root = fileURLToPath(new URL("../../../", import.meta.url));
const run = promisify(execFile);
const has = (command: string, ...words: string[]): boolean => spawnSync(command, words).status === 0;

const used = useStack();

beforeAll(async () => {
  const result = { app: { output: 'counting\n{"rows": 3}\n' } };
  await writeFile(join(used.folder, "result.json"), definition("with-result", result));
  await writeFile(
    join(used.folder, "failing.json"),
    definition("failing", { app: { exitCode: 42, output: "::error::no\n" } }),
  );
  await installPackage(used.folder);
});

const demo = join(root, "examples/bellaciao.yaml");
/** Both programs print the lines of the demo's job, how it ended, and the result of another job. */
const expected = ["Succeeded 0", "app1 Hello World!", "app2 Hello World!", "rows 3"];
const linesOf = (text: string): readonly string[] => text.trimEnd().split("\n").toSorted();

test("the Node client runs the demo's job, follows its output and reads a result", async () => {
  const program = `
    import { readFile } from "node:fs/promises";
    import { AciProxy } from "aci-proxy/client";
    const proxy = new AciProxy(${JSON.stringify(used.stack.url)}, { key: "local" });
    const { job } = await proxy.submit(await readFile(${JSON.stringify(demo)}, "utf8"), { uniqueName: true });
    const end = await proxy.follow(job.id, { onLine: (container, line) => console.log(container, line) });
    console.log(end.state, end.exitCode);
    const other = await proxy.submit(await readFile("result.json", "utf8"), { uniqueName: true });
    await proxy.wait(other.job.id);
    console.log("rows", (await proxy.result(other.job.id)).rows);`;
  await writeFile(join(used.folder, "program.mjs"), program);
  const { stdout } = await run(process.execPath, ["program.mjs"], { cwd: used.folder });
  expect(linesOf(stdout)).toEqual(expected);
});

const noPython = has("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))")
  ? undefined
  : "there is no python3 of version 3.9 or later";
if (!isWanted(noPython)) test.skip(`the Python client on a real stack: skipped, because ${noPython}`);

describe.runIf(isWanted(noPython))("the Python client", () => {
  test("runs the demo's job, follows its output and reads a result", async () => {
    const program = `
from aci_proxy import AciProxy, has_ended
proxy = AciProxy(${JSON.stringify(used.stack.url)})
job = proxy.submit(open(${JSON.stringify(demo)}).read(), unique_name=True)
end = proxy.follow(job.id, on_line=print)
print(end.state, end.exit_code)
other = proxy.submit(open("result.json").read(), unique_name=True)
proxy.wait(other.id)
print("rows", proxy.result(other.id)["rows"])
# What only a real service can show: every reply is read whole.
record = proxy.record(job.id)
assert [each.number for each in record.attempts] == [1] and record.history[0].from_ == ""
assert {each.id for each in proxy.jobs(state="Succeeded")} >= {job.id, other.id}
assert proxy.summary(by="state").rows and proxy.health_details().status and proxy.health().status == "ok"
assert has_ended(proxy.wait(proxy.rerun(other.id).id)) and proxy.dry_run(open("result.json").read()).message
assert proxy.log(other.id, "app").startswith("counting") and proxy.cancel(job.id, wait=True).message
assert proxy.cancel_many(name="nobody", dry_run=True).canceled == 0 and proxy.poison().messages == []
assert proxy.pause(reason="test").paused and not proxy.resume().paused and proxy.adopt().message`;
    const env = { ...process.env, PYTHONPATH: join(root, "clients/python"), PYTHONDONTWRITEBYTECODE: "1" };
    const { stdout } = await run("python3", ["-c", program], { cwd: used.folder, env });
    expect(linesOf(stdout)).toEqual(expected);
  });
});

const action = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string().optional() })),
  runs: z.object({
    steps: z.tuple([z.object({ env: z.record(z.string(), z.string()), run: z.string(), shell: z.literal("bash") })]),
  }),
});
const noBash = has("bash", "--version") ? undefined : "there is no bash";
if (!isWanted(noBash)) test.skip(`the GitHub Action's step: skipped, because ${noBash}`);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly outputs: Readonly<Record<string, string | undefined>>;
}

describe.runIf(isWanted(noBash))("the GitHub Action's step", () => {
  /** Runs the step as the runner does: its inputs come by the environment. */
  async function step(inputs: Readonly<Record<string, string>>): Promise<Ended> {
    const parsed = action.parse(load(await readFile(join(root, "action.yml"), "utf8")));
    const [{ env, run: script }] = parsed.runs.steps;
    const outputs = join(used.folder, "outputs");
    await writeFile(outputs, "");
    const given = Object.entries(env).map(([name, value]) => {
      const input = /^\$\{\{ inputs\.(\w+) \}\}$/.exec(value)?.[1] ?? "";
      return [name, inputs[input] ?? parsed.inputs[input]?.default ?? ""] as const;
    });
    const own = { GITHUB_OUTPUT: outputs, npm_config_offline: "true", ...Object.fromEntries(given) };
    const ended = await run("bash", ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script], {
      cwd: used.folder,
      env: { ...npmFreeEnv(), ...own },
    }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: unknown) => z.object({ code: z.number(), stdout: z.string() }).parse(error),
    );
    const lines = (await readFile(outputs, "utf8")).trimEnd().split("\n");
    const pairs = lines.map((line) => /^(.*?)=(.*)$/.exec(line)?.slice(1) ?? [line]);
    return { ...ended, outputs: Object.fromEntries(pairs.map(([name = "", value]) => [name, value])) };
  }
  const service = () => ({ url: used.stack.url, key: "local" });

  test("runs a definition of a file with options, follows it, and gives id and state", async () => {
    const ended = await step({ ...service(), file: "result.json", options: "uniqueName=true\r\n\ntags=a=b,c=d\n" });
    expect(ended).toMatchObject({
      code: 0,
      outputs: { state: "Succeeded", id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown },
    });
    expect(ended.stdout).toContain("app | counting\n");
  });

  test("ends as a failed job ends, and takes nothing that its containers write for a command", async () => {
    const text = await readFile(join(used.folder, "failing.json"), "utf8");
    const ended = await step({ ...service(), definition: text });
    expect(ended).toMatchObject({ code: 42, outputs: { state: "Failed" } });
    expect(ended.stdout).toMatch(/^::stop-commands::([\w-]+)\napp \| ::error::no\n::\1::\n$/);
  });

  test("fails with the refusal's code and one line where the service refuses, and runs nothing that an input holds", async () => {
    const wicked = "tags=$(touch injected)`touch injected`\"; touch injected; '";
    const ended = await step({ ...service(), definition: "name: x", options: wicked });
    expect(ended.code).toBe(204);
    expect(ended.outputs).toEqual({ "": undefined });
    await expect(readFile(join(used.folder, "injected"))).rejects.toThrow("ENOENT");
    expect((await step({ url: used.stack.url, key: "wrong", file: "result.json" })).code).toBe(205);
  });

  test("takes the version of this package, and gives inputs to its script by the environment alone", async () => {
    const text = await readFile(join(root, "action.yml"), "utf8");
    const { inputs, runs } = action.parse(load(text));
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
    expect(inputs["version"]?.default).toBe(version);
    expect(runs.steps[0].run).not.toContain("${{");
  });
});
