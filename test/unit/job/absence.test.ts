import { expect, it } from "vitest";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { absenceProof, absentAgain, type Absence } from "../../../src/shared/job/absence.ts";

const rules = { absenceTime: 3 * minute };

/** The seconds at which the group is observed until its absence is proved; `late` is added before the observation of that number. */
function observations(late: Readonly<Record<number, number>> = {}): readonly number[] {
  const times: number[] = [];
  let absence: Absence = {};
  let now = 0;
  for (let number = 1; number < 20; number++) {
    now += (late[number] ?? 0) * second;
    times.push(now / second);
    absence = absentAgain(absence, now);
    const proof = absenceProof(absence, "nothing", now, rules);
    if (proof.proved) return times;
    now = proof.nextAt;
  }
  throw new Error("It is never proved.");
}

it("an absence is proved by observations at 5, 15, 35, 75 and 180 seconds", () => {
  expect(observations()).toEqual([0, 5, 15, 35, 75, 180]);
});

it("observations after a late one keep their distance, so that one blink of ARM proves nothing", () => {
  expect(observations({ 2: 600 })).toEqual([0, 605, 615, 635, 675]);
  expect(observations({ 4: 600 })).toEqual([0, 5, 15, 635, 675]);
});
