import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RingLog, rfc3339 } from "../../../../local/aci/engines/ringlog.ts";
import { trimLog } from "../../../../local/aci/groups/logs.ts";

const folder = mkdtempSync(join(tmpdir(), "ringlog-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const time = rfc3339(0);
const whole = (lines: readonly string[]): string => lines.map((line) => `${time} ${line}\n`).join("");

describe("a log as it is shown", () => {
  it("has times only where asked for", () => {
    const log = whole(["one", "two"]);
    expect(trimLog(log, { running: true, tail: undefined, timestamps: false })).toBe("one\ntwo\n");
    expect(trimLog(log, { running: true, tail: 1, timestamps: true })).toBe("1970-01-01T00:00:00.000000000Z two\n");
  });

  it("of a stopped container is the last 1,000 lines or 16 KB, whichever is less", () => {
    const many = whole(Array.from({ length: 1500 }, (_, index) => String(index)));
    const lines = trimLog(many, { running: false, tail: undefined, timestamps: false }).trimEnd().split("\n");
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([1000, "500", "1499"]);
    const wide = whole(Array.from({ length: 500 }, () => "x".repeat(99)));
    expect(trimLog(wide, { running: false, tail: undefined, timestamps: false }).length).toBeLessThanOrEqual(16 * 1024);
    expect(trimLog(wide, { running: true, tail: undefined, timestamps: false })).toHaveLength(50_000);
  });

  it("of a stopped container is the end of one line that is longer than all that is shown", () => {
    const long = whole(["a", `${"x".repeat(30_000)}end`]);
    const shown = trimLog(long, { running: false, tail: undefined, timestamps: true });
    expect([shown.length, shown.slice(0, 32), shown.slice(-4)]).toEqual([31 + 16 * 1024 + 1, `${time} x`, "end\n"]);
  });

  it("keeps a last line without a newline as it is", () => {
    expect(trimLog(`${time} a\n${time} b`, { running: false, tail: undefined, timestamps: false })).toBe("a\nb");
    expect(trimLog("", { running: true, tail: undefined, timestamps: false })).toBe("");
  });
});

describe("a log as it is kept", () => {
  it("puts the time of its first byte before each line, streams apart", async () => {
    const path = join(folder, "a");
    let now = 0;
    const log = new RingLog(path, () => now);
    log.append("stdout", Buffer.from("hel"));
    now = 1000;
    log.append("stderr", Buffer.from("oops\n"));
    log.append("stdout", Buffer.from("lo\nrest"));
    log.end();
    expect(await RingLog.read(path)).toBe(`${rfc3339(1000)} oops\n${rfc3339(0)} hello\n${rfc3339(1000)} rest`);
  });

  it("stays bounded and keeps the newest", async () => {
    const path = join(folder, "b");
    const log = new RingLog(path, () => 0);
    const line = Buffer.from(`${"y".repeat(1023)}\n`);
    for (let index = 0; index < 20_000; index += 1) log.append("stdout", line);
    log.append("stdout", Buffer.from("last\n"));
    log.end();
    const kept = await RingLog.read(path);
    expect(kept.length).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(trimLog(kept, { running: true, tail: 1, timestamps: false })).toBe("last\n");
    const shown = trimLog(kept, { running: true, tail: undefined, timestamps: false });
    expect(shown.length).toBeGreaterThan(3.5 * 1024 * 1024);
    expect(shown.length).toBeLessThanOrEqual(4 * 1024 * 1024);
  });

  it("cuts a line that never ends into pieces", async () => {
    const path = join(folder, "c");
    const log = new RingLog(path, () => 0);
    log.append("stdout", Buffer.alloc(40 * 1024, "z"));
    log.end();
    expect((await RingLog.read(path)).split("\n").map((piece) => piece.length - 31)).toEqual([16384, 16384, 8192]);
  });
});
