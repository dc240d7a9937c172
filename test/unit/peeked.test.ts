import { expect, it } from "vitest";
import { jobKey } from "../../src/shared/job-row.ts";
import type { Stored } from "../../src/shared/jobs.ts";
import { Peeked } from "../../src/shared/peeked.ts";
import { job, jobId, start } from "../kit.ts";

function stored(n: number, etag: string): Stored {
  const id = jobId(n, start + n);
  return {
    job: { ...job(), id },
    sealed: { definition: undefined, callbacks: undefined },
    key: jobKey(id, start + n),
    etag,
  };
}

it("a row is known by its ETag: a changed one is never taken for what it was", () => {
  const peeked = new Peeked();
  const before = stored(1, "a");
  peeked.set(before);
  expect(peeked.get(before.key, "a")).toBe(before);
  expect(peeked.get(before.key, "b")).toBeUndefined();
  const after = stored(1, "b");
  peeked.set(after);
  expect(peeked.get(before.key, "a")).toBeUndefined();
  expect(peeked.get(before.key, "b")).toBe(after);
});

it("it never grows beyond what is polled at once", () => {
  const peeked = new Peeked();
  for (let n = 1; n <= 501; n++) peeked.set(stored(n, "a"));
  expect(peeked.get(stored(1, "a").key, "a")).toBeUndefined();
  expect(peeked.get(stored(2, "a").key, "a")).toBeDefined();
});
