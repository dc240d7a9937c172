import { describe, expect, it } from "vitest";
import { teamOfNew, teamsOf } from "../../../src/shared/intake/team.ts";
import { settings } from "../../kit/kit.ts";

const [id, other] = ["11111111-aaaa-bbbb-cccc-000000000001", "11111111-aaaa-bbbb-cccc-000000000002"];
const TEAMS = JSON.stringify({
  a: { callers: [id], factories: ["Adf-A"] },
  b: { callers: [id, other], factories: ["adf-b"], queue: true },
});
const listed = settings({ TEAMS });
const source = (factory: string) => ({ factory, pipeline: "p", pipelineRunId: "r", activity: "x" });
type Asked = Parameters<typeof teamOfNew>[1] & Partial<Parameters<typeof teamOfNew>[0]>;
const ask = ({ via = "http", teams, ...options }: Partial<Asked>, by = listed) =>
  teamOfNew({ via, teams }, { team: undefined, source: undefined, ...options }, by);

describe("whose job it is", () => {
  it.each<[string, Partial<Asked>, string]>([
    ["is what a caller with a key says", { team: "a" }, "a"],
    ["is the team of its data factory, in any letter case", { source: source("ADF-a") }, "a"],
    ["is default where nothing says so", {}, "default"],
    ["is default for a factory that is not listed", { source: source("adf-c") }, "default"],
    ["is what a message says, where the team is open to messages", { via: "queue", team: "b" }, "b"],
    ["is not what a message's factory says of another", { via: "queue", source: source("adf-a") }, "default"],
    ["may be default on the queue", { via: "queue", team: "default" }, "default"],
    ["is the token's first team", { teams: ["a", "b"] }, "a"],
    ["may be any of the token's teams", { teams: ["a", "b"], team: "b" }, "b"],
    ["is the token's, whatever factory is named", { teams: ["b"], source: source("adf-a") }, "b"],
  ])("%s", (_, asked, team) => expect(ask(asked)).toEqual({ ok: true, value: team }));

  it.each<[string, Partial<Asked>, string]>([
    ["a team that is not listed", { team: "c" }, "InvalidOptions"],
    ["a team that is not listed, by token", { teams: ["a"], team: "c" }, "InvalidOptions"],
    ["another team than the token's", { teams: ["a"], team: "b" }, "Forbidden"],
    ["default, by a member of a team", { teams: ["a"], team: "default" }, "Forbidden"],
    ["a team by somebody who is in no team", { teams: ["default"], team: "a" }, "Forbidden"],
    ["a team that is closed to messages", { via: "queue", team: "a" }, "InvalidOptions"],
  ])("%s is refused", (_, asked, code) =>
    expect(ask(asked)).toMatchObject({ ok: false, error: { code, errors: [{ path: "team" }] } }),
  );

  it("is any label, or nothing, where no teams are listed", () => {
    expect(ask({ team: "any" }, settings())).toEqual({ ok: true, value: "any" });
    expect(ask({}, settings())).toEqual({ ok: true, value: undefined });
  });
});

it("a caller belongs to every team that lists one of its ids, and else to default", () => {
  expect(teamsOf([id], listed)).toEqual(["a", "b"]);
  expect(teamsOf(["x", other], listed)).toEqual(["b"]);
  expect(teamsOf(["x"], listed)).toEqual(["default"]);
});
