/** The host's pure decisions: routes, schedules, polling, messages, host.json, keys, log levels. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseHostJson, parseTimeSpan } from "../../local/host/host-json.ts";
import { simpleReply } from "../../local/host/http-result.ts";
import { Keys, shownKey } from "../../local/host/keys.ts";
import { levelFor, logSink } from "../../local/host/logs.ts";
import { decodeText, outputTexts } from "../../local/host/message.ts";
import { PollDelay } from "../../local/host/poll.ts";
import { poisonQueueName } from "../../local/host/queues.ts";
import { compileTemplate, decodePath, Router } from "../../local/host/router.ts";
import { afterRun, isFrequent, parseSchedule, parseStatus, resume, statusJson } from "../../local/host/schedule.ts";
import { expand, findConnection, isDisabled } from "../../local/host/settings.ts";

describe("routes", () => {
  const routes = (...templates: string[]) =>
    new Router(
      "api",
      templates.map((template) => ({ template, methods: ["GET"], target: template })),
    );

  const precedence: readonly [string, string[], string, string | undefined][] = [
    ["a literal beats a parameter, in whatever order they came", ["{a}", "x"], "/api/x", "x"],
    ["a parameter beats a catch-all", ["{*rest}", "{a}"], "/api/x", "{a}"],
    ["a mixed segment beats a bare parameter", ["{a}", "{name}.txt"], "/api/x.txt", "{name}.txt"],
    ["the shorter route has the absent optional", ["jobs/{id?}", "jobs"], "/api/jobs", "jobs"],
    ["an empty segment is no value", ["a/{x}/b"], "/api/a//b", undefined],
    ["a template's own signs are literal", ["a.b"], "/api/aXb", undefined],
  ];
  test.each(precedence)("%s", (_, templates, path, target) => {
    expect(routes(...templates).match("GET", path)?.target).toBe(target);
  });

  const refused = ["{*rest}/x", "{a}/{A}", "{x:int}", "a{b", "{}"];
  test.each(refused)("the template %s is refused", (template) => {
    expect(() => compileTemplate(template)).toThrow();
  });

  test("a default stands in for an absent parameter", () => {
    expect(routes("list/{top=10}").match("GET", "/api/list")?.params).toEqual({ top: "10" });
  });

  test("an empty prefix leaves the route alone", () => {
    expect(new Router("", [{ template: "x", methods: ["GET"], target: 1 }]).match("GET", "/x")?.target).toBe(1);
  });

  test("what is no valid UTF-8 stays undecoded", () => {
    expect(decodePath("/a%C3%A9%FF%2Fb%")).toBe("/a%C3%A9%FF%2Fb%");
    expect(decodePath("/a%C3%A9%2F%41")).toBe("/aé%2FA");
  });
});

describe("schedules", () => {
  const at = (text: string): Date => new Date(text);

  test("six fields, seconds first, in UTC", () => {
    expect(parseSchedule("30 15 6 * * *", "UTC").next(at("2026-11-24T06:15:30Z"))).toEqual(at("2026-11-25T06:15:30Z"));
  });

  test("day of month and day of week must both match", () => {
    expect(parseSchedule("0 0 0 13 * FRI", "UTC").next(at("2026-11-24T00:00:00Z"))).toEqual(at("2027-08-13T00:00:00Z"));
  });

  test.each(["* * * *", "0 0 0 L * *", "0 0 0 ? * *", "99 * * * * *", "", "00:05:00"])("%s is refused", (text) => {
    expect(() => parseSchedule(text, "UTC")).toThrow("was not recognized");
  });

  test("more than one occurrence in a minute is frequent, one is not", () => {
    expect(isFrequent(parseSchedule("*/30 * * * * *", "UTC"), at("2026-11-24T00:00:10Z"))).toBe(true);
    expect(isFrequent(parseSchedule("0 * * * * *", "UTC"), at("2026-11-24T00:00:00Z"))).toBe(false);
  });

  const hourly = parseSchedule("0 0 * * * *", "UTC");
  const now = at("2026-11-24T06:30:00Z");
  const stored = (last: string, next: string) => ({ last: at(last), next: at(next), lastUpdated: at(last) });

  test("the first start writes a status and is not past due", () => {
    expect(resume(hourly, undefined, now)).toEqual({
      status: { last: undefined, next: at("2026-11-24T07:00:00Z"), lastUpdated: now },
      pastDue: false,
      changed: true,
    });
  });

  test("a missed occurrence is past due, one to come is not", () => {
    const missed = stored("2026-11-24T03:00:00Z", "2026-11-24T04:00:00Z");
    expect(resume(hourly, missed, now)).toEqual({ status: missed, pastDue: true, changed: false });
    const kept = stored("2026-11-24T06:00:00Z", "2026-11-24T07:00:00Z");
    expect(resume(hourly, kept, now)).toEqual({ status: kept, pastDue: false, changed: false });
  });

  test("a changed schedule begins afresh and is not past due", () => {
    const daily = stored("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    const resumed = resume(hourly, daily, now);
    expect(resumed).toMatchObject({ pastDue: false, changed: true });
    expect(resumed.status.next).toEqual(at("2026-11-24T07:00:00Z"));
  });

  test("the stored form survives a round trip, and what is not ours is no status", () => {
    const status = afterRun(hourly, now);
    expect(parseStatus(JSON.stringify(statusJson(status)))).toEqual(status);
    expect(statusJson(resume(hourly, undefined, now).status).Last).toBe("0001-01-01T00:00:00+00:00");
    for (const text of ["", "[]", "{}", '{"Last":"x","Next":"y","LastUpdated":"z"}'])
      expect(parseStatus(text)).toBeUndefined();
  });
});

describe("polling", () => {
  test("waits from 100 ms to the maximum, doubling with a fifth of jitter, and begins again after a message", () => {
    const delay = new PollDelay(2_000, () => 0.5);
    expect([1, 2, 3, 4, 5, 6, 7].map(() => delay.next(false))).toEqual([100, 200, 300, 500, 900, 1_700, 2_000]);
    expect([delay.next(false), delay.next(true), delay.next(false)]).toEqual([2_000, 100, 200]);
    const jitter = [0, 0.999].map((random) => {
      const jittered = new PollDelay(2_000, () => random);
      jittered.next(true);
      return jittered.next(false);
    });
    expect(jitter[0]).toBeCloseTo(180);
    expect(jitter[1]).toBeCloseTo(220, 0);
  });
});

describe("messages", () => {
  const texts: readonly [string, "base64" | "none", string | undefined][] = [
    ["aGVsbG8=", "base64", "hello"],
    ["aGVs\nbG8=", "base64", "hello"],
    ["", "base64", ""],
    ["hello", "base64", undefined],
    ["{}", "base64", undefined],
    ["aGVsbG8=", "none", "aGVsbG8="],
  ];
  test.each(texts)("%j with %s is %j", (text, encoding, decoded) => {
    expect(decodeText(text, encoding)).toBe(decoded);
  });

  test("an output is one message, an array one for each element, also as text", () => {
    expect(outputTexts({ string: "a" })).toEqual(["a"]);
    expect(outputTexts({ string: '["a",{"b":1}]' })).toEqual(["a", '{"b":1}']);
    expect(outputTexts({ string: "[not json]" })).toEqual(["[not json]"]);
    expect(outputTexts({ json: '{"a":[1]}' })).toEqual(['{"a":[1]}']);
    expect(outputTexts({ bytes: Buffer.from("b") })).toEqual(["b"]);
    expect(outputTexts({ int: 3 })).toEqual(["3"]);
  });

  test("a queue has a poison queue unless it is one, or its name gets too long", () => {
    expect(poisonQueueName("jobs")).toBe("jobs-poison");
    expect(poisonQueueName("jobs-poison")).toBeUndefined();
    expect(poisonQueueName("a".repeat(57))).toBeUndefined();
  });
});

describe("host.json", () => {
  test.each<[string, number | undefined]>([
    ["00:00:02", 2_000],
    ["00:00:00.1", 100],
    ["00:00:00.250", 250],
    ["1.02:03:04", 93_784_000],
    ["00:05", 300_000],
    ["2000", undefined],
    ["00:60:00", undefined],
  ])("the time span %s is %s ms", (text, milliseconds) => {
    expect(parseTimeSpan(text)).toBe(milliseconds);
  });

  test("what it leaves out has the real host's defaults", () => {
    expect(parseHostJson({ version: "2.0" }, {})).toMatchObject({
      routePrefix: "api",
      functionTimeoutMs: 1_800_000,
      queues: {
        batchSize: 16,
        maxDequeueCount: 5,
        visibilityTimeoutMs: 0,
        maxPollingIntervalMs: 60_000,
        messageEncoding: "base64",
      },
    });
    expect(
      parseHostJson({ version: "2.0" }, { AZURE_FUNCTIONS_ENVIRONMENT: "Development" }).queues.maxPollingIntervalMs,
    ).toBe(2_000);
  });

  test("app settings override it, without regard to case", () => {
    const json = { version: "2.0", extensions: { queues: { batchSize: 4 } } };
    const settings = {
      AzureFunctionsJobHost__extensions__Queues__batchsize: "8",
      AzureFunctionsJobHost__functionTimeout: "-1",
    };
    expect(parseHostJson(json, settings)).toMatchObject({ functionTimeoutMs: undefined, queues: { batchSize: 8 } });
  });

  test("every fault is named at once", () => {
    const json = { version: "1.0", extensions: { queues: { batchSize: 33, maxPollingInterval: "00:00:00.05" } } };
    expect(() => parseHostJson(json, {})).toThrow(/version.*batchSize.*maxPollingInterval/);
  });
});

describe("settings", () => {
  test("a connection string comes before its identity form, and the prefixed name before the plain one", () => {
    expect(findConnection("Jobs", "queue", { Jobs: "plain", AzureWebJobsJobs: "prefixed" })).toEqual({
      kind: "string",
      value: "prefixed",
    });
    const identity = {
      AzureWebJobsStorage__queueServiceUri: "https://a.queue.core.windows.net",
      AzureWebJobsStorage__clientId: "id",
    };
    expect(findConnection("AzureWebJobsStorage", "queue", identity)).toEqual({
      kind: "identity",
      uri: "https://a.queue.core.windows.net",
      clientId: "id",
    });
    expect(findConnection("X", "blob", { X__accountName: "acct" })).toMatchObject({
      uri: "https://acct.blob.core.windows.net",
    });
    expect(() => findConnection("X", "queue", {})).toThrow("'X' does not exist");
  });

  test("a name in percent signs is replaced, a missing one is a fault", () => {
    expect(expand("a-%B%-c", { B: "b" })).toBe("a-b-c");
    expect(() => expand("%B%", {})).toThrow("'%B%' does not resolve to a value.");
  });

  test("true and 1 switch a function off", () => {
    expect(
      ["true", "True", "1", "false", ""].map((value) => isDisabled("f", { "AzureWebJobs.f.Disabled": value })),
    ).toEqual([true, true, true, false, false]);
  });
});

describe("keys", () => {
  test("the header is the key shown, even when it is empty; only without one the code counts, in any case", () => {
    expect(shownKey("", "code=x")).toBe("");
    expect(shownKey(undefined, "a=1&Code=x%2B")).toBe("x+");
    expect(shownKey(undefined, "")).toBeUndefined();
  });

  test("no key, an empty key and a prefix of one open nothing", () => {
    const keys = new Keys({ host: "host", master: "master", system: "system", functions: { F: "own" } });
    for (const shown of [undefined, "", "hos", "host "]) expect(keys.opens("function", shown, "f")).toBe(false);
    expect(keys.opens("function", "own", "f")).toBe(true);
    expect(keys.opens("admin", "own", "f")).toBe(false);
    expect(keys.opens("system", "system", "")).toBe(true);
  });
});

describe("log levels", () => {
  test("the longest key that a category starts with wins, then default, then Information", () => {
    const levels = { default: "warning", Function: "information", "Function.jobs.User": "trace" } as const;
    expect(levelFor("Function.jobs.User", levels)).toBe("trace");
    expect(levelFor("Function.jobs", levels)).toBe("information");
    expect(levelFor("Host.Startup", levels)).toBe("warning");
    expect(levelFor("Host.Startup", {})).toBe("information");
  });
});

test("a log file closes once, however often the host ends", () => {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  const [file, other] = [join(folder, "host.log"), join(folder, "other.log")];
  const sink = logSink(file);
  sink.write("said\n");
  sink.close();
  const next = logSink(other); // takes the file descriptor that is free again
  sink.close();
  next.write("still open\n");
  next.close();
  expect([readFileSync(file, "utf8"), readFileSync(other, "utf8")]).toEqual(["said\n", "still open\n"]);
  rmSync(folder, { recursive: true });
});

describe("simple replies", () => {
  test.each<[string, unknown, unknown]>([
    [
      "JSON",
      { status: 202, jsonBody: { a: 1 } },
      { statusCode: "202", headers: { "content-type": "application/json" }, body: { string: '{"a":1}' } },
    ],
    [
      "text",
      { body: "x" },
      { statusCode: "200", headers: { "content-type": "text/plain;charset=UTF-8" }, body: { string: "x" } },
    ],
    [
      "a media type of its own",
      { body: "x", headers: { "Content-Type": "text/csv" } },
      { statusCode: "200", headers: { "content-type": "text/csv" }, body: { string: "x" } },
    ],
    ["no body", { status: 204, jsonBody: {} }, { statusCode: "204", headers: {} }],
    ["an empty object", {}, { statusCode: "200", headers: {}, body: null }],
    ["a stream is the library's", { body: new ReadableStream() }, undefined],
    ["cookies are the library's", { cookies: [] }, undefined],
    ["Headers are the library's", { headers: new Headers() }, undefined],
    ["a status out of range is the library's to refuse", { status: 99 }, undefined],
    ["text alone is the library's to refuse", "x", undefined],
  ])("%s", (_, result, reply) => {
    expect(simpleReply(result)).toEqual(reply);
  });
});
