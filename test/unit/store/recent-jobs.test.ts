import { expect, it } from "vitest";
import { jobKey } from "../../../src/shared/store/job-row.ts";
import type { Stored } from "../../../src/shared/store/jobs.ts";
import { Peeked } from "../../../src/shared/store/peeked.ts";
import { job, jobId, start } from "../../kit/kit.ts";

function stored(n: number, etag: string): Stored {
  const id = jobId(n, start + n);
  return {
    job: { ...job(), id },
    sealed: { definition: undefined, callbacks: undefined },
    kept: {},
    key: jobKey(id, start + n),
    etag,
  };
}

it("what was read last is what is known", () => {
  const peeked = new Peeked();
  const [before, after] = [stored(1, "a"), stored(1, "b")];
  peeked.set(before);
  expect(peeked.get(before.job.id)).toBe(before);
  peeked.set(after);
  expect(peeked.get(before.job.id)).toBe(after);
});

it("it never grows beyond what is polled at once", () => {
  const peeked = new Peeked();
  for (let n = 1; n <= 501; n++) peeked.set(stored(n, "a"));
  expect(peeked.get(jobId(1, start + 1))).toBeUndefined();
  expect(peeked.get(jobId(2, start + 2))).toBeDefined();
});
