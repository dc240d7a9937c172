// Longer than 350 lines: every subcommand against one running stack.
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Command, StandInService } from "./kit.ts";

const soon = { timeout: 20_000, interval: 20 };

let folder: string;
let file: string;
let service: StandInService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "client-test-"));
  file = join(folder, "job.yaml");
  await writeFile(file, "name: nightly\n");
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  service = await new StandInService().listen();
});
afterEach(() => service.close());

const key = "a-very-secret-key";
const env = (): NodeJS.ProcessEnv => ({ ACI_PROXY_URL: service.url, ACI_PROXY_KEY: key });
const aciProxy = (...words: string[]): Command => new Command(words, { env: env() });

/** A service on which one job is submitted and ends as given. */
function oneJob(end: object, location = `${service.url}/api/status/1?poll=1`): void {
  const job = { message: "nightly is Queued.", name: "nightly", state: "Queued", id: "1" };
  service
    .on("POST /api/trigger", { status: 202, headers: { location }, json: job })
    .on(
      "GET /api/status/1",
      { status: 202, headers: { location }, json: job },
      { status: 202, headers: { location }, json: { ...job, state: "Running", containers: { app: {}, side: {} } } },
      { status: 500, json: { ...job, message: "nightly ended.", containers: { app: {}, side: {} }, ...end } },
    )
    .on("GET /api/logs/1/app", { status: 200, text: "Hello\nWorld\n" })
    .on("GET /api/logs/1/side", { status: 200, text: "beside\n" });
}

const submitted = () => service.requests.find(({ method }) => method === "POST");

describe("aci-proxy run", () => {
  test("submits the file, shows each container's output once, and ends with the container's exit code", async () => {
    oneJob({ state: "Failed", exitCode: 42 });
    const run = aciProxy("run", file);
    expect(await run.exitCode).toBe(42);
    expect(submitted()).toMatchObject({ query: { polling: "true" }, body: "name: nightly\n", key });
    expect(run.stdout.trimEnd().split("\n").sort()).toEqual(["app | Hello", "app | World", "side | beside"]);
    expect(run.stderr).toContain("nightly ended.");
  });

  test("gives every option of the service as a flag, and newer ones by name", async () => {
    oneJob({ state: "Succeeded" });
    const flags = "--timeout PT1H --unique-name --on-conflict wait --env --option newest=a=b --idempotency-key k".split(
      " ",
    );
    expect(await aciProxy("run", file, ...flags).exitCode).toBe(0);
    const options = { timeout: "PT1H", uniqueName: "true", onConflict: "wait", env: "true", newest: "a=b" };
    expect(submitted()?.query).toEqual({ ...options, polling: "true" });
    expect(submitted()?.headers["idempotency-key"]).toBe("k");
  });

  test("with --json prints the final reply alone on stdout, whole", async () => {
    oneJob({ state: "Succeeded", something: { newer: [1] } });
    const run = aciProxy("run", file, "--json");
    expect(await run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ id: "1", state: "Succeeded", something: { newer: [1] } });
  });

  test("with --detach prints the id and does not wait", async () => {
    oneJob({ state: "Failed" });
    const run = aciProxy("run", file, "--detach");
    expect(await run.exitCode).toBe(0);
    expect(run.stdout).toBe("1\n");
    expect(service.requests).toHaveLength(1);
  });

  test("reads the definition from stdin", async () => {
    oneJob({ state: "Succeeded" });
    const run = new Command(["run", "-", "--detach"], { env: env(), input: "name: piped\n" });
    expect(await run.exitCode).toBe(0);
    expect(submitted()?.body).toBe("name: piped\n");
  });

  test("shows a running container's output while it comes, and completes it at the end", async () => {
    oneJob({ state: "Succeeded" });
    const location = `${service.url}/api/status/1?poll=1`;
    const running = { id: "1", state: "Running", containers: { app: {} } };
    let live: ServerResponse | undefined;
    let finished = false;
    service
      .on("GET /api/logs/1/app", (response) => {
        if (live !== undefined) return void response.end("first\nsecond\nlast\n");
        live = response;
        response.write("first\nsec");
      })
      .on("GET /api/status/1", (response) => {
        const ended = { id: "1", state: "Succeeded", containers: { app: {} } };
        response.writeHead(finished ? 200 : 202, finished ? {} : { location, "retry-after": "0" });
        response.end(JSON.stringify(finished ? ended : running));
      });
    const run = aciProxy("run", file);
    await expect.poll(() => run.stdout, soon).toBe("app | first\n");
    finished = true;
    expect(await run.exitCode).toBe(0);
    expect(run.stdout).toBe("app | first\napp | second\napp | last\n");
  });

  test("prints each fault of a refused definition with file, line and column", async () => {
    const errors = [{ path: "properties.osType", line: 3, column: 9, message: "must be Linux or Windows" }];
    service.on("POST /api/trigger", { status: 400, json: { message: "The definition has 1 fault.", errors } });
    const run = aciProxy("run", file);
    expect(await run.exitCode).toBe(204);
    expect(run.stderr).toBe(`${file}:3:9 properties.osType must be Linux or Windows\nThe definition has 1 fault.\n`);
  });

  test("says once what is wrong with an option of the command line", async () => {
    const errors = ["timeout", "retries"].map((path) => ({ path, line: 1, column: 1, message: `${path} is wrong.` }));
    service.on("POST /api/trigger", {
      status: 400,
      json: { message: "Bad options: timeout (line 1): timeout is wrong. And 1 more.", errors },
    });
    const run = aciProxy("run", file, "--timeout", "x", "--retries", "x");
    expect(await run.exitCode).toBe(204);
    expect(run.stderr).toBe("retries is wrong.\nBad options: timeout (line 1): timeout is wrong. And 1 more.\n");
  });

  test("interrupted, says how to follow and how to cancel the job, which goes on", async () => {
    oneJob({ state: "Succeeded" });
    service.on("GET /api/status/1", {
      status: 202,
      headers: { "retry-after": "60" },
      json: { id: "1", state: "Queued" },
    });
    const run = aciProxy("run", file);
    await expect.poll(() => run.stderr, soon).toContain("Queued");
    run.child.kill("SIGINT");
    expect(await run.exitCode).toBe(210);
    expect(run.stderr).toContain("aci-proxy wait 1");
    expect(run.stderr).toContain("aci-proxy delete 1");
  });

  test("interrupted while it reads the rest of the output, says that the job has ended", async () => {
    oneJob({ state: "Succeeded" });
    service.on("GET /api/logs/1/app", (response) => response.write("Hello\n")); // and never ends
    const run = aciProxy("run", file);
    await expect.poll(() => service.requests.filter(({ path }) => path === "/api/logs/1/app").length, soon).toBe(2);
    await expect.poll(() => run.stdout, soon).toContain("app | Hello");
    run.child.kill("SIGINT");
    expect(await run.exitCode).toBe(210);
    expect(run.stderr).toContain("The job has ended; aci-proxy logs 1 shows its output.");
    expect(run.stderr).not.toContain("goes on");
  });
});

describe("the key", () => {
  test("never goes to another host, whatever the Location says", async () => {
    const other = await new StandInService().listen();
    oneJob({ state: "Succeeded" }, `${other.url}/api/status/1?poll=1`);
    expect(await aciProxy("run", file).exitCode).toBe(0);
    expect(other.requests).toEqual([]);
    expect(service.requests.find(({ path }) => path === "/api/status/1")?.query).toEqual({ poll: "1" });
    await other.close();
  });

  test("is not carried along by a redirect", async () => {
    const other = await new StandInService().listen();
    service.on("GET /api/status/1", { status: 301, headers: { location: `${other.url}/api/status/1` } });
    const status = aciProxy("status", "1");
    expect(await status.exitCode).toBe(204);
    expect(other.requests).toEqual([]);
    expect(status.stderr).toContain("redirects");
    await other.close();
  });

  test("that is refused ends with code 205, and is not shown", async () => {
    service.on("GET /api/status/1", { status: 401 });
    const status = aciProxy("status", "1");
    expect(await status.exitCode).toBe(205);
    expect(status.stderr).toBe("The service refused the key; give the right one in ACI_PROXY_KEY (or --key).\n");
  });
});

describe("the token", () => {
  const asksForToken = { status: 401, headers: { "www-authenticate": 'Bearer realm="x"' } };
  const ended = { status: 200, json: { id: "1", name: "nightly", state: "Succeeded", message: "done" } };
  const status = (env: NodeJS.ProcessEnv, ...flags: string[]): Command =>
    new Command([...flags, "status", "1"], { env: { ACI_PROXY_URL: service.url, ...env } });
  const sent = () => service.requests.map(({ key, headers }) => [key, headers.authorization]);

  test("goes with every call, without a key or beside it, and the option wins over the environment", async () => {
    service.on("GET /api/status/1", ended);
    expect(await status({ ACI_PROXY_TOKEN: "a.b.c" }).exitCode).toBe(0);
    expect(await status({ ACI_PROXY_TOKEN: "a.b.c" }, "--token", "d.e.f").exitCode).toBe(0);
    expect(await status({ ACI_PROXY_TOKEN: "a.b.c", ACI_PROXY_KEY: "k" }).exitCode).toBe(0);
    expect(sent()).toEqual([
      [undefined, "Bearer a.b.c"],
      [undefined, "Bearer d.e.f"],
      ["k", "Bearer a.b.c"],
    ]);
  });

  test.each([
    ["a key to a service that takes tokens", { ACI_PROXY_KEY: "k" }, asksForToken, /takes no key but a token/],
    ["a token that it does not take", { ACI_PROXY_TOKEN: "a.b.c" }, asksForToken, /refused the token: it has expired/],
    ["a token to a service that takes keys", { ACI_PROXY_TOKEN: "a.b.c" }, { status: 401 }, /takes no token/],
    ["both, where the key is wrong", { ACI_PROXY_TOKEN: "a.b.c", ACI_PROXY_KEY: "k" }, { status: 401 }, /the key/],
  ])("%s is refused with one line that says what to give", async (_, env, reply, line) => {
    service.on("GET /api/status/1", reply);
    const refused = status(env);
    expect(await refused.exitCode).toBe(205);
    expect(refused.stderr).toMatch(line);
    expect(refused.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(refused.stdout + refused.stderr).not.toContain("a.b.c");
  });

  test.each([
    ["ACI_PROXY_TOKEN", "opens\nall"],
    ["ACI_PROXY_KEY", "opens\nall"],
    ["ACI_PROXY_KEY", "opensé"],
  ])("that can't be sent is wrong use, as a key is, and is not shown: %s", async (name, value) => {
    const unsent = status({ [name]: value });
    expect(await unsent.exitCode).toBe(202);
    expect(unsent.stderr).toMatch(/^The (key|token) .*\n/);
    expect(unsent.stdout + unsent.stderr).not.toContain("opens");
    expect(service.requests).toEqual([]);
  });

  test("that runs out while a job is followed ends the command, and the way to go on is said", async () => {
    const job = { id: "1", name: "nightly", state: "Queued", message: "nightly is Queued." };
    service
      .on("POST /api/trigger", { status: 202, headers: { location: "/api/status/1?poll=1" }, json: job })
      .on("GET /api/status/1", { status: 202, json: job }, asksForToken);
    const run = new Command(["run", file], { env: { ACI_PROXY_URL: service.url, ACI_PROXY_TOKEN: "a.b.c" } });
    expect(await run.exitCode).toBe(205);
    expect(run.stderr).toMatch(/it goes on, and aci-proxy wait 1 follows it again\.\nThe service refused the token/);
  });
});

describe("aci-proxy about jobs", () => {
  test("status shows the state of a job, and the reply whole with --json", async () => {
    const reply = { id: "1", name: "nightly", state: "Failed", message: "nightly Failed.", newer: 1 };
    service.on("GET /api/status/nightly", { status: 500, json: reply });
    const status = aciProxy("status", "nightly");
    expect(await status.exitCode).toBe(0);
    expect(status.stdout).toContain("Failed  nightly Failed.\nid 1\n");
    const json = aciProxy("status", "nightly", "--json");
    expect(await json.exitCode).toBe(0);
    expect(JSON.parse(json.stdout)).toEqual(reply);
  });

  test("an unknown job is a refusal in the service's words", async () => {
    service.on("GET /api/status/x", { status: 404, json: { message: "No job x is known." } });
    const status = aciProxy("status", "x");
    expect(await status.exitCode).toBe(204);
    expect(status.stderr).toBe("No job x is known.\n");
  });

  test("wait goes on while the service can't answer, and ends as the job ends", async () => {
    const running = { status: 202, json: { id: "1", state: "Running" } };
    const broken = { status: 503, json: { message: "Storage can't be reached.", requestId: "r" } };
    const ended = { status: 500, json: { id: "1", state: "TimedOut" } };
    service.on("GET /api/status/1", running, broken, ended);
    const wait = aciProxy("wait", "1");
    expect(await wait.exitCode).toBe(207);
    expect(wait.stderr).toContain("Storage can't be reached. (request r); trying again");
  });

  test("list shows a table, newest first, and how to get the next page", async () => {
    const jobs = [
      { id: "2", name: "nightly", state: "Running", createdAt: "2026-11-24T00:00:00Z" },
      { id: "1", name: "nightly", state: "Failed", reason: "ExitCode", durationSeconds: 61.4, exitCode: 1 },
    ];
    service.on("GET /api/jobs", { status: 200, json: { jobs, continuation: "next" } });
    const list = aciProxy("list", "--state", "active", "--run-id", "r", "--top", "2");
    expect(await list.exitCode).toBe(0);
    expect(service.requests[0]?.query).toEqual({ state: "active", runId: "r", top: "2" });
    expect(list.stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["ID", "NAME", "STATE", "EXIT", "REASON", "CREATED", "DURATION"],
      ["2", "nightly", "Running", "2026-11-24T00:00:00Z"],
      ["1", "nightly", "Failed", "1", "ExitCode", "61 s"],
      [""],
    ]);
    expect(list.stderr).toBe("More: --continuation next, or --all\n");
  });

  test("logs come as they are written", async () => {
    let stream: ServerResponse | undefined;
    const running = { status: 202, json: { id: "1", state: "Running" } };
    service
      .on("GET /api/status/nightly", running)
      .on("GET /api/status/1", { status: 200, json: { id: "1", state: "Succeeded" } }, running)
      .on("GET /api/logs/1/app", (response) => {
        stream = response;
        response.write("first\n");
      });
    const logs = aciProxy("logs", "nightly", "app", "--follow", "--tail", "5");
    await expect.poll(() => logs.stdout, soon).toBe("first\n");
    stream?.end("last\n");
    expect(await logs.exitCode).toBe(0);
    expect(logs.stdout).toBe("first\nlast\n");
    expect(service.requests[1]?.query).toEqual({ follow: "true", tail: "5" });

    // A service ends a stream after four minutes.
    const long = aciProxy("logs", "nightly", "app", "--follow");
    await expect.poll(() => long.stdout, soon).toBe("first\n");
    stream?.end();
    expect(await long.exitCode).toBe(210);
    expect(long.stderr).toMatch(/the job is not; aci-proxy wait 1 .*\n$/);
  });

  test("logs that break off are one line, and the code of a service that can't be reached", async () => {
    let stream: ServerResponse | undefined;
    service.on("GET /api/logs/1", (response) => {
      stream = response;
      response.write("first\n");
    });
    const logs = aciProxy("logs", "1");
    await expect.poll(() => logs.stdout, soon).toBe("first\n");
    stream?.destroy();
    expect(await logs.exitCode).toBe(203);
    expect(logs.stderr).toMatch(/^The answer of http:\/\/127\.0\.0\.1:\d+ broke off \(.*\)\.\n/);
  });

  test("logs to a reader that has seen enough are no error", async () => {
    service.on("GET /api/logs/1", { status: 200, text: "line\n".repeat(200_000) });
    const logs = aciProxy("logs", "1");
    logs.child.stdout?.once("data", () => logs.child.stdout?.destroy());
    expect(await logs.exitCode).toBe(0);
    expect(logs.stderr).toBe("");
  });

  test("delete --wait ends once the group is gone, and says what became of the job", async () => {
    const location = `${service.url}/api/delete/1`;
    service
      .on("DELETE /api/delete/nightly", { status: 202, headers: { location }, json: { message: "Canceling nightly." } })
      .on("GET /api/delete/1", { status: 202, json: {} }, { status: 200, json: { message: "nightly Canceled." } });
    const remove = aciProxy("delete", "nightly", "--wait");
    expect(await remove.exitCode).toBe(0);
    expect(remove.stdout).toBe("nightly Canceled.\n");
    expect(service.requests).toHaveLength(3);
  });

  test("rerun takes a selection instead of a job, and says how many run again", async () => {
    const json = { message: "3 jobs are run again.", rerun: 3 };
    service.on("POST /api/jobs/rerun", { status: 200, json });
    const rerun = aciProxy("rerun", "--state", "Failed", "--since", "PT12H");
    expect(await rerun.exitCode).toBe(0);
    expect(rerun.stdout).toBe("3 jobs are run again.\n");
    for (const words of [[], ["nightly", "--state", "Failed"], ["--follow", "--state", "Failed"]])
      expect(await aciProxy("rerun", ...words).exitCode, words.join(" ")).toBe(202);
  });

  test("rerun takes a name, and prints the new job's id", async () => {
    service.on("GET /api/status/nightly", { status: 500, json: { id: "1", name: "nightly", state: "Failed" } });
    const json = { message: "accepted", id: "2", name: "nightly", state: "Queued", rerunOf: "1" };
    service.on("POST /api/jobs/1/rerun", { status: 202, json });
    const rerun = aciProxy("rerun", "nightly");
    expect(await rerun.exitCode).toBe(0);
    expect(rerun.stdout).toBe("2\n");
  });

  test("the beginning of an id is enough, unless several ids begin so", async () => {
    const ids = ["01a20c6c-c13a-7ab1-a14f-5d162eaef33c", "01a20c6d-c13a-7ab1-a14f-5d162eaef33c"];
    const reply = (id: string) => ({ id, name: "nightly", state: "Running", message: "It runs." });
    service
      .on("GET /api/status/01a20c6d", { status: 404, json: { message: "Not known." } })
      .on("GET /api/status/01a2", { status: 404, json: { message: "Not known." } })
      .on("GET /api/jobs", { status: 200, json: { jobs: ids.map(reply) } })
      .on(`GET /api/status/${ids[1]}`, { status: 202, json: reply(ids[1] ?? "") });
    const one = aciProxy("status", "01a20c6d");
    expect(await one.exitCode).toBe(0);
    expect(one.stdout).toContain(`id ${ids[1]}`);
    const several = aciProxy("status", "01a2");
    expect(await several.exitCode).toBe(202);
    expect(several.stderr).toContain(ids[0]);
  });

  test("list --all reads every page, and shows what distinguishes jobs of one name", async () => {
    const job = (id: string) => ({
      id,
      name: "nightly",
      state: "Failed",
      pipelineRunId: `run-${id}`,
      tags: { day: id },
    });
    service.on(
      "GET /api/jobs",
      { status: 200, json: { jobs: [job("3"), job("2")], continuation: "next" } },
      { status: 200, json: { jobs: [job("1")] } },
    );
    const list = aciProxy("list", "--all");
    expect(await list.exitCode).toBe(0);
    expect(list.stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["ID", "NAME", "STATE", "RUN", "TAGS"],
      ...["3", "2", "1"].map((id) => [id, "nightly", "Failed", `run-${id}`, `day=${id}`]),
      [""],
    ]);
    expect(service.requests.map(({ query }) => query)).toEqual([{}, { continuation: "next" }]);
  });

  test("list --json prints the service's reply whole", async () => {
    const reply = { jobs: [{ id: "1", name: "nightly", state: "Failed", newer: 1 }], skipped: 2, continuation: "next" };
    service.on("GET /api/jobs", { status: 200, json: reply });
    const list = aciProxy("list", "--json");
    expect([await list.exitCode, JSON.parse(list.stdout)]).toEqual([0, reply]);
  });

  test("status --watch goes on until the end, without logs, and exits as the job does", async () => {
    oneJob({ state: "Failed", exitCode: 137 });
    const watched = aciProxy("status", "1", "--watch");
    expect(await watched.exitCode).toBe(137);
    expect(watched.stdout).toBe("");
    expect(watched.stderr).toContain("Running");
  });

  test("an exit code from 200 on becomes 199, and is printed", async () => {
    oneJob({ state: "Failed", exitCode: 7147 });
    const wait = aciProxy("wait", "1");
    expect(await wait.exitCode).toBe(199);
    expect(wait.stderr).toContain("Exit code 7147 is given as 199.");
  });

  test("describe shows the whole record as text", async () => {
    const id = "01a20c6c-c13a-7ab1-a14f-5d162eaef33c";
    const containers = { app: { state: "Terminated", exit_code: 3, detail_status: "Error", log: "complete" } };
    service.on(`GET /api/jobs/${id}`, {
      status: 200,
      json: {
        ...{ id, name: "nightly", state: "Failed", message: "nightly Failed: app exit 3.", attempt: 1, images: "a:1" },
        ...{ groupName: "nightly", location: "westeurope", pipeline: "load", queueSeconds: 2.4, costEstimate: 0.01 },
        history: [{ at: "2026-11-24T00:00:00Z", from: "", to: "Queued", reason: "Accepted", attempt: 1 }],
        attempts: [{ number: 1, state: "Failed", reason: "ExitCode", containers }],
        events: [{ at: "2026-11-24T00:00:01Z", container: "app", name: "Pulling", count: 2, message: "pulling a:1" }],
        azure: { code: "InaccessibleImage", httpStatus: 400 },
        warnings: [{ path: "properties.x", line: 1, column: 1, message: "x has no effect." }],
      },
    });
    const described = aciProxy("describe", id);
    expect(await described.exitCode).toBe(0);
    expect(described.stdout.split("\n").map((line) => line.split(/ {2,}/).join(" | "))).toEqual([
      "Failed | nightly Failed: app exit 3.",
      `id | ${id}`,
      "group | nightly, westeurope",
      "images | a:1",
      "pipeline | load",
      "queued | 2 s",
      "cost | 0.01",
      "",
      "Timeline",
      " | 2026-11-24T00:00:00Z | Queued | Accepted",
      "",
      "Attempt 1: Failed ExitCode",
      " | app | Terminated | exit 3 | Error | log complete",
      "",
      "Events",
      " | 2026-11-24T00:00:01Z | app | Pulling ×2 | pulling a:1",
      "",
      "Azure's own error",
      " | code | InaccessibleImage",
      " | httpStatus | 400",
      "",
      "Warnings",
      " | properties.x | x has no effect.",
      "",
    ]);
  });

  test("health shows what does not work and the numbers, and exits with 200 when something does not", async () => {
    service.on(
      "GET /api/health/details",
      { status: 200, json: { status: "ok", activeJobs: 3, paused: null } },
      { status: 503, json: { status: "late", activeJobs: 3 } },
      {
        status: 200,
        json: { status: "ok", sealKey: { ok: false, since: "2026-11-29T03:00:00.000Z", error: "404 KeyNotFound" } },
      },
    );
    const well = aciProxy("health");
    expect([await well.exitCode, well.stdout]).toEqual([0, "ok\nactiveJobs  3\n"]);
    const late = aciProxy("health");
    expect([await late.exitCode, late.stdout]).toEqual([200, "late\nactiveJobs  3\n"]);
    const keyless = aciProxy("health");
    expect([await keyless.exitCode, keyless.stdout.split("\n").slice(0, 2)]).toEqual([
      200,
      ["ok, but:", "sealKey does not work since 2026-11-29T03:00:00.000Z: 404 KeyNotFound"],
    ]);
  });

  test("open prints the address of the page", async () => {
    const open = aciProxy("open", "--print");
    expect([await open.exitCode, open.stdout]).toEqual([0, `${service.url}/api/dashboard\n`]);
  });

  test("cancel, pause and resume send what was asked for, and show the answer", async () => {
    const json = { message: "Done." };
    for (const path of ["jobs/cancel", "pause", "resume"]) service.on(`POST /api/${path}`, { status: 200, json });
    const all = [
      aciProxy("cancel", "--tag", "team=a", "--dry-run"),
      aciProxy("pause", "vault is down"),
      aciProxy("resume"),
    ];
    expect(await Promise.all(all.map(({ exitCode }) => exitCode))).toEqual([0, 0, 0]);
    expect(all.map(({ stdout }) => stdout)).toEqual(["Done.\n", "Done.\n", "Done.\n"]);
    const bodies = Object.fromEntries(service.requests.map(({ path, body }) => [path, JSON.parse(body) as unknown]));
    expect(bodies).toEqual({
      "/api/jobs/cancel": { tag: "team=a", dryRun: true },
      "/api/pause": { reason: "vault is down" },
      "/api/resume": {},
    });
  });

  test("reindex calls until the index is whole", async () => {
    const reply = (complete: boolean, message: string) => ({ json: { message, complete, jobs: 3, skipped: 0 } });
    const [more, whole] = [reply(false, "Not whole yet."), reply(true, "The index is whole.")];
    service.on("POST /api/reindex", { status: 202, ...more }, { status: 202, ...more }, { status: 200, ...whole });
    const rebuilt = aciProxy("reindex");
    expect(await rebuilt.exitCode).toBe(0);
    expect(rebuilt.stdout).toBe("The index is whole.\n");
    expect(rebuilt.stderr).toBe("Not whole yet.\n".repeat(2));
    expect(service.requests).toHaveLength(3);
  });
});

describe("aci-proxy completion", () => {
  /** What bash offers after these words. */
  const offered = async (...words: string[]): Promise<readonly string[]> => {
    const script = aciProxy("completion", "bash");
    expect(await script.exitCode).toBe(0);
    const line = words.map((word) => `'${word}'`).join(" ");
    const { stdout } = spawnSync("bash", [
      "-c",
      `${script.stdout}
COMP_WORDS=(aci-proxy ${line}); COMP_CWORD=${words.length}; _aci_proxy; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]);
    return stdout.toString().trimEnd().split("\n");
  };

  test.skipIf(spawnSync("bash", ["--version"]).error !== undefined)(
    "completes commands and flags in bash",
    async () => {
      expect(await offered("stat")).toEqual(["status"]);
      expect(await offered("status", "1", "--wa")).toEqual(["--watch"]);
      expect(await offered("--json", "poison", "re")).toEqual(["replay"]);
      expect(await offered("run", "--retry")).toEqual(["--retry-on"]);
    },
  );

  test("prints scripts for zsh and PowerShell, and refuses other shells", async () => {
    const all = ["zsh", "powershell", "tcsh"].map((shell) => aciProxy("completion", shell));
    expect(await Promise.all(all.map(({ exitCode }) => exitCode))).toEqual([0, 0, 202]);
    expect(all[0]?.stdout).toContain("bashcompinit");
    expect(all[1]?.stdout).toContain("'poison replay' = @(");
  });
});

describe("a command that can't work", () => {
  test("for want of a service ends with code 203 and says what to do", async () => {
    await service.close();
    const status = aciProxy("status", "1");
    expect(await status.exitCode).toBe(203);
    expect(status.stderr).toMatch(/^No answer from http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.\n.*npm start\n$/);
    service = await new StandInService().listen();
  });

  test.each([
    [["steam"], /unknown command/],
    [["run"], /needs a file or --template/],
    [["status"], /missing required argument/],
    [["run", "there-is-no-such-file.yaml"], /^cannot read there-is-no-such-file\.yaml: no such file\.\n/],
    [["validate", "/"], /^cannot read \/: it is a folder\.\n/],
    [["run", "file", "--option", "novalue"], /NAME=VALUE/],
    [["status", "1", "--url", "nowhere"], /absolute http/],
    [["cancel"], /needs --name, --tag, --pipeline, --group, --team or --state/],
    [["status", ""], /^The job is empty\.\n/],
    [["template", "delete", " "], /^The name is empty\.\n/],
  ])("for wrong use (%j) ends with code 202", async (words, message) => {
    const command = aciProxy(...words);
    expect(await command.exitCode).toBe(202);
    expect(command.stderr).toMatch(message);
    expect(service.requests).toEqual([]);
  });

  test("because something else answers there says so", async () => {
    service.on("GET /api/jobs", { status: 200, text: "<html>" });
    const list = aciProxy("list");
    expect(await list.exitCode).toBe(204);
    expect(list.stderr).toContain("is --url right?");
  });

  test("prints its version", async () => {
    const command = aciProxy("--version");
    expect(await command.exitCode).toBe(0);
    expect(command.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("shows its exit codes with --help", async () => {
    const help = aciProxy("--help");
    expect(await help.exitCode).toBe(0);
    expect(help.stdout).toContain("Exit codes:");
  });
});
