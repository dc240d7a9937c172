import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { StandInService } from "./kit.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));

let folder: string;
let service: StandInService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "client-module-"));
  await writeFile(join(folder, "job.yaml"), "name: nightly\n");
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  service = await new StandInService().listen();
});
afterEach(() => service.close());

/** Runs a module in this package's own scope, where the package's name leads to its exports. */
async function program(code: string, url = service.url): Promise<string> {
  const script = code.replace('"job.yaml"', JSON.stringify(join(folder, "job.yaml")));
  const env = { ...process.env, ACI_PROXY_URL: url, ACI_PROXY_KEY: "k" };
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: root, env });
  return stdout;
}

/** A program that prints the class and message of the error that submitting ends with. */
const failing = `
  import { AciProxy, Misuse, Refused, Unreachable } from "aci-proxy/client";
  try {
    await new AciProxy(process.env.ACI_PROXY_URL, { key: "k" }).submit("name: nightly");
  } catch (error) {
    console.log([Misuse, Refused, Unreachable].find((kind) => error instanceof kind)?.name, error.message);
  }`;

test("the documented program submits a job, shows its output once and reads its result", async () => {
  const job = { message: "nightly", name: "nightly", state: "Queued", id: "1" };
  service
    .on("POST /api/trigger", { status: 200, json: job })
    .on(
      "GET /api/status/1",
      { status: 202, json: { ...job, state: "Running", containers: { app: {} } } },
      { status: 200, json: { ...job, state: "Succeeded", exitCode: 0, result: { rows: 3 }, containers: { app: {} } } },
    )
    .on("GET /api/logs/1/app", { status: 200, text: "Hello\nWorld\n" });
  const example = /```ts\n(.*?)```/s.exec(await readFile(join(root, "docs/clients.md"), "utf8"))?.[1] ?? "";
  expect(await program(example)).toBe("app | Hello\napp | World\nSucceeded 0 { rows: 3 }\n");
  expect(service.requests[0]).toMatchObject({ query: { timeout: "PT1H" }, body: "name: nightly\n", key: "k" });
});

test("a function that gives a token is asked for each call, and a token may be a text", async () => {
  const job = { message: "nightly", name: "nightly", state: "Succeeded", id: "1" };
  service.on("GET /api/status/1", { status: 200, json: job });
  await program(`
    import { AciProxy } from "aci-proxy/client";
    let calls = 0;
    const renewed = new AciProxy(process.env.ACI_PROXY_URL, { token: async () => "t" + ++calls });
    await renewed.status("1");
    await renewed.status("1");
    await new AciProxy(process.env.ACI_PROXY_URL, { token: "text" }).status("1");`);
  expect(service.requests.map(({ key, headers }) => [key, headers.authorization])).toEqual([
    [undefined, "Bearer t1"],
    [undefined, "Bearer t2"],
    [undefined, "Bearer text"],
  ]);
});

test("no service at the address is Unreachable, a proxy's page and a wrong key are Refused, a bare name is Misuse", async () => {
  const unused = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => unused.once("listening", resolve));
  const address = unused.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise((resolve) => unused.close(resolve));
  expect(await program(failing, `http://127.0.0.1:${port}`)).toMatch(/^Unreachable No answer from /);
  service.on("POST /api/trigger", { status: 200, text: "<html>Sign in</html>" });
  expect(await program(failing)).toMatch(/^Refused .*is --url right/);
  service.on("POST /api/trigger", { status: 401 });
  expect(await program(failing)).toMatch(/^Refused The service refused the key/);
  expect(await program(failing, "my-service")).toMatch(/^Misuse /);
});
