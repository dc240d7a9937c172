import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { globSync } from "tinyglobby";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { drillNames } from "../../local/drills/drills.ts";
import { generatedDocs } from "../../scripts/generated-docs.ts";
import { statusOf } from "../../src/shared/base/errors.ts";
import { counters, durations, gauges } from "../../src/shared/base/telemetry.ts";
import { finishedEvent } from "../../src/shared/job/finished-event.ts";
import { cloudEvent, type JobEvent } from "../../src/shared/job/job-events.ts";
import { jobKey, listedColumns, resultColumns, toRow } from "../../src/shared/store/job-row.ts";
import { readOptions } from "../../src/shared/job/options.ts";
import { catalogue } from "../../src/shared/job/reasons.ts";
import { readJobMessage } from "../../src/shared/job/envelope.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { alerts } from "../kit/alerts.ts";
import { part } from "../kit/document.ts";
import { ended, ending, job, jobId, live, settings, start } from "../kit/kit.ts";
import { incidents, incidentTable } from "../system/incidents/incidents.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const packageShape = z.object({ devDependencies: z.record(z.string(), z.string()) });

const section = (page: string, title: string): string => page.split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? "";
/** What stands as code in the first cells of tables. */
const firstCells = (page: string): readonly string[] =>
  [...page.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code),
  );
const jsonBlocks = (page: string): readonly unknown[] =>
  [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, code = ""]): unknown => JSON.parse(code));

describe("generated pages", () => {
  test.each([...generatedDocs()])("docs/%s says what the code says (else: npm run docs)", (name, text) => {
    expect(read(`docs/${name}`)).toBe(text);
  });
});

describe("hand-written pages", () => {
  test("docs/tables.md names every column of a job's row, and no other", () => {
    const source = { factory: "f", pipeline: "p", pipelineRunId: "r", activity: "a" };
    const verdict = { reason: "OutOfMemory", exitCode: 137, container: "app2" } as const;
    const events = ["Pulling", "Pulled"].map((name) => ({ at: start, name, type: "Normal", count: 1, message: "" }));
    const more = {
      options: { source, group: "g", priority: 60, team: "t" },
      rerunOf: jobId(2),
      template: { name: "t", version: 1 },
      messageId: "m",
      requestedBy: "someone",
      startedAt: start,
      events,
    };
    const refused = { reason: "ResourceLocked", since: start, times: 1 } as const;
    const waiting = { reason: "CreateLimit", since: start, expectedStartAt: start } as const;
    const counts = { Succeeded: 0, Failed: 0, Stopped: 0, TimedOut: 0, Canceled: 0 };
    const jobs = [
      job({ phase: { state: "Queued", refusals: 0, waiting } }),
      job({
        array: {
          size: 2,
          parallelism: 1,
          failFast: false,
          made: 0,
          counts,
          failures: [],
          vcpuSeconds: 0,
          gbSeconds: 0,
        },
      }),
      job({ child: { array: jobId(), arrayAt: start, index: 0, size: 2, result: "{}", resultIn: "attempt" } }),
      job({ phase: { state: "Running", startedAt: start }, typical: { runs: 5, start: 1, run: 1, most: 1 } }),
      live({ state: "Running", startedAt: start, ending: ending("Failed", { refused }) }),
      ended({ state: "Failed", verdict, keepUntil: start }, more),
    ];
    const sealed = { definition: undefined, callbacks: undefined };
    const prices = { vcpuHour: 1, gbHour: 1, currency: "USD" };
    const columns = new Set(
      jobs.flatMap((each) => Object.keys(toRow(each, jobKey(each.id, each.createdAt), sealed, prices))),
    );
    for (const own of ["partitionKey", "rowKey", "record"]) columns.delete(own);
    const documented = firstCells(section(read("docs/tables.md"), "`jobs`"));
    expect([...documented].sort()).toEqual([...columns].sort());
    const own = ["nameKey", "hasDefinition", "hasLogs", "definition", "callbacks", "deleteRefused"];
    const unlisted: readonly string[] = [...own, ...resultColumns];
    expect(listedColumns).toEqual(documented.filter((name) => !unlisted.includes(name)));
    const [, but = ""] = /columns of the table\]\(tables\.md\) but ([^.]*)\./.exec(read("docs/http.md")) ?? [];
    const left = documented.filter((name) => unlisted.includes(name));
    expect([...but.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(left);
  });

  test("docs/runbook.md has a command for every alert, and for every reason that can stand in a waiting job", () => {
    const waits = Object.entries(catalogue).filter(([, { rule }]) => ["wait", "few", "hour"].includes(rule));
    const byHeading = {
      "By symptom": [...alerts.map(({ name }) => name), "aci-proxy-dead-letters"],
      "Jobs stay Queued": waits.map(([reason]) => reason),
    };
    for (const [heading, names] of Object.entries(byHeading)) {
      const page = section(read("docs/runbook.md"), heading);
      const rows = page.split("\n").filter((line) => /^\| `\w[\w-]*` \| `[^`]+` \| .+ \|$/.test(line));
      expect(rows.map((row) => row.split("`")[1]).toSorted()).toEqual(names.toSorted());
    }
  });

  test("docs/operations.md names every event that the log may have", () => {
    // The level and the event, each of which may depend on something.
    const call = /\blog\(\s*(?:\w+ \? "\w+" : )?"\w+",\s*(?:\w+ \? "([^"]+)" : )?"([^"]+)"/g;
    const texts = globSync("src/**/*.ts", { cwd: root }).map(read);
    const events = new Set(
      texts.flatMap((text) => [...text.matchAll(call)].flatMap(([, ...found]) => found.filter(Boolean))),
    );
    expect(events.size).toBeGreaterThan(40);
    const documented = firstCells(read("docs/operations.md"));
    expect([...events].filter((event) => !documented.includes(event))).toEqual([]);
  });

  test("docs/telemetry.md names every metric, and each is sent", () => {
    const sources = globSync(["src/**/*.ts", "!src/shared/base/telemetry.ts"], { cwd: root }).map(read).join("\n");
    const documented = firstCells(read("docs/telemetry.md"));
    for (const name of Object.keys({ ...counters, ...durations, ...gauges })) {
      expect(documented).toContain(name);
      expect(sources).toContain(`"${name}"`);
    }
  });

  test("docs/operations.md shows where each incident is seen", () => {
    const table = incidentTable();
    expect(part("docs/operations.md", "incidents", table)).toBe(table);
    expect(incidents.map(({ drill }) => drill)).toEqual(drillNames);
    for (const { alert } of incidents) expect(alerts.map(({ name }) => name)).toContain(`aci-proxy-${alert}`);
  });

  test("docs/host-json.md explains every value of host.json", () => {
    const leaves = (value: unknown, path: string): readonly (readonly [path: string, value: string])[] =>
      typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, path === "" ? name : `${path}.${name}`))
        : [[path, String(value)]];
    const page = read("docs/host-json.md");
    for (const [path, value] of leaves(JSON.parse(read("host.json")), "")) {
      const shown = path.replace(/\.Function\.\w+\.User$/, ".Function.NAME.User");
      const line = page.split("\n").find((each) => each.startsWith("|") && each.includes(`\`${shown}\``));
      expect(line, path).toBeDefined();
      if (path !== "extensionBundle.id") expect(line, path).toContain(`\`${value}\``);
    }
  });

  test("host.json lets through what each function logs", () => {
    const index = read("src/index.ts");
    const registered = [
      ...index.matchAll(/^(?:http|app\.\w+)\("(\w+)"/gm),
      ...index.matchAll(/^ {4}(read\w+): \{ route/gm),
    ].map(([, name = ""]) => `Function.${name}.User`);
    const { logLevel } = z
      .object({ logging: z.object({ logLevel: z.record(z.string(), z.string()) }) })
      .parse(JSON.parse(read("host.json"))).logging;
    expect(registered.length).toBeGreaterThan(25);
    expect(
      Object.keys(logLevel)
        .filter((name) => name.startsWith("Function."))
        .sort(),
    ).toEqual(registered.sort());
  });

  test("docs/host-json.md and docs/costs.md count the polls and ticks that host.json and the timer make", () => {
    const interval = /"maxPollingInterval": "00:00:(\d\d)"/.exec(read("host.json"))?.[1];
    const polls = (86_400 / Number(interval)) * Object.keys(queueNames).length;
    expect(read("docs/host-json.md")).toContain(
      `| \`00:00:${interval ?? ""}\` | ${polls.toLocaleString("en")} | ${(polls * 30).toLocaleString("en")} |`,
    );
    expect(read("docs/costs.md")).toContain(`${(polls * 30).toLocaleString("en")} for one instance`);
    expect(read("src/index.ts")).toContain('schedule: "0 * * * * *"');
    expect(read("docs/costs.md")).toContain(`${(60 * 24 * 30).toLocaleString("en")} runs`);
  });

  test("docs/http.md lists every route and every error code", () => {
    const page = read("docs/http.md");
    const routes = [...read("src/index.ts").matchAll(/methods: \["(\w+)"\],\s*route: "([^"]+)"/g)].map(
      ([, method = "", route = ""]) => `${method} /api/${route}`,
    );
    expect(routes.length).toBeGreaterThan(10);
    expect(firstCells(page)).toEqual(expect.arrayContaining(routes));
    for (const [code, status] of Object.entries(statusOf)) expect(page).toContain(`| \`${code}\` | ${status} |`);
  });

  test("docs/queue.md's messages are read as what they are shown as, and its event has the fields of a real one", () => {
    const [submit, cancel, event] = jsonBlocks(read("docs/queue.md"));
    expect(readJobMessage(JSON.stringify(submit))).toMatchObject({ kind: "submit" });
    expect(readJobMessage(JSON.stringify(cancel))).toMatchObject({ kind: "cancel" });
    const real = finishedEvent(ended({}, { correlationId: "order-4711" }), undefined, "https://example/api/status/1");
    const fields = (value: unknown): unknown => {
      const { data, ...envelope } = Object(value) as Record<string, unknown>; // any JSON object will do
      return [Object.keys(envelope), Object.keys(Object(data) as object)];
    };
    expect(fields(event)).toEqual(fields(real));
  });

  const definition = { name: "nightly", properties: {} };
  const id = "0d9e2f0c-5b0f-4c3a-9c55-8a0c2b1de111";
  const taken: readonly object[] = [
    { definition },
    { definition: "name: nightly", options: { polling: true, timeout: "PT1H30M", lease: 300, priority: -5 } },
    { definition, options: { polling: "link", group: "a/b", team: "etl", tags: { a: "b" }, retryOn: [137] } },
    { definition, options: { array: [{ day: 1 }], minSuccess: "90%", source: "f/p/r/a", failureStatus: 404 } },
    { definitionBlob: "aci-definitions/nightly.yaml", replyTo: { queue: "answers" } },
    { template: "nightly" },
    { template: "nightly", templateVersion: 3, parameters: { day: "2026-11-29" } },
    { op: "cancel", id },
  ];
  const refusedOptions: readonly object[] = [
    { timeout: 0.5 },
    { timeout: "P1M" },
    { timeout: "-1" },
    { lease: 60 },
    { group: "a b" },
    { team: "a/b" },
    { main: "" },
    { source: "f/p/r" },
    { failureStatus: 401 },
    { failureStatus: 300 },
    { array: [null] },
    { minSuccess: "most" },
    { retires: 1 },
  ];
  const refused: readonly object[] = [
    {},
    { op: "cancel" },
    { definition, template: "nightly" },
    { definition, definitionBlob: "aci-definitions/nightly.yaml" },
    { definition, parameters: {} },
    { definitionBlob: "elsewhere/nightly.yaml" },
    { definition, id: "17" },
    ...refusedOptions.map((options) => ({ definition, options })),
  ];
  test.each([
    ...taken.map((message) => [true, JSON.stringify({ version: 1, ...message })] as const),
    ...refused.map((message) => [false, JSON.stringify({ version: 1, ...message })] as const),
  ])("docs/message.schema.json and the service agree (%s) whether this message can work: %s", (isFine, text) => {
    const schema = z.fromJSONSchema(z.looseObject({}).parse(JSON.parse(read("docs/message.schema.json"))));
    expect(schema.safeParse(JSON.parse(text)).success).toBe(isFine);
    const message = readJobMessage(text);
    const values = message.kind === "submit" ? message.submission.options : {};
    const context = { settings: settings(), via: "queue", containers: ["main"], hasCallBack: false } as const;
    const areFine = readOptions([{ values, where: "envelope" }], context).ok;
    expect(["submit", "cancel"].includes(message.kind) && areFine).toBe(isFine);
  });

  test("docs/events.md shows the fields of a real event", () => {
    const [shown] = jsonBlocks(read("docs/events.md"));
    const source = { factory: "contoso", pipeline: "etl", pipelineRunId: "run", activity: "Run" };
    const failed = ended({ state: "Failed", verdict: { reason: "OutOfMemory", exitCode: 137 } });
    const one = { ...failed, options: { ...failed.options, source } };
    const event: JobEvent = { kind: "finished", sequence: 3, at: start, attempt: 1 };
    const { extensionAttributes, time, ...rest } = cloudEvent(one, event, "/aciproxy/1", { publicUrl: "https://x" });
    const real = { specversion: "1.0", time: time.toISOString(), ...extensionAttributes, ...rest };
    const fields = (value: unknown): readonly string[] => Object.keys(Object(value) as object).toSorted();
    expect(fields(shown)).toEqual(fields(real));
    expect(fields(z.object({ data: z.unknown() }).parse(shown).data)).toEqual(fields(real.data));
  });

  test("ARCHITECTURE.md lists every dependency, and names no file that is not there", () => {
    const page = read("ARCHITECTURE.md");
    const { devDependencies } = packageShape.parse(JSON.parse(read("package.json")));
    const listed = firstCells(section(page, "Dependencies"));
    expect([...listed].sort()).toEqual(Object.keys(devDependencies).sort());
    const folders = ["", "src/", "src/http/", "src/shared/", "src/workers/"];
    const missing = [...page.matchAll(/`([\w./-]+(?:\.(?:ts|js)|\/))`/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !folders.some((folder) => existsSync(join(root, folder, path))));
    expect(missing).toEqual([]);
  });

  test("docs/where.md answers at least ten questions, each with two files that contain what it names", () => {
    const rows = read("docs/where.md")
      .split("\n")
      .filter((line) => /^\| [A-Z].*\? \|/.test(line));
    expect(rows.length).toBeGreaterThanOrEqual(10);
    for (const row of rows) {
      const hops = [...row.matchAll(/`([^`]+)` \(`([^`]+)`\)/g)];
      expect(hops, row).toHaveLength(2);
      for (const [, file = "", name = ""] of hops) expect(read(file), row).toContain(name);
    }
  });

  test("every link from one page to another leads somewhere", () => {
    const pages = globSync(["*.md", "docs/*.md", "local/**/*.md"], { cwd: root });
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !existsSync(join(root, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  test("every section that a page names, by a link or in italics behind one, is there", () => {
    const slug = (title: string): string =>
      title
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-");
    const slugs = (page: string): readonly string[] =>
      [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => slug(title));
    const pages = globSync(["*.md", "docs/*.md", "local/**/*.md"], { cwd: root });
    const named = pages.flatMap((page) =>
      [
        ...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)#([\w-]+)\)/g),
        ...read(page).matchAll(/\.md\]\(([^)#\s]+)\), \*([^*]+)\*/g),
      ].map(([, target = "", section = ""]) => ({
        page,
        target: target === "" ? page : join(dirname(page), target),
        section: slug(section),
      })),
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter(({ target, section }) => !slugs(target).includes(section))).toEqual([]);
  });
});
