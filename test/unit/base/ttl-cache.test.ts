import { expect, it } from "vitest";
import { TtlCache } from "../../../src/shared/base/ttl-cache.ts";

let now = 0;
let asked = 0;
const answers = (): Promise<number> => Promise.resolve(++asked);
const opened = (): TtlCache<number> => {
  [now, asked] = [0, 0];
  return new TtlCache({ time: 10, max: 2, now: () => now });
};

it("asks once for callers at the same time, and again when the time is up", async () => {
  const cache = opened();
  expect(await Promise.all([cache.get("a", answers), cache.get("a", answers)])).toEqual([1, 1]);
  now = 9;
  expect(await cache.get("a", answers)).toBe(1);
  now = 10;
  expect(await cache.get("a", answers)).toBe(2);
});

it("asks again after the clock was put back: an answer of later is of no known age", async () => {
  const cache = opened();
  now = 1000;
  expect(await cache.get("a", answers)).toBe(1);
  now = 500;
  expect(await cache.get("a", answers)).toBe(2);
});

it("keeps no failure, and no answer that may be another one the next time", async () => {
  const cache = opened();
  await expect(cache.get("a", () => Promise.reject(new Error("down")))).rejects.toThrow("down");
  expect(await cache.get("a", answers, () => false)).toBe(1);
  expect(await cache.get("a", answers)).toBe(2);
});

it("drops the oldest of too many answers, and all when it is cleared", async () => {
  const cache = opened();
  for (const key of ["a", "b", "c"]) await cache.get(key, answers);
  expect(await cache.get("c", answers)).toBe(3);
  expect(await cache.get("b", answers)).toBe(2);
  expect(await cache.get("a", answers)).toBe(4);
  cache.clear();
  expect(await cache.get("a", answers)).toBe(5);
});

it("drops the oldest of answers that together take too much, and waits for those that are still to come", async () => {
  [now, asked] = [0, 0];
  const cache = new TtlCache<string>({
    time: 10,
    max: 9,
    now: () => now,
    room: { of: ({ length }) => length, max: 10 },
  });
  let answer = (_text: string): void => undefined;
  const late = cache.get("late", () => new Promise((resolve) => (answer = resolve)));
  const ask = (text: string) => (): Promise<string> => Promise.resolve(text);
  for (const text of ["aaaa", "bbbb", "cccc"]) expect(await cache.get(text, ask(text))).toBe(text);
  expect(await cache.get("cccc", ask("anew"))).toBe("cccc");
  expect(await cache.get("bbbb", ask("anew"))).toBe("bbbb");
  expect(await cache.get("aaaa", ask(""))).toBe("");
  answer("late");
  expect(await cache.get("late", ask("anew"))).toBe("late");
  expect(await late).toBe("late");
  expect(await cache.get("large", ask("eleven signs"))).toBe("eleven signs");
  expect(await cache.get("large", ask("anew"))).toBe("anew");
});
