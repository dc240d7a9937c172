import { describe, expect, test } from "vitest";
import { Refused } from "../../../client/errors.ts";
import { LiveLogs } from "../../../client/live-logs.ts";

const containers = { app: {} };
const running = { id: "1", state: "Running", containers };
const ended = { id: "1", state: "Failed", containers };

/** What is shown when the live log is `live` (a refusal where absent) and the captured one `captured`. */
async function shown(
  live: string | Uint8Array<ArrayBuffer> | undefined,
  captured: string,
  looks = 1,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const service = {
    logs: (
      _job: string,
      _container: string | undefined,
      { query }: { query?: Readonly<Record<string, string | undefined>> },
    ) => {
      const text = query?.["follow"] === "true" ? live : captured;
      if (text === undefined) return Promise.reject(new Refused("JobNotFound", 404, "no log yet"));
      return Promise.resolve(new Response(text).body);
    },
  };
  const logs = new LiveLogs(service, "1", (container, line) => lines.push(`${container}: ${line}`));
  for (let look = 0; look < looks; look++) logs.look(running);
  await logs.finish(ended);
  return lines;
}

describe("the output of a running job", () => {
  test("is completed from the captured copy, each line once", async () => {
    expect(await shown("one\ntw", "one\ntwo\nthree\n")).toEqual(["app: one", "app: two", "app: three"]);
  });

  test("is taken from the captured copy alone where the service shows no live log", async () => {
    expect(await shown(undefined, "one\ntwo")).toEqual(["app: one", "app: two"]);
  });

  test("is followed once per container, however often the job is polled", async () => {
    expect(await shown("one\n", "one\n", 3)).toEqual(["app: one"]);
  });

  test("is taken up again where the service let a follower go, each line once", async () => {
    const lines: string[] = [];
    const replies = ["one\n", "one\ntwo\n", "one\ntwo\nthree\n"];
    const service = {
      logs: () => Promise.resolve(new Response(replies.shift()).body),
    };
    const logs = new LiveLogs(service, "1", (_, line) => lines.push(line));
    for (const count of [1, 2]) {
      await expect
        .poll(() => {
          logs.look(running);
          return lines.length;
        })
        .toBe(count);
    }
    await logs.finish(ended);
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("of a job that was never seen running comes from the captured copy", async () => {
    expect(await shown("never asked for", "one\n", 0)).toEqual(["app: one"]);
  });

  test("says so where the captured copy begins differently", async () => {
    expect((await shown("one\n", "cut\n"))[1]).toContain("begins differently");
  });

  test("of each attempt is shown once, whatever was followed of it", async () => {
    const lines: string[] = [];
    const captured: Record<string, string> = { "1": "one\ntwo\n", "2": "eins\nzwei\n" };
    const service = {
      logs: (
        _job: string,
        _name: string | undefined,
        { query }: { query?: Readonly<Record<string, string | undefined>> },
      ) => {
        const text = captured[query?.["attempt"] ?? ""] ?? "no such attempt";
        return Promise.resolve(new Response(query?.["follow"] === "true" ? text.slice(0, 4) : text).body);
      },
    };
    const logs = new LiveLogs(service, "1", (_, line) => lines.push(line));
    logs.look({ ...running, attempt: 1 });
    logs.look({ ...running, attempt: 2 });
    await logs.finish({ ...ended, attempt: 2 });
    expect(lines.toSorted()).toEqual(["eins", "one", "two", "zwei"]);
  });

  test("keeps characters whole that arrive in two pieces", async () => {
    expect(await shown(new TextEncoder().encode("é\n").slice(0, 1), "é\n")).toEqual(["app: é"]);
  });
});
