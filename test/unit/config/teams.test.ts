import { expect, it } from "vitest";
import { parseSettings } from "../../../src/shared/config/settings.ts";
import { readTeams } from "../../../src/shared/config/teams.ts";
import { settings } from "../../kit/kit.ts";

const id = "11111111-AAAA-bbbb-cccc-000000000001";
const read = (teams: unknown) => readTeams(typeof teams === "string" ? teams : JSON.stringify(teams));

it("TEAMS is read with its defaults, names and ids in lower case", () => {
  expect(read({ Data: { callers: [id], factories: [" Adf-Prod "], queue: true, limit: 5 }, "b.1_x-y": {} })).toEqual([
    {
      name: "data",
      callers: [id.toLowerCase()],
      factories: ["adf-prod"],
      queue: true,
      weight: 1,
      limit: 5,
      vcpuSecondsPerDay: undefined,
    },
    {
      name: "b.1_x-y",
      callers: [],
      factories: [],
      queue: false,
      weight: 1,
      limit: undefined,
      vcpuSecondsPerDay: undefined,
    },
  ]);
});

it.each<[unknown, string]>([
  ["hunter2", "must be a JSON object"],
  ["[]", "must be a JSON object"],
  [{}, "must name a team"],
  [{ a: 5 }, "a must be an object of callers, factories"],
  [{ "a b": {} }, "name 1 must be 1 to 64 letters, digits and . _ -"],
  ['{"a": {}, "__proto__": {}}', "name 2 must be 1 to 64 letters"],
  [{ constructor: {} }, "name 1 must be 1 to 64 letters"],
  [{ a: { wieght: 2 } }, "a has a member that is not known; known are callers"],
  [{ a: { weight: 0 } }, "a.weight must be a number from 0.001 to 1000"],
  [{ a: { weight: -1 } }, "a.weight must be a number from 0.001 to 1000"],
  [{ a: { weight: 1e-320 } }, "a.weight must be a number from 0.001 to 1000"],
  [{ a: { weight: 1e9 } }, "a.weight must be a number from 0.001 to 1000"],
  [{ a: { weight: "2" } }, "a.weight must be a number from 0.001 to 1000"],
  [{ a: { limit: 0 } }, "a.limit must be a whole number from 1"],
  [{ a: { limit: 1.5 } }, "a.limit must be a whole number from 1"],
  [{ a: { vcpuSecondsPerDay: 0 } }, "a.vcpuSecondsPerDay must be a whole number from 1"],
  [{ a: { callers: ["me"] } }, "a.callers must be a list of ids (UUIDs)"],
  [{ a: { callers: id } }, "a.callers must be a list of ids (UUIDs)"],
  [{ a: { factories: [""] } }, "a.factories must be a list of names"],
  [{ a: { queue: "true" } }, "a.queue must be true or false"],
  ['{"a": {"limit": 1}, "a": {"limit": 2}}', "must not have one name twice"],
  ['{"b": {"factories": ["a", "a"]}, "a": {"limit": 1, "\\u006cimit": 2}}', "must not have one name twice"],
  [{ Data: {}, data: {} }, "names data twice; case does not count"],
  [{ a: { factories: ["f"] }, b: { factories: ["F"] } }, "gives one factory to two teams"],
  [Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`t${n}`, {}])), "must name at most 50 teams"],
])("%j is a fault: %s", (teams, fault) => {
  expect(read(teams)).toEqual({ fault: expect.stringContaining(fault) as unknown });
});

it("all faults of TEAMS are reported at once, and its values never", () => {
  const TEAMS = JSON.stringify({ a: { weight: 0, limit: 0, secret: "hunter2" }, b: { callers: ["hunter2"] } });
  const [fault, ...more] = settings({ TEAMS }).faults;
  expect(more).toEqual([]);
  for (const part of ["TEAMS a.weight", "a.limit", "a has a member", "b.callers"]) expect(fault).toContain(part);
  expect(fault).not.toContain("hunter2");
});

it("teams guard with AUTH_MODE=entra alone, also while TEAMS has faults", () => {
  const guarded = (environment: Record<string, string>): boolean => parseSettings(environment).teamsGuard;
  expect(guarded({ TEAMS: '{"a": {}}' })).toBe(false);
  expect(guarded({ AUTH_MODE: "entra" })).toBe(false);
  expect(guarded({ AUTH_MODE: "entra", TEAMS: '{"a": {}}' })).toBe(true);
  expect(guarded({ AUTH_MODE: "entra", TEAMS: "hunter2" })).toBe(true);
});
