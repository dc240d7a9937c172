import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Unavailable } from "../../../src/shared/base/errors.ts";
import { storageCall } from "../../../src/shared/store/connect.ts";
import { fakeTimers } from "../../kit/fake-timers.ts";

beforeEach(() => fakeTimers());
afterEach(() => void vi.useRealTimers());

test("storage that takes a request and never answers is unavailable after 25 seconds", async () => {
  const asked = expect(storageCall(() => new Promise(() => undefined), 404)).rejects.toThrow(Unavailable);
  await vi.advanceTimersByTimeAsync(25_000);
  await asked;
});

test("an answer leaves no timer behind", async () => {
  expect(await storageCall(() => Promise.resolve("answer"))).toBe("answer");
  expect(vi.getTimerCount()).toBe(0);
});
