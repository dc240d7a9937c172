import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { installPackage, npm } from "./kit.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));

/** An empty project with the package in it. */
let project: string;
let packed: Awaited<ReturnType<typeof installPackage>>;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "client-pack-"));
  packed = await installPackage(project);
});
afterAll(() => rm(project, { recursive: true }));

test("npm pack takes the built client, its types and licenses, and nothing else", () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths.filter((path) => !/^dist-client\/[\w-]+\.d\.ts$/.test(path)).toSorted()).toEqual([
    "LICENSE",
    "README.md",
    "bin/aci-proxy.mjs",
    "dist-client/LICENSES.txt",
    "dist-client/index.mjs",
    "dist-client/main.mjs",
    "package.json",
  ]);
  expect(packed.size).toBeLessThan(500_000);
});

test("the package installs into an empty project without a network, and brings no other package along", async () => {
  const lock = z.object({ packages: z.record(z.string(), z.unknown()) });
  const { packages } = lock.parse(JSON.parse(await readFile(join(project, "package-lock.json"), "utf8")));
  expect(Object.keys(packages)).toEqual(["", "node_modules/aci-proxy"]);
});

test("npx aci-proxy validate works there, and says what is wrong with a definition", async () => {
  const npx = (...words: string[]): Promise<string> => npm(project, "exec", "--offline", "--", "aci-proxy", ...words);
  await npx("validate", join(root, "examples/bellaciao.yaml"));
  await writeFile(join(project, "faulty.yaml"), "name: nightly\n");
  await expect(npx("validate", "faulty.yaml")).rejects.toMatchObject({ code: 201, stdout: /^faulty\.yaml:1:1 / });
  expect(await npx("--help")).toContain("Exit codes:");
});

test("a strict TypeScript program compiles against the package's types, and runs", async () => {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  await symlink(join(root, "node_modules/@types"), join(project, "node_modules/@types"), "junction");
  const program = `
    import { AciProxy, AciProxyError, hasEnded, Refused, type JobRow, type Status, type SubmitOptions } from "aci-proxy/client";
    export async function main(): Promise<void> {
      const proxy = new AciProxy("http://localhost:7071", { key: "local" });
      const options: SubmitOptions = { timeout: "PT1H", retries: 2, retryOn: [137, "platform"], tags: { team: "a" }, env: true, newer: "x" };
      const { job } = await proxy.submit({ name: "nightly" }, options, "key");
      const end: Status = await proxy.follow(job.id, { onLine: (container: string, line: string) => console.log(container, line) });
      const code: number | undefined = end.exitCode;
      const known: boolean = end.state === "Succeeded" || end.reason === "OutOfMemory" || hasEnded(end);
      for await (const row of proxy.jobs({ state: "active", pipeline: "load" })) {
        const { cpu, costEstimate }: JobRow = row;
        console.log(cpu?.toFixed(1), costEstimate);
      }
      const record = await proxy.record(job.id);
      const exit = record.attempts?.[0]?.containers?.["app"]?.exit_code;
      console.log(code, known, exit, await proxy.logText(job.id, "app", { tail: 10 }), await proxy.result(job.id));
      console.log(await proxy.cancel(job.id, { wait: true }), (await proxy.rerun(job.id)).job.id, (await proxy.health()).activeJobs);
      // @ts-expect-error a member that no reply has
      console.log(job.identifier.length);
      // @ts-expect-error a list has no such parameter
      await proxy.list({ nmae: "nightly" });
    }
    const failed: AciProxyError = new Refused("NameActive", 409, "in use");
    console.log(failed.code);`;
  await writeFile(join(project, "program.mts"), program);
  const flags = "--strict --exactOptionalPropertyTypes --module NodeNext --target ES2022 --types node program.mts";
  await run(process.execPath, [compiler, ...flags.split(" ")], { cwd: project }).catch((error: unknown) => {
    expect(z.object({ stdout: z.string() }).parse(error).stdout).toBe("");
    throw error;
  });
  const { stdout } = await run(process.execPath, [join(project, "program.mjs")], { cwd: project });
  expect(stdout).toBe("NameActive\n");
});
