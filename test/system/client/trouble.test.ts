import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { Command, StandInService } from "./kit.ts";

vi.setConfig({ testTimeout: 60_000 });

const soon = { timeout: 30_000, interval: 20 };

let folder: string;
let file: string;
let service: StandInService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "client-trouble-"));
  file = join(folder, "job.yaml");
  await writeFile(file, "name: nightly\n");
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  service = await new StandInService().listen();
});
afterEach(() => service.close());

const aciProxy = (...words: string[]): Command =>
  new Command(words, { env: { ACI_PROXY_URL: service.url, ACI_PROXY_KEY: "k" } });

const job = { message: "nightly is Queued.", name: "nightly", state: "Queued", id: "1" };
const running = { ...job, message: "nightly is Running.", state: "Running", attempt: 1, containers: { app: {} } };
const accepted = { status: 202, headers: { location: "/api/status/1?poll=1" }, json: job };

/** A job that writes this, and ends as given. */
function jobWithOutput(output: string): void {
  service
    .on("POST /api/trigger", accepted)
    .on("GET /api/status/1", { status: 202, json: running }, { status: 200, json: { ...running, state: "Succeeded" } })
    .on("GET /api/logs/1/app", { status: 200, text: output });
}

const tenMegabytes = Array.from({ length: 100_000 }, (_, line) => `${line} ${"x".repeat(100)}\n`).join("");

test("Ctrl-C before the service has answered ends with one line and code 210", async () => {
  service.on("POST /api/trigger", () => undefined);
  const run = aciProxy("run", file);
  await expect.poll(() => service.requests.length, soon).toBe(1);
  run.child.kill("SIGINT");
  expect(await run.exitCode).toBe(210);
  expect(run.stderr).toMatch(/^Interrupted before the service answered\..*\n$/);
});

test("Ctrl-C while the service can't be reached ends at once, and says that the job goes on", async () => {
  service.on("POST /api/trigger", accepted).on("GET /api/status/1", { status: 503, headers: { "retry-after": "60" } });
  const run = aciProxy("run", file);
  await expect.poll(() => run.stderr, soon).toContain("trying again");
  run.child.kill("SIGINT");
  expect(await run.exitCode).toBe(210);
  expect(run.stderr).toMatch(/\nInterrupted\. The job goes on;.*\n$/);
});

test("Ctrl-C in any other command ends with code 210", async () => {
  service.on("GET /api/jobs", () => undefined);
  const list = aciProxy("list");
  await expect.poll(() => service.requests.length, soon).toBe(1);
  list.child.kill("SIGINT");
  expect([await list.exitCode, list.stderr]).toEqual([210, "Interrupted.\n"]);
});

test("10 MB of output are shown once, line by line", async () => {
  jobWithOutput(tenMegabytes);
  const run = aciProxy("run", file);
  expect(await run.exitCode).toBe(0);
  expect(run.stdout.length).toBe(tenMegabytes.length + 100_000 * "app | ".length);
  expect(new Set(run.stdout.split("\n")).size).toBe(100_001);
});

test("a reader of a job's output that has seen enough ends the command without a word, and without saying that the job succeeded", async () => {
  jobWithOutput(tenMegabytes);
  const run = aciProxy("run", file);
  await expect.poll(() => run.stdout, soon).not.toBe("");
  run.child.stdout?.destroy();
  expect(await run.exitCode).toBe(210);
  expect(run.stderr).not.toMatch(/EPIPE|at /);
});

test("a reader of the progress that goes away ends the command too", async () => {
  service
    .on("POST /api/trigger", accepted)
    .on("GET /api/status/1", { status: 202, json: job }, { status: 202, json: running });
  const run = aciProxy("run", file);
  await expect.poll(() => run.stderr, soon).not.toBe("");
  run.child.stderr?.destroy();
  expect(await run.exitCode).toBe(210);
});

test.runIf(process.platform === "linux")(
  "a full disk under the output is one line, and no code of a container's",
  async () => {
    service.on("GET /api/logs/1", { status: 200, text: "line\n" });
    const stdout = openSync("/dev/full", "w");
    const logs = new Command(["logs", "1"], { env: { ACI_PROXY_URL: service.url, ACI_PROXY_KEY: "k" }, stdout });
    closeSync(stdout);
    expect(await logs.exitCode).toBe(211);
    expect(logs.stderr).toMatch(/^The output can't be written: .*no space left on device.*\n$/);
  },
);

test("an error of the command's own has no code of a container's", async () => {
  const broken = "data:text/javascript,process.stdout.write = () => { throw new TypeError('a slip') }";
  service.on("GET /api/jobs", { status: 200, json: { jobs: [] } });
  const env = { ACI_PROXY_URL: service.url, ACI_PROXY_KEY: "k", NODE_OPTIONS: `--import "${broken}"` };
  const list = new Command(["list"], { env });
  expect(await list.exitCode).toBe(211);
  expect(list.stderr).toMatch(/^TypeError: a slip\n/);
});

test("a flag whose text is a list counts each time that it is given", async () => {
  service.on("POST /api/trigger", accepted).on("GET /api/jobs", { status: 200, json: { jobs: [] } });
  await aciProxy("run", file, "--detach", "--tags", "a", "--tags", "b=1", "--retry-on", "7", "--retry-on", "!*")
    .exitCode;
  await aciProxy("list", "--state", "Failed", "--state", "TimedOut").exitCode;
  expect(service.requests.map(({ query }) => query)).toMatchObject([
    { tags: "a,b=1", retryOn: "7,!*" },
    { state: "Failed,TimedOut" },
  ]);
});

test.each([
  [
    "a gateway's page in the service's place",
    { status: 200, text: "<html>Sign in</html>" },
    204,
    /is --url right\?\n$/,
  ],
  [
    "a gateway's error page",
    { status: 502, text: "<html>Bad gateway</html>" },
    204,
    /answered 502 without saying why\.\n$/,
  ],
  [
    "a redirect to a sign-in page",
    { status: 302, headers: { location: "https://login.example" } },
    204,
    /redirects elsewhere/,
  ],
  ["a refused key", { status: 401 }, 205, /refused the key/],
])("%s is one line and the right code", async (_, reply, code, line) => {
  service.on("POST /api/trigger", reply);
  const run = aciProxy("run", file);
  expect(await run.exitCode).toBe(code);
  expect(run.stderr).toMatch(line);
  expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("a gateway's page while a job is followed ends with the right code, and the way to go on is said", async () => {
  service.on("POST /api/trigger", accepted).on("GET /api/status/1", { status: 200, text: "<html>Sign in</html>" });
  const run = aciProxy("run", file);
  expect(await run.exitCode).toBe(204);
  expect(run.stderr).toMatch(/^Accepted as job 1\n.*aci-proxy wait 1 .*\n.*is --url right\?\n$/);
});

test("states and members of a newer service are shown, and an end that only it knows is an end", async () => {
  const newer = { ...running, message: "nightly dreams.", state: "Hibernating", reason: "Tired", dreams: [1] };
  service
    .on("POST /api/trigger", accepted)
    .on("GET /api/status/1", { status: 202, json: newer }, { status: 500, json: { ...newer, state: "Evaporated" } });
  const run = aciProxy("run", file);
  expect(await run.exitCode).toBe(206);
  expect(run.stderr).toContain("Hibernating  nightly dreams.\n");
  expect(run.stderr).toContain("Evaporated");
});
