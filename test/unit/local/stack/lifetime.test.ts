import { expect, test } from "vitest";
import { aboveUs } from "../../../../local/stack/lifetime.ts";

const system = (processes: Readonly<Record<number, string>>) => (pid: number) => processes[pid];

test("npm that is our parent may lose the script that started it: npm start & outlives that", () => {
  const before = aboveUs(20, system({ 20: "20 (npm start -- --p) S 10 20 10 0 -1" }));
  const after = aboveUs(20, system({ 20: "20 (npm start -- --p) S 1 20 10 0 -1" }));
  expect(after).toBe(before);
  expect(aboveUs(1, system({ 1: "1 (init) S 0 1 1 0 -1" }))).not.toBe(before);
});

test("where a shell stands between npm and us, the end of either is seen", () => {
  const before = aboveUs(30, system({ 30: "30 (sh) S 20 20 10 0 -1" }));
  expect(aboveUs(30, system({ 30: "30 (sh) S 1 20 10 0 -1" }))).not.toBe(before);
  expect(aboveUs(1, system({ 1: "1 (sh) S 0 1 1 0 -1" }))).not.toBe(before);
});

test("where the system does not say, our parent alone counts", () => {
  expect(aboveUs(20, system({}))).toBe(aboveUs(20, system({})));
  expect(aboveUs(1, system({}))).not.toBe(aboveUs(20, system({})));
});
