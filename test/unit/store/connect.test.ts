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

const conflictWith = (more: object): Promise<never> =>
  Promise.reject(Object.assign(new Error("no"), { statusCode: 409, ...more }));

test.each([
  ["a container", { code: "ContainerBeingDeleted" }],
  ["a queue", { code: "QueueBeingDeleted" }],
  ["a table", { details: { odataError: { code: "TableBeingDeleted" } } }],
])("%s that is being deleted is unavailable, and not one that exists", async (_, more) => {
  await expect(storageCall(() => conflictWith(more), 409)).rejects.toThrow(Unavailable);
});

test.each([
  ["a blob", { code: "BlobAlreadyExists", details: "odd" }],
  ["an entity", { details: { odataError: { code: "EntityAlreadyExists" } } }],
])("%s that exists is the outcome that was expected", async (_, more) => {
  expect(await storageCall(() => conflictWith(more), 409)).toBe(409);
});
