import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  childIn,
  childJobId,
  deriveJobId,
  groupName,
  isMinted,
  isUuidLike,
  mintedAt,
  maxChildNumber,
  mintJobId,
  nameKey,
  parseJobId,
  rerunIdOf,
  uniqueGroupName,
} from "../../../src/shared/base/ids.ts";
import { afterDays, arrayPartition, dayPartition, keyOfMinted } from "../../../src/shared/store/job-row.ts";
import { jobId, start } from "../../kit/kit.ts";

const moment = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const words = fc.array(fc.stringMatching(/^[a-z0-9]{1,9}$/), { minLength: 1, maxLength: 12 });
const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe("an id that we mint", () => {
  it("is a UUID of version 7 that carries its time and that we know again", () => {
    fc.assert(
      fc.property(moment, bytes, (now, random) => {
        const id = mintJobId(now, random);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(mintedAt(id)).toBe(now);
        expect(isMinted(id)).toBe(true);
        expect(parseJobId(id)).toBe(id);
      }),
    );
  });

  it("sorts by time", () => {
    expect([jobId(1, start + 2), jobId(2, start), jobId(3, start + 1)].sort()).toEqual([
      jobId(2, start),
      jobId(3, start + 1),
      jobId(1, start + 2),
    ]);
  });

  it("differs by its random bytes", () => {
    expect(jobId(1)).not.toBe(jobId(2));
  });

  it("carries the key of its row, so that the row is one point read away", () => {
    expect(keyOfMinted(jobId())?.rowKey).toContain(jobId());
  });
});

describe("the id of an array's child", () => {
  const number = fc.integer({ min: 0, max: maxChildNumber });

  it("is a UUID of version 8 that follows from its array and number, and says both", () => {
    fc.assert(
      fc.property(moment, bytes, number, (now, random, n) => {
        const array = mintJobId(now, random);
        const id = childJobId(array, now, n);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(childJobId(array, now, n)).toBe(id);
        expect(childIn(id)).toMatchObject({ arrayAt: now, number: n });
        expect(isMinted(id)).toBe(true);
      }),
    );
  });

  it("leads to its row in the partition of its array, which no day has", () => {
    const array = jobId();
    const id = childJobId(array, start, 7);
    expect(keyOfMinted(id)).toEqual({ partitionKey: arrayPartition(array, start), rowKey: `000007-${id}` });
    expect(arrayPartition(array, start) > afterDays).toBe(true);
    expect(dayPartition(start) < afterDays).toBe(true);
  });

  it("is neither that of a job nor of a rerun", () => {
    fc.assert(
      fc.property(moment, bytes, (now, random) => {
        const id = mintJobId(now, random);
        expect(childIn(id)).toBeUndefined();
        expect(childIn(rerunIdOf(id, "secret"))).toBeUndefined();
      }),
    );
  });
});

describe("other people's ids", () => {
  it("are UUIDs of any version and letter case", () => {
    const text = "6F9619FF-8B86-D011-B42D-00C04FC964FF";
    expect(parseJobId(` ${text} `)).toBe(text.toLowerCase());
    expect(isUuidLike(text)).toBe(true);
  });

  it.each([
    "",
    "bellaciao",
    "6f9619ff-8b86-d011-b42d-00c04fc964f",
    "6f9619ff8b86d011b42d00c04fc964ff",
    "6f9619ff-8b86-d011-b42d-00c04fc964fg",
  ])("%j is no id", (text) => expect(parseJobId(text)).toBeUndefined());

  it("are not taken for ours, whatever their version", () => {
    for (const text of ["6f9619ff-8b86-4011-b42d-00c04fc964ff", "0199d3a4-1f2e-7abc-8def-0123456789ab"]) {
      const id = parseJobId(text);
      expect(id !== undefined && isMinted(id)).toBe(false);
    }
  });
});

describe("the id of a message without one", () => {
  it("is the same at every delivery", () => {
    expect(deriveJobId(start, "message-1")).toBe(deriveJobId(start, "message-1"));
  });

  it("differs from message to message", () => {
    expect(deriveJobId(start, "message-1")).not.toBe(deriveJobId(start, "message-2"));
    expect(isMinted(deriveJobId(start, "message-1"))).toBe(true);
  });
});

describe("names", () => {
  it("are compared without regard to case", () => {
    expect(nameKey("BellaCiao")).toBe(nameKey("bellaciao"));
  });

  it("with uniqueName stay names that ACI takes, and differ by job", () => {
    fc.assert(
      fc.property(words, (parts) => {
        const name = groupName(parts.join("-").slice(0, 63).replace(/-$/, ""));
        const unique = uniqueGroupName(name, jobId(1));
        expect(unique).toMatch(/^(?!.*--)[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/);
        expect(unique).not.toBe(uniqueGroupName(name, jobId(2)));
      }),
    );
  });
});
