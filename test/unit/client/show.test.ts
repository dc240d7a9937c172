import { expect, it } from "vitest";
import { aheadOf, progressLine } from "../../../client/show.ts";

const now = Date.parse("2026-11-24T22:00:00Z");

it("a waiting job shows its position and when it is expected to start, a running one when it is expected to end", () => {
  const queue = { position: 3, of: 12, expectedStartAt: "2026-11-24T23:12:30.000Z" };
  const expectedEndAt = "2026-11-25T03:40:00.000Z";
  expect(aheadOf({}, now)).toBe("");
  expect(aheadOf({ queue, expectedEndAt }, now)).toBe("position 3 of 12, expected to start at 23:12 UTC");
  expect(aheadOf({ queue: { position: 3, of: 12 } }, now)).toBe("position 3 of 12");
  expect(aheadOf({ expectedEndAt }, now)).toBe("expected to end at 2026-11-25 03:40 UTC");
  expect(aheadOf({ expectedEndAt, late: true }, now)).toBe("expected to end at 2026-11-25 03:40 UTC, late");
});

it("a line of progress ends with what is to come", () => {
  const status = { id: "1", state: "Queued", message: "Container Group a is waiting: NameBusy." };
  expect(progressLine({ ...status, queue: { position: 1, of: 2 } })).toMatch(/NameBusy\. {2}position 1 of 2$/);
  expect(progressLine(status)).toMatch(/NameBusy\.$/);
});
