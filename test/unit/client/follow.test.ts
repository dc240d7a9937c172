import { describe, expect, test } from "vitest";
import { Refused, Unreachable } from "../../../client/errors.ts";
import { untilEnded } from "../../../client/follow.ts";
import type { PollResult, StatusPath } from "../../../client/service.ts";

const path = "/api/status/1?poll=1" as StatusPath; // a path of the service under test
const look = (state: string, retryAfter?: number): PollResult => ({
  status: { id: "1", state },
  ended: state === "Succeeded",
  retryAfter,
  path,
});

/** Follows a job whose looks are given, on a clock of its own. Pauses are recorded, not waited for. */
async function follow(looks: readonly (PollResult | Error)[], patience?: number) {
  const pauses: number[] = [];
  const states: string[] = [];
  let clock = 0;
  let next = 0;
  const result = await untilEnded(
    {
      pollAt: async () => {
        await Promise.resolve();
        const answer = looks[Math.min(next++, looks.length - 1)];
        if (answer instanceof Error || answer === undefined) throw answer ?? new Error("no look left");
        return answer;
      },
    },
    path,
    {
      onPoll: ({ state }) => states.push(state),
      pause: async (ms) => {
        await Promise.resolve();
        pauses.push(ms);
        clock += ms;
      },
      now: () => clock,
      ...(patience === undefined ? {} : { patience }),
    },
  ).catch((error: unknown) => error);
  return { result, pauses, states };
}

describe("following a job", () => {
  test("polls again when the service says so, and ends with the job", async () => {
    const { result, pauses, states } = await follow([look("Queued", 1000), look("Running", 5000), look("Succeeded")]);
    expect(result).toEqual({ id: "1", state: "Succeeded" });
    expect(pauses).toEqual([1000, 5000]);
    expect(states).toEqual(["Queued", "Running", "Succeeded"]);
  });

  test("polls every two seconds when the service does not say, and never in a hot loop", async () => {
    expect((await follow([look("Queued"), look("Queued", 0), look("Succeeded")])).pauses).toEqual([2000, 100]);
  });

  test("goes on through failures that pass, more slowly each time", async () => {
    const gone = new Unreachable("no answer");
    const { result, pauses } = await follow([
      gone,
      gone,
      new Refused("StorageUnavailable", 503, "storage"),
      look("Succeeded"),
    ]);
    expect(result).toMatchObject({ state: "Succeeded" });
    expect(pauses).toEqual([1000, 2000, 4000]);
  });

  test("waits as long as a throttling service asks for", async () => {
    const { pauses } = await follow([
      new Refused("TooManyJobs", 429, "slow down", { retryAfter: 7000 }),
      look("Succeeded"),
    ]);
    expect(pauses).toEqual([7000]);
  });

  test("a job that has ended is not asked for again, and a state it never heard of is no end", async () => {
    expect((await follow([look("Pondering", 1000), look("Succeeded")])).states).toEqual(["Pondering", "Succeeded"]);
  });

  test("a refusal ends it at once", async () => {
    const { result, pauses } = await follow([new Refused("JobNotFound", 404, "no such job")]);
    expect(result).toMatchObject({ status: 404 });
    expect(pauses).toEqual([]);
  });

  test("a service that stays away for longer than the patience ends it", async () => {
    const { result, pauses } = await follow([look("Running", 1000), new Unreachable("no answer")], 60_000);
    expect(result).toBeInstanceOf(Unreachable);
    expect(pauses.reduce((sum, ms) => sum + ms)).toBeGreaterThan(60_000);
  });
});
