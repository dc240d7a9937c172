import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isWanted } from "../../kit/wanted.ts";
import { StandInService } from "./kit.ts";

vi.setConfig({ testTimeout: 60_000 });

const folder = join(import.meta.dirname, "../../../clients/python");
const versionCheck = "import sys; sys.exit(sys.version_info < (3, 9))";
const obstacle =
  spawnSync("python3", ["-c", versionCheck]).status === 0 ? undefined : "there is no python3 of version 3.9 or later";

if (!isWanted(obstacle)) test.skip(`the Python client: skipped, because ${obstacle}`);

describe.runIf(isWanted(obstacle))("the Python client", () => {
  let service: StandInService;
  beforeEach(async () => {
    service = await new StandInService().listen();
  });
  afterEach(() => service.close());

  /** What a program prints that has the client's names, and `proxy`, the service; a warning of Python's is an error. */
  async function program(code: string, url = service.url): Promise<string> {
    const script = `from aci_proxy import *\nproxy = AciProxy(${JSON.stringify(url)}, "k")\n${code}`;
    const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: "1" };
    const child = spawn("python3", ["-W", "error", "-c", script], { env, stdio: ["ignore", "pipe", "inherit"] });
    return text(child.stdout);
  }

  const job = { message: "nightly", name: "nightly", state: "Queued", id: "1" };
  const running = { ...job, state: "Running", attempt: 1, containers: { app: {} } };
  const failing = (call: string): string =>
    `try:\n    ${call}\nexcept AciProxyError as error:\n    print(type(error).__name__, error.code, error)`;

  test("submits with typed options, follows the output line by line, and reads the result", async () => {
    service
      .on("POST /api/trigger", { status: 200, json: job })
      .on(
        "GET /api/status/1",
        { status: 202, json: running },
        { status: 200, json: { ...running, state: "Succeeded", exitCode: 0, result: { rows: 3 } } },
      )
      .on("GET /api/logs/1/app", { status: 200, text: "Grüße\nWorld" });
    const said = await program(`
job = proxy.submit({"name": "nightly"}, timeout="PT1H", tags={"team": "a"}, retry_on=[137, "platform"], env=True, newerOption=1, idempotency_key="x")
end = proxy.follow(job.id, on_line=lambda container, line: print(container, "|", line))
print(end.state, end.exit_code, end.result)`);
    expect(said).toBe("app | Grüße\napp | World\nSucceeded 0 {'rows': 3}\n");
    expect(service.requests[0]).toMatchObject({
      query: { timeout: "PT1H", tags: "team=a", retryOn: "137,platform", env: "true", newerOption: "1" },
      key: "k",
      body: '{"name": "nightly"}',
    });
    expect(service.requests[0]?.headers["idempotency-key"]).toBe("x");
  });

  test("names what is wrong: no service, a page of a gateway, a wrong key, a redirect, a fault of the definition", async () => {
    const unused = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => unused.once("listening", resolve));
    const address = unused.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => unused.close(resolve));
    const submit = failing('proxy.submit("name: nightly")');
    expect(await program(submit, `http://127.0.0.1:${port}`)).toMatch(/^Unreachable Unreachable No answer from /);
    const errors = [{ path: "name", line: 1, column: 1, message: "is missing" }];
    service.on(
      "POST /api/trigger",
      { status: 200, text: "<html>Sign in</html>" },
      { status: 502, text: "<html>Bad gateway</html>" },
      { status: 401 },
      { status: 302, headers: { location: "https://elsewhere.example/" } },
      { status: 400, json: { message: "1 fault.", code: "InvalidDefinition", errors, requestId: "r" } },
    );
    expect((await program([submit, submit, submit, submit, submit].join("\n"))).trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^Refused NotAciProxy .*is the address right\?$/),
      "Refused Refused The service answered 502 without saying why.",
      "Refused KeyRefused The service refused the key.",
      expect.stringMatching(/^Refused NotAciProxy .*redirects elsewhere/),
      "Refused InvalidDefinition 1 fault.",
    ]);
    expect(await program(failing('AciProxy("my-service")'))).toMatch(/^Misuse Misuse /);
  });

  test("takes a token as a text, or a function that is asked for each call, and never shows it", async () => {
    const asks = { status: 401, headers: { "www-authenticate": "Bearer" } };
    const ended = { status: 200, json: { ...job, state: "Succeeded" } };
    service.on("GET /api/status/1", ended, ended, ended, asks, asks, { status: 401 });
    const url = JSON.stringify(service.url);
    const said = await program(`
tokens = iter(["t1", "t2"])
renewed = AciProxy(${url}, token=lambda: next(tokens))
renewed.status("1"), renewed.status("1"), AciProxy(${url}, token="text").status("1")
${failing(`AciProxy(${url}, token="text").status("1")`)}
${failing('proxy.status("1")')}
${failing(`AciProxy(${url}, token="text").status("1")`)}
${failing(`AciProxy(${url}, token="secret\\nall").status("1")`)}
${failing(`AciProxy(${url}, "secret\\nall").status("1")`)}`);
    expect(service.requests.slice(0, 3).map(({ key, headers }) => [key, headers.authorization])).toEqual([
      [undefined, "Bearer t1"],
      [undefined, "Bearer t2"],
      [undefined, "Bearer text"],
    ]);
    expect(said.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^Refused KeyRefused The service refused the token: it has expired/),
      "Refused KeyRefused The service takes no key but a token of Microsoft Entra ID.",
      "Refused KeyRefused The service takes no token; give its key.",
      expect.stringMatching(/^Misuse Misuse The token is empty, or has a line break/),
      expect.stringMatching(/^Misuse Misuse The key is empty, or has a line break/),
    ]);
  });

  test("reads a newer service's states, words and members, and goes on until a known end", async () => {
    const newer = { ...running, state: "Hibernating", reason: "Tired", dreams: [1] };
    service.on(
      "GET /api/status/1",
      { status: 202, json: newer },
      { status: 500, json: { ...newer, state: "Failed", exitCode: 3 } },
    );
    const said = await program(`
end = proxy.follow("1", on_status=lambda status: print(status.state, status.reason, status.raw["dreams"]))
print(has_ended(end), end.exit_code)`);
    expect(said).toBe("Hibernating Tired [1]\nFailed Tired [1]\nTrue 3\n");
    service.on("GET /api/status/1", { status: 500, json: { ...newer, state: "Evaporated" } });
    expect(await program('print(proxy.wait("1").state)')).toBe("Evaporated\n");
  });

  test("goes on while the service can't answer, and never gives the key to another host", async () => {
    service.on(
      "GET /api/status/1",
      { status: 503, headers: { "retry-after": "0" } },
      { status: 202, headers: { location: "https://elsewhere.example/api/status/1?poll=1" }, json: running },
      { status: 200, json: { ...running, state: "Succeeded" } },
    );
    const said = await program(`print(proxy.follow("1", on_failure=lambda error: print(error.code)).state)`);
    expect(said).toBe("Refused\nSucceeded\n");
    expect(service.requests.at(-1)).toMatchObject({ query: { poll: "1" }, key: "k" });
  });

  test("shows 10 MB of output once each line, live and from the captured copy", async () => {
    const log = Array.from({ length: 100_000 }, (_, line) => `${line} ${"x".repeat(100)}\n`).join("");
    let part = 0;
    service
      .on(
        "GET /api/status/1",
        { status: 202, json: running },
        { status: 200, json: { ...running, state: "Succeeded" } },
      )
      .on("GET /api/logs/1/app", (response) => {
        // The live stream breaks off within a line.
        if (part++ > 0) response.end(log);
        else response.write(log.slice(0, 3_000_050), () => response.destroy());
      });
    const said = await program(`
lines = []
proxy.follow("1", on_line=lambda container, line: lines.append(line))
print(len(lines), len(set(lines)), sum(map(len, lines)))`);
    expect(said).toBe(`100000 100000 ${log.length - 100_000}\n`);
  });

  test("lists every page, and stops at a service that gives the same page for ever", async () => {
    const page = (id: string, continuation?: string) => ({
      status: 200,
      json: { jobs: [{ ...job, id, cpu: 1, memoryGB: 1.5 }], continuation },
    });
    service.on("GET /api/jobs", page("1", "a"), page("2"));
    expect(await program('print([(job.id, job.memory_gb) for job in proxy.jobs(run_id="r")])')).toBe(
      "[('1', 1.5), ('2', 1.5)]\n",
    );
    expect(service.requests.map(({ query }) => query)).toEqual([{ runId: "r" }, { runId: "r", continuation: "a" }]);
    service.on("GET /api/jobs", page("1", "a"));
    expect(await program(failing("list(proxy.jobs())"))).toMatch(/^Refused NotAciProxy .*same page/);
  });

  test("sends an array's items in the body, whatever carries the definition, and gives its results one by one", async () => {
    const results = (index: number, more: object) => ({
      status: 200,
      json: { id: "1", results: [{ index, id: `child-${index}`, state: "Succeeded", exitCode: 0 }], ...more },
    });
    service
      .on("POST /api/trigger", { status: 200, json: job })
      .on("GET /api/jobs/1/results", results(6, { continuation: "next" }), results(7, {}));
    const said = await program(`
proxy.submit("name: nightly", array=["a", {"b": 1}], parallelism=2)
proxy.submit({"version": 1, "definition": {"name": "nightly"}, "options": {"retries": 1}}, array=[1])
proxy.submit({"parameters": {"day": 1}}, template="load", array=("a",))
proxy.submit("name: nightly", array=300)
print([each.index for each in proxy.results("1", state="Succeeded", from_=6)])`);
    expect(said).toBe("[6, 7]\n");
    const posts = service.requests.filter(({ method }) => method === "POST");
    expect(posts.map(({ body }) => (body.startsWith("{") ? (JSON.parse(body) as object) : body))).toEqual([
      { version: 1, definition: "name: nightly", options: { array: ["a", { b: 1 }] } },
      { version: 1, definition: { name: "nightly" }, options: { retries: 1, array: [1] } },
      { parameters: { day: 1 }, options: { array: ["a"] } },
      "name: nightly",
    ]);
    expect(posts.map(({ query }) => query)).toEqual([{ parallelism: "2" }, {}, { template: "load" }, { array: "300" }]);
    const asked = service.requests.filter(({ method }) => method === "GET").map(({ query }) => query);
    const first = { state: "Succeeded", from: "6" };
    expect(asked).toEqual([first, { ...first, continuation: "next" }]);
  });

  test("cancels and waits until the group is gone, and sends bodies without what was not given", async () => {
    service
      .on("DELETE /api/delete/1", {
        status: 202,
        headers: { location: "/api/delete/1?until=deleted" },
        json: { ...job, groupDeleted: false },
      })
      .on("GET /api/delete/1", { status: 202 }, { status: 200, json: { ...job, message: "nightly Canceled." } })
      .on("POST /api/jobs/rerun", { status: 200, json: { message: "2 jobs.", rerun: 2 } });
    expect(
      await program(
        'print(proxy.cancel("1", wait=True).message, proxy.rerun_many(state="Failed", dry_run=True).rerun)',
      ),
    ).toBe("nightly Canceled. 2\n");
    expect(JSON.parse(service.requests.at(-1)?.body ?? "")).toEqual({ state: "Failed", dryRun: true });
  });

  test("sends null where that gives something back, and leaves out what was not given", async () => {
    const group = { group: "dw", held: 0, limit: null, paused: true, slots: [], waiting: [], more: false };
    service.on("PUT /api/groups/dw", { status: 200, json: group }, { status: 200, json: group });
    await program('proxy.steer_group("dw", limit=None)\nproxy.steer_group("dw", paused=True)');
    expect(service.requests.map(({ body }): unknown => JSON.parse(body))).toEqual([{ limit: null }, { paused: true }]);
  });

  test("interrupted while it follows, ends at once and leaves nothing running", async () => {
    let reading = (): void => undefined;
    const read = new Promise<void>((resolve) => (reading = resolve));
    service
      .on("GET /api/status/1", { status: 202, headers: { "retry-after": "60" }, json: running })
      .on("GET /api/logs/1/app", (response) => {
        response.write("first\n");
        reading();
      });
    const script = `from aci_proxy import *\nAciProxy(${JSON.stringify(service.url)}).follow("1", on_line=print)`;
    const child = spawn("python3", ["-c", script], { env: { ...process.env, PYTHONPATH: folder }, stdio: "ignore" });
    await read;
    const ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
    child.kill("SIGINT");
    expect(await ended).toBe("SIGINT");
  });
});
