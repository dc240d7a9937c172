import { spawn, spawnSync } from "node:child_process";
import { hash, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { connectionString } from "../../../local/azurite/connection.ts";
import { freePorts } from "../../../local/stack/ports.ts";
import { startStack, type Stack } from "../../../local/stack/stack.ts";
import { part } from "../../kit/document.ts";
import { programs } from "../../kit/part.ts";
import { sizeOf } from "../../kit/size.ts";
import { until } from "../../kit/until.ts";

/** The programs that the pages show, run as they stand there against the built stack. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = fileURLToPath(new URL("../../..", import.meta.url));
const key = "local";
const ports = z.object({ blob: z.number(), queue: z.number(), table: z.number(), aci: z.number() });

let folder: string;
let stack: Stack;
let storage: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docs-examples-"));
  const [port = 0] = await freePorts(1);
  const state = join(folder, "state");
  stack = await startStack(
    {
      port,
      folder: state,
      host: "embedded",
      storage: "azurite",
      arm: { kind: "local", engine: "process", simulated: {}, control: false, faults: [] },
      key,
      verbose: false,
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: folder, CALLBACK_HOSTS: "localhost" },
    },
    programs,
    new AbortController().signal,
  );
  storage = connectionString(ports.parse(JSON.parse(await readFile(join(state, "ports.json"), "utf8"))));
});
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const isThere = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;
/** How a program of a language is started that comes by stdin, or as a file where the language can't. */
const languages = {
  shell: ["bash", "-s"],
  python: ["python3", "-"],
  node: [process.execPath, "--input-type=module", "-"],
  dotnet: ["dotnet", "run"],
} as const;
type Language = keyof typeof languages;
// Python and .NET are run wherever they are: the ids that they compute are also computed by Node.
const missing = new Set<Language>((["python", "dotnet"] as const).filter((one) => !isThere(languages[one][0])));

/** The code in a part of a page. */
const codeOf = (page: string, name: string): string =>
  part(page, name)
    .replace(/^```\w+\n/, "")
    .replace(/```$/, "");

async function run(language: Language, code: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  const own = await mkdtemp(join(folder, "run-"));
  const [program, ...first] = languages[language];
  // One path for one program, whatever the run, so that .NET compiles it once.
  const file = join(tmpdir(), `aci-proxy-example-${hash("sha256", code).slice(0, 16)}.cs`);
  if (language === "dotnet") await writeFile(file, code);
  const child = spawn(program, [...first, ...(language === "dotnet" ? [file] : []), ...words], {
    cwd: language === "node" ? root : own,
    env: { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1", ...env },
  });
  child.stdin.end(language === "dotnet" ? "" : code);
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await closed, stdout, stderr };
}

/** A file with the sample under that name. */
async function sample(name: string, change: (definition: string) => string = (same) => same): Promise<string> {
  const definition = await readFile(join(root, "examples/bellaciao.yaml"), "utf8");
  const file = join(folder, `${name}.yaml`);
  await writeFile(
    file,
    change(definition.replace("name: bellaciao", `name: ${name}`).replaceAll("value: 3", "value: 0")),
  );
  return file;
}

const called = () => ({ ACI_PROXY_URL: stack.url, ACI_PROXY_KEY: key, RUN: randomUUID(), WAIT: "0.2" });

const inPosting = sizeOf<readonly Language[]>(["shell", "python", "node"], ["shell", "python", "node", "dotnet"]);
describe.each(inPosting)("In docs/posting.md the %s program", (language) => {
  const skipped = missing.has(language) ? ` (skipped: ${languages[language][0]} is not there)` : "";

  test.skipIf(skipped !== "")(`by HTTP follows a job to its end, and fails as the job does${skipped}`, async () => {
    const code = codeOf("docs/posting.md", `http ${language}`);
    const good = await run(language, code, [await sample(`http-${language}`)], called());
    expect(good, good.stderr).toMatchObject({ exitCode: 0 });
    expect(good.stdout).toMatch(/Succeeded[^]*Hello World!/);
    const failing = await sample(`fails-${language}`, (definition) =>
      definition.replaceAll("container1:latest", "fails:latest"),
    );
    const bad = await run(language, code, [failing], called());
    expect(bad.exitCode).toBe(1);
    expect(bad.stdout + bad.stderr).toContain(`fails-${language} Failed`);
    const faulty = await sample(`faulty-${language}`, (definition) => definition.replace("osType", "osTyp"));
    const refused = await run(language, code, [faulty], called());
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout + refused.stderr).toContain("osType");
  });

  test.skipIf(skipped !== "")(`on the queue prints the id that its job has${skipped}`, async () => {
    const address = await run("node", codeOf("docs/posting.md", "queue address"), [], {
      AzureWebJobsStorage: storage,
    });
    const posted = await run(
      language,
      codeOf("docs/posting.md", `queue ${language}`),
      [await sample(`posted-${language}`)],
      { QUEUE_URL: address.stdout.trim(), TOKEN: "" },
    );
    expect(posted, posted.stderr).toMatchObject({ exitCode: 0 });
    expect(await endOf(posted.stdout.trim())).toMatchObject({ name: `posted-${language}`, state: "Succeeded" });
  });
});

/** The final status of a job that may not have been seen yet. */
async function endOf(id: string): Promise<unknown> {
  return until(`the end of ${id}`, async () => {
    const reply = await fetch(`${stack.url}/api/status/${id}`, { headers: { "x-functions-key": key } });
    const body: unknown = await reply.json();
    return reply.status === 200 ? body : undefined;
  });
}

const noPython = missing.has("python") ? " (skipped: python3 is not there)" : "";
test.skipIf(noPython !== "")(
  `docs/posting.md's service that starts again follows the job that it posted, and says why one failed${noPython}`,
  async () => {
    const address = await run("node", codeOf("docs/posting.md", "queue address"), [], {
      AzureWebJobsStorage: storage,
    });
    await run("shell", codeOf("docs/posting.md", "http shell"), [await sample("first")], called()); // makes the queues
    const env = { ...called(), QUEUE_URL: address.stdout.trim(), TOKEN: "", PYTHONPATH: join(root, "clients/python") };
    const code = codeOf("docs/posting.md", "once python");
    const file = await sample("once");
    const ran = await Promise.all([1, 2].map(() => run("python", code, [file, "order-1"], env)));
    const again = await run("python", code, [file, "order-1"], env);
    for (const each of [...ran, again]) {
      expect(each, each.stderr).toMatchObject({ exitCode: 0 });
      expect(each.stdout).toContain("app1 | Hello World!");
    }
    const reply = await fetch(`${stack.url}/api/jobs?name=once`, { headers: { "x-functions-key": key } });
    expect(await reply.json()).toMatchObject({ jobs: [{ name: "once", attempt: 1 }] });
    const failing = await sample("once-fails", (definition) =>
      definition.replaceAll("container1:latest", "fails:latest"),
    );
    const failed = await run("python", code, [failing, "order-2"], env);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/^once-fails Failed: .* reason ExitCode, fault of the program\n$/);
  },
);

test("docs/queue.md's program posts the sample", async () => {
  const [, code = ""] = /^```js\n(.*?)^```$/ms.exec(await readFile(join(root, "docs/queue.md"), "utf8")) ?? [];
  const posted = await run("node", code, [], { AzureWebJobsStorage: storage });
  expect(posted, posted.stderr).toMatchObject({ exitCode: 0 });
  expect(await endOf(posted.stdout.trim())).toMatchObject({ name: "bellaciao", state: "Succeeded" });
});

test("local/README.md's callback comes when the job has ended", async () => {
  const [port = 0] = await freePorts(1);
  const code = codeOf("local/README.md", "callback")
    .replaceAll("8099", String(port))
    .replaceAll("http://localhost:7071", stack.url)
    .replace("examples/", `${root}examples/`);
  const { stdout, stderr, exitCode } = await run("shell", code, [], {});
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toMatch(/"state":"Queued"[^]*\{"Output":\{[^]*"StatusCode":"200"\}/);
});
