import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AciProxy } from "../../../client/aci-proxy.ts";
import { Command, StandInService } from "./kit.ts";

/** Arrays, as the command and its class call them. */

const id = "01a228e8-eb12-777f-8258-f68c35037c70";
let folder: string;
let service: StandInService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "client-arrays-"));
  await writeFile(join(folder, "job.yaml"), "name: nightly\n");
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  service = await new StandInService().listen();
});
afterEach(() => service.close());

const command = (words: readonly string[], input = ""): Command =>
  new Command(words, { env: { ACI_PROXY_URL: service.url, ACI_PROXY_KEY: "k" }, input });
const aciProxy = (...words: string[]): Command => command(words);
const run = (...words: string[]): Command => aciProxy("run", join(folder, "job.yaml"), ...words);

const counts = { size: 300, succeeded: 0, failed: 0, stopped: 0, timedOut: 0, canceled: 0, active: 0, failures: [] };
const failures = [
  { index: 7, state: "Failed", reason: "OutOfMemory", exitCode: 137 },
  { index: 19, state: "TimedOut", reason: "RunTimeout" },
];
const ended = { ...counts, succeeded: 280, failed: 17, timedOut: 3, failures };

/** A service on which an array is submitted and ends so. */
function oneArray(end: object = { state: "Failed", array: ended }): void {
  const location = `${service.url}/api/status/${id}?poll=1`;
  const job = { message: "nightly is Queued.", name: "nightly", state: "Queued", id };
  const running = { ...job, message: "nightly is Running.", state: "Running" };
  service.on("POST /api/trigger", { status: 202, headers: { location }, json: job }).on(
    `GET /api/status/${id}`,
    { status: 202, headers: { location }, json: { ...running, array: { ...counts, active: 20 } } },
    {
      status: 202,
      headers: { location },
      json: { ...running, array: { ...counts, succeeded: 117, failed: 3, active: 20 } },
    },
    { status: 500, json: { ...job, message: "nightly Failed: 20 of 300.", containers: {}, ...end } },
  );
}
const body = (): unknown => JSON.parse(service.requests.find(({ method }) => method === "POST")?.body ?? "null");
const query = (): unknown => service.requests.find(({ method }) => method === "POST")?.query;

describe("aci-proxy run --array", () => {
  test("with a number sends it as an option, shows counts and no container's log, and says what to do in the end", async () => {
    oneArray();
    const array = run("--array", "300");
    expect(await array.exitCode).toBe(206);
    expect(query()).toEqual({ array: "300", polling: "true" });
    expect(array.stdout).toBe("");
    expect(array.stderr.split("\n")).toEqual([
      `Accepted as job ${id}`,
      "Running  nightly  0/300 ended, 20 active",
      "Running  nightly  120/300 ended, 3 failed, 20 active",
      "Failed  nightly Failed: 20 of 300.",
      `id ${id}`,
      "  #7   Failed    exit 137  OutOfMemory",
      "  #19  TimedOut            RunTimeout",
      `  and 18 more: aci-proxy results ${id} --state Failed,TimedOut,Stopped,Canceled`,
      `Logs of one: aci-proxy logs ${id} --index 7`,
      `Run those that did not succeed again: aci-proxy rerun ${id}`,
      "",
    ]);
    expect(service.requests.some(({ path }) => path.startsWith("/api/logs"))).toBe(false);
  });

  test("ends with 0 when the array succeeded, also where some of its indexes did not", async () => {
    oneArray({ state: "Succeeded", array: ended });
    expect(await run("--array", "300", "--json").exitCode).toBe(0);
  });

  test.each([
    ["a JSON list", '["north", {"region": "south"}]'],
    ["a value on each line", '"north"\n\n{"region": "south"}\n'],
  ])("with a file that holds %s sends the items in the body", async (_, text) => {
    oneArray();
    const file = join(folder, "items");
    await writeFile(file, text);
    expect(await run("--array", file, "--detach").exitCode).toBe(0);
    const options = { array: ["north", { region: "south" }] };
    expect(body()).toEqual({ version: 1, definition: "name: nightly\n", options });
    expect(query()).toEqual({ polling: "true" });
  });

  test("with - reads the items from stdin, and puts them beside a template's parameters", async () => {
    oneArray();
    const words = ["run", "--template", "load", "--param", "day=1", "--array", "-", "--detach"];
    expect(await command(words, "[1, 2]").exitCode).toBe(0);
    expect(body()).toEqual({ parameters: { day: "1" }, options: { array: [1, 2] } });
    expect(query()).toEqual({ template: "load", polling: "true" });
  });

  test("puts the items into an envelope that has options already", async () => {
    oneArray();
    const file = join(folder, "envelope.json");
    await writeFile(file, '{"version": 1, "Options": {"retries": 2}, "definition": {"name": "nightly"}}');
    expect(await command(["run", file, "--array", "-", "--detach"], '["a"]').exitCode).toBe(0);
    expect(body()).toEqual({ version: 1, definition: { name: "nightly" }, options: { retries: 2, array: ["a"] } });
  });

  test("says which line of a file is no JSON, and that stdin is read once", async () => {
    const file = join(folder, "items.txt");
    await writeFile(file, '"north"\nsouth\n');
    const faulty = run("--array", file);
    expect(await faulty.exitCode).toBe(202);
    expect(faulty.stderr).toContain(`${file}:2 is no JSON`);
    const twice = aciProxy("run", "-", "--array", "-");
    expect(await twice.exitCode).toBe(202);
    expect(twice.stderr).toContain("only one of file and --array");
    expect(service.requests).toEqual([]);
  });
});

describe("an array that exists", () => {
  const page = (indexes: readonly number[], continuation?: string): object => {
    const results = indexes.map((index) => ({
      ...{ index, id: `child-${index}`, state: index === 7 ? "Failed" : "Succeeded", item: { region: `r${index}` } },
      ...(index === 7 ? { exitCode: 137, reason: "OutOfMemory" } : { exitCode: 0, result: { rows: index } }),
    }));
    return { id, name: "nightly", state: "Failed", size: 300, results, ...(continuation ? { continuation } : {}) };
  };
  const twoPages = (): void => {
    service.on(
      `GET /api/jobs/${id}/results`,
      { status: 200, json: page([6, 7], "next") },
      { status: 200, json: page([8]) },
    );
  };
  const asked = () => service.requests.map(({ query: each }) => each);

  test("shows what became of its indexes as a table, all pages of it", async () => {
    twoPages();
    const results = aciProxy("results", id, "--state", "Failed,Succeeded");
    expect(await results.exitCode).toBe(0);
    expect(results.stdout.split("\n")).toEqual([
      "INDEX  STATE      EXIT  REASON       ITEM             RESULT",
      '6      Succeeded  0                  {"region":"r6"}  {"rows":6}',
      '7      Failed     137   OutOfMemory  {"region":"r7"}',
      '8      Succeeded  0                  {"region":"r8"}  {"rows":8}',
      "",
    ]);
    const state = "Failed,Succeeded";
    expect(asked()).toEqual([{ state }, { state, continuation: "next" }]);
  });

  test("gives them as JSON, or as one JSON object on each line", async () => {
    twoPages();
    const json = aciProxy("results", id, "--json");
    expect(await json.exitCode).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject([{ index: 6 }, { index: 7, exitCode: 137 }, { index: 8 }]);
    twoPages();
    const lines = aciProxy("results", id, "--ndjson");
    expect(await lines.exitCode).toBe(0);
    const indexes = lines.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { index: number }).index); // the page above
    expect(indexes).toEqual([6, 7, 8]);
  });

  test("gives them one by one to a program", async () => {
    twoPages();
    const indexes: number[] = [];
    for await (const { index } of new AciProxy(service.url).results(id)) indexes.push(index);
    expect(indexes).toEqual([6, 7, 8]);
  });

  test("shows the log of one index", async () => {
    service.on(`GET /api/logs/${id}`, { status: 200, text: "Hello\n" });
    const logs = aciProxy("logs", id, "--index", "7", "--tail", "1");
    expect(await logs.exitCode).toBe(0);
    expect(logs.stdout).toBe("Hello\n");
    expect(asked()).toEqual([{ index: "7", tail: "1" }]);
  });

  test("lists its children, and stands in a list with its counts", async () => {
    const row = { id, name: "nightly", state: "Running", groupName: "nightly" };
    const { failures: _, active: __, ...columns } = ended;
    service.on("GET /api/jobs", {
      status: 200,
      json: {
        jobs: [
          { ...row, array: columns },
          { ...row, arrayId: id, arrayIndex: 7 },
        ],
      },
    });
    const list = aciProxy("list", "--array", id);
    expect(await list.exitCode).toBe(0);
    expect(list.stdout).toContain("300/300, 20 failed");
    expect(list.stdout).toContain("#7");
    expect(asked()).toEqual([{ array: id }]);
  });

  test("is run again with --failed as without, and --failed is refused for other jobs", async () => {
    const status = `GET /api/status/${id}`;
    service.on(status, { status: 500, json: { id, state: "Failed", array: ended } }).on(`POST /api/jobs/${id}/rerun`, {
      status: 200,
      json: { message: "", name: "nightly", state: "Queued", id: "2" },
    });
    const rerun = aciProxy("rerun", id, "--failed");
    expect(await rerun.exitCode).toBe(0);
    expect(rerun.stdout).toBe("2\n");
    service.on(status, { status: 500, json: { id, state: "Failed" } });
    const other = aciProxy("rerun", id, "--failed");
    expect(await other.exitCode).toBe(202);
    expect(other.stderr).toContain("--failed goes with an array");
  });

  test("is described by its counts and failures, and its child by its array", async () => {
    const record = { id, name: "nightly", state: "Failed", attempt: 1, attempts: [] };
    service.on(`GET /api/jobs/${id}`, { status: 200, json: { ...record, array: { ...ended, parallelism: 20 } } });
    const array = aciProxy("describe", id);
    expect(await array.exitCode).toBe(0);
    expect(array.stdout).toContain("300/300 ended, 20 failed, at most 20 at once");
    expect(array.stdout).toContain("#7   Failed    exit 137  OutOfMemory");
    service.on(`GET /api/jobs/${id}`, { status: 200, json: { ...record, arrayId: "the-array", arrayIndex: 7 } });
    const child = aciProxy("describe", id);
    expect(await child.exitCode).toBe(0);
    expect(child.stdout).toMatch(/array +the-array, index 7/);
  });
});
