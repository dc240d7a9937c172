import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { hostileBody, hostileMessage, hostileQuery } from "../../hostile/arbitrary.ts";
import { bombs } from "../../hostile/bombs.ts";
import { leastCost, openEntryPoints, polluted, type EntryPoints } from "../../hostile/entry-points.ts";

let door: EntryPoints;
beforeAll(async () => (door = await openEntryPoints()));
afterAll(() => door.stop());
afterEach(() => expect(polluted()).toBe(false));

/** A message on a queue is at most 64 KiB. */
const maxMessage = 64 * 1024;
/** Milliseconds. `npm run fuzz` asks for a quarter; here a busy machine must not fail what is only linear. */
const longest = 1000;

describe.each(bombs)("$name", ({ text }) => {
  test("as a body is a 4xx or accepted, in no time", async () => {
    const { milliseconds, status } = await leastCost(() => door.post(text));
    expect(status).toBeLessThan(500);
    expect(milliseconds).toBeLessThan(longest);
  });

  test("as a message ends as a job or a row that says why, in no time", async () => {
    const { milliseconds } = await leastCost(() => door.deliver(text.slice(0, maxMessage)));
    expect(milliseconds).toBeLessThan(longest);
  });
});

test("any body gets an answer that is not ours to be ashamed of", async () => {
  await fc.assert(
    fc.asyncProperty(hostileBody, hostileQuery, async (body, query) => {
      const { milliseconds } = await leastCost(() => door.post(body, `${query}&dryRun=true`));
      expect(milliseconds).toBeLessThan(longest);
    }),
    { numRuns: 2000, endOnFailure: true },
  );
});

test("any message is dealt with at first sight", async () => {
  await fc.assert(
    fc.asyncProperty(hostileMessage, async (message) => {
      const { milliseconds } = await leastCost(() => door.deliver(message.slice(0, maxMessage)));
      expect(milliseconds).toBeLessThan(longest);
    }),
    { numRuns: 300, endOnFailure: true },
  );
});
