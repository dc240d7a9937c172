import { describe, expect, test } from "vitest";
import {
  ago,
  duration,
  localTime,
  money,
  percent,
  shortId,
  shortImage,
  tagTexts,
  utcTime,
  visible,
} from "../../../src/dashboard/logic/format.ts";
import { gathered } from "../../../src/dashboard/logic/gather.ts";
import { byRun, withOlder, merged, stripsOf, waitingReasons } from "../../../src/dashboard/logic/grouping.ts";
import { jobAddress, jobsAddress, queryOf, readRoute } from "../../../src/dashboard/logic/route.ts";
import { ticks, timelineOf } from "../../../src/dashboard/logic/timeline.ts";

describe("Times and amounts", () => {
  test.each([
    [0.04, "0 s"],
    [7.25, "7.3 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [7500, "2 h 5 min"],
    [356_400, "4 d 3 h"],
    [undefined, "–"],
    [Number.NaN, "–"],
  ])("duration(%s) is %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  test("a time is in the reader's zone, with its date unless it is today, and the year where it is another", () => {
    const now = Date.parse("2026-11-28T06:00:00Z");
    expect(localTime("2026-11-28T03:04:05Z", now, "Europe/Berlin")).toBe("04:04:05");
    expect(localTime("2026-11-27T22:30:00Z", now, "Europe/Berlin")).toBe("27 Nov, 23:30:00");
    expect(localTime("2026-11-27T23:30:00Z", now, "Europe/Berlin")).toBe("00:30:00");
    expect(localTime("2025-11-27T12:00:00Z", now, "UTC")).toBe("27 Nov 2025, 12:00:00");
    expect(localTime("soon", now)).toBe("soon");
    expect(utcTime("2026-11-28T04:04:05.678+01:00")).toBe("2026-11-28 03:04:05 UTC");
  });

  test("an age has one unit, and is never negative", () => {
    const now = Date.parse("2026-11-28T06:00:00Z");
    expect([0, -9000, 42_000, 300_000, 7_200_000, 200_000_000].map((ms) => ago(now - ms, now))).toEqual([
      "just now",
      "just now",
      "42 s ago",
      "5 min ago",
      "2 h ago",
      "2 d ago",
    ]);
  });

  test("a small amount keeps two digits that say something, and nearly all is not all", () => {
    expect([0, 0.00123, 0.5, 12.3456].map((amount) => money(amount, "USD"))).toEqual([
      "0.00 USD",
      "0.0012 USD",
      "0.50 USD",
      "12.35 USD",
    ]);
    expect([1, 0.9996, 0.5, Number.NaN].map(percent)).toEqual(["100 %", "99.9 %", "50 %", "–"]);
  });

  test("characters that turn the direction of text are shown by their numbers", () => {
    expect(visible("invoice-\u202egnp.exe\u2069 עברית")).toBe("invoice-[U+202E]gnp.exe[U+2069] עברית");
    expect(tagTexts({ a: "1", b: "\u202ex" })).toEqual(["a=1", "b=[U+202E]x"]);
    expect(tagTexts("edited")).toEqual(["edited"]);
  });

  test("ids and images are shortened to what differs", () => {
    expect(shortId("01a20c6c-c13a-7ab1-a14f-5d162eaef33c")).toBe("aef33c");
    expect(shortImage("demo.azurecr.io/team/sample:1")).toBe("sample:1");
  });
});

describe("Addresses", () => {
  test("filters survive their address, and what is no filter is left out", () => {
    const filters = { state: "Failed,TimedOut", name: "a&b=c#d", tag: "k=v", since: "P1D" };
    expect(readRoute(jobsAddress(filters, true))).toEqual({ view: "jobs", filters, byRun: true });
    expect(readRoute("#/jobs?key=secret&name=&state= active ")).toEqual({
      view: "jobs",
      filters: { state: "active" },
      byRun: false,
    });
    expect(queryOf(filters).get("name")).toBe("a&b=c#d");
  });

  test("a job's address has its id, and the log's container and attempt", () => {
    const address = jobAddress("an/id?", { container: "app", attempt: 2 });
    expect(readRoute(address)).toEqual({ view: "job", id: "an/id?", container: "app", attempt: 2 });
    expect(readRoute(jobAddress("x", { show: "F" }))).toMatchObject({ id: "x", show: "F" });
    expect(readRoute("#/job/x?attempt=-1")).toMatchObject({ attempt: undefined, container: undefined });
  });

  test("the children of an array are found where the array is", () => {
    expect(readRoute("#/jobs?array=an-id&state=Failed")).toMatchObject({ view: "job", id: "an-id" });
  });

  test.each(["", "#", "#/", "#/job/", "#/nothing", "#?x"])("%j is the overview", (hash) => {
    expect(readRoute(hash)).toEqual({ view: "overview" });
  });

  test("half an escape is read as the text that it is", () => {
    expect(readRoute("#/job/%E0%A4%A")).toMatchObject({ view: "job", id: "%E0%A4%A" });
  });
});

const row = (id: string, minute: number, more: object = {}) => ({
  id,
  name: "nightly",
  state: "Succeeded",
  createdAt: `2026-11-28T01:${String(minute).padStart(2, "0")}:00Z`,
  ...more,
});

describe("Grouping", () => {
  test("jobs of one pipeline run come together, and are counted", () => {
    const jobs = [
      row("a", 9, { pipelineRunId: "r1", pipeline: "P" }),
      row("b", 8),
      row("c", 7, { pipelineRunId: "r1", pipeline: "P", state: "Failed" }),
      row("d", 6, { pipelineRunId: "r1", pipeline: "P", state: "Running" }),
    ];
    expect(
      byRun(jobs).map(({ runId, jobs: members, counts }) => [runId, members.map(({ id }) => id).join(""), counts]),
    ).toEqual([
      ["r1", "acd", { succeeded: 1, failed: 1, active: 1 }],
      ["", "b", { succeeded: 1, failed: 0, active: 0 }],
    ]);
  });

  test("a strip has a name's last runs, oldest first; a name whose last run failed comes first", () => {
    const jobs = [
      row("d", 9),
      row("c", 8, { name: "bad", state: "TimedOut" }),
      row("b", 7, { name: "NIGHTLY", state: "Failed" }),
      row("a", 6),
    ];
    expect(stripsOf(jobs, 2, 9).map(({ name, runs }) => [name, runs.map(({ id }) => id).join("")])).toEqual([
      ["bad", "c"],
      ["nightly", "bd"],
    ]);
    expect(stripsOf(jobs, 2, 1)).toHaveLength(1);
  });

  test("what waits is counted by its reason, with the oldest; an ended job waits for nothing", () => {
    const jobs = [
      { state: "Queued", reason: "NameBusy", createdAt: "2" },
      { state: "Queued", reason: "QuotaExceeded", createdAt: "5" },
      { state: "Pending", reason: "QuotaExceeded", createdAt: "3" },
      { state: "Failed", reason: "OutOfMemory", createdAt: "1" },
      { state: "Running", createdAt: "1" },
    ];
    expect(waitingReasons(jobs)).toEqual([
      { reason: "QuotaExceeded", count: 2, oldest: "3" },
      { reason: "NameBusy", count: 1, oldest: "2" },
    ]);
  });

  test("newer rows take the place of older ones of the same job", () => {
    const known = [row("b", 2, { state: "Running" }), row("a", 1)];
    expect(merged(known, [row("c", 3), row("b", 2)]).map(({ id, state }) => `${id} ${state}`)).toEqual([
      "c Succeeded",
      "b Succeeded",
      "a Succeeded",
    ]);
  });
});

describe("Pages that were scrolled to", () => {
  const ids = (rows: readonly { id: string }[] | undefined): string | undefined => rows?.map(({ id }) => id).join("");
  const older = [row("d", 4), row("c", 3), row("b", 2), row("a", 1)];

  test("stand below the newest one, which says what of its time fits", () => {
    expect(ids(withOlder([row("e", 5), row("c", 3)], false, older))).toBe("ecba");
    expect(ids(withOlder([row("e", 5)], true, older))).toBe("e");
    expect(ids(withOlder([], false, older))).toBe("dcba");
    expect(ids(withOlder([row("a", 1)], false, []))).toBe("a");
  });

  test("keep the jobs of the very millisecond in which the newest one ends", () => {
    const together = [row("d", 3), row("c", 3), row("b", 3), row("a", 1)];
    expect(
      ids(withOlder([row("d", 3), row("c", 3)], false, together))
        ?.split("")
        .sort()
        .join(""),
    ).toBe("abcd");
  });

  test("are given up where more came meanwhile than a page has", () => {
    expect(withOlder([row("z", 9), row("y", 8)], false, older)).toBeUndefined();
  });
});

describe("Pages of a list", () => {
  const pages: Readonly<Record<string, { jobs: string[]; continuation?: string }>> = {
    first: { jobs: [], continuation: "second" },
    second: { jobs: ["a"], continuation: "third" },
    third: { jobs: ["b", "c"] },
  };
  const gather = async (wanted: number, most: number): Promise<string> => {
    const read = (after = "first") => Promise.resolve({ ok: true as const, value: pages[after] ?? { jobs: [] } });
    const answer = await gathered(read, wanted, most);
    return answer.ok ? `${answer.value.jobs.join("")} ${answer.value.more}` : "";
  };

  test("may be empty with others behind them, which are read until there are enough", async () => {
    expect(await gather(9, 8)).toBe("abc false");
    expect(await gather(1, 8)).toBe("a true");
    expect(await gather(2, 8)).toBe("ab true");
    expect(await gather(3, 8)).toBe("abc false");
    expect(await gather(9, 1)).toBe(" true");
  });

  test("of which one can't be read are not taken for all", async () => {
    expect(await gathered(() => Promise.resolve({ ok: false as const, error: "away" }), 9, 8)).toEqual({
      ok: false,
      error: "away",
    });
  });
});

describe("The timeline", () => {
  const at = (second: number): string => new Date(Date.parse("2026-11-28T01:00:00Z") + second * 1000).toISOString();
  const job = {
    createdAt: at(0),
    finishedAt: at(100),
    attempt: 2,
    history: [
      { at: at(0), to: "Queued", attempt: 1 },
      { at: at(5), to: "Queued", attempt: 1 },
      { at: at(10), to: "Provisioning", attempt: 1 },
      { at: at(12), to: "Pending", attempt: 1 },
      { at: at(30), to: "Running", attempt: 1 },
      { at: at(40), to: "Queued", attempt: 2 },
      { at: at(50), to: "Provisioning", attempt: 2 },
      { at: at(60), to: "Running", attempt: 2 },
      { at: at(100), to: "Succeeded", attempt: 2 },
    ],
    events: [{ at: at(14), name: "Pulling" }, { at: at(25), name: "Pulled" }, { name: "Pulling" }],
  };
  const told = (timeline: ReturnType<typeof timelineOf>): string[] =>
    timeline.attempts.map(
      ({ attempt, bars }) =>
        `${attempt}: ${bars.map(({ stage, from, to }) => `${stage} ${(from - timeline.from) / 1000}-${(to - timeline.from) / 1000}`).join(", ")}`,
    );

  test("has each attempt's stages to scale, with the pull cut out of the start", () => {
    expect(told(timelineOf(job, 0))).toEqual([
      "1: queued 0-10, placing 10-12, starting 12-14, pulling 14-25, starting 25-30, running 30-40",
      "2: queued 40-50, placing 50-60, running 60-100",
    ]);
  });

  test("of a job that has not ended goes on until now, and shows its stop", () => {
    const live = {
      ...job,
      finishedAt: undefined,
      history: job.history.slice(0, 5),
      attempt: 1,
      stopping: { since: at(45) },
    };
    expect(told(timelineOf(live, Date.parse(at(60)))).join()).toMatch(/running 30-45, stopping 45-60$/);
  });

  test("of a job without a readable history is one bar", () => {
    expect(told(timelineOf({ ...job, history: [{ at: "?", to: "Running", attempt: 1 }] }, 0))).toEqual([
      "2: queued 0-100",
    ]);
  });

  test("an axis has round steps", () => {
    expect(ticks(100, 4)).toEqual([0, 30, 60, 90]);
    expect(ticks(0.4, 4)).toEqual([0]);
    expect(ticks(90_000, 4)).toEqual([0, 43_200, 86_400]);
  });
});
