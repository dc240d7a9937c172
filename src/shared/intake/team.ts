import type { Settings } from "../config/settings.ts";
import { defaultTeam, teamNamed } from "../config/teams.ts";
import type { Job } from "../job/job.ts";
import { optionFaults, type Found } from "../job/judgement.ts";
import type { JobOptions } from "../job/options.ts";
import { err, ok, type Result } from "../base/errors.ts";
import { member, type JsonObject } from "../base/json.ts";

/** Whose job it is. Pure. */
type TeamSettings = Pick<Settings, "teams" | "teamsGuard">;

/**
 * The team of a new job; `undefined` where no team is listed or named. With teams that guard, a caller's token says which it may
 * name, and the first of them is meant where it names no team. Neither a factory nor a message says more than the operator lets it.
 */
export function teamOfNew(
  { via, teams: own }: { readonly via: Job["via"]; readonly teams?: readonly string[] | undefined },
  { team: named, source }: Pick<JobOptions, "team" | "source">,
  { teams, teamsGuard }: TeamSettings,
): Result<string | undefined, Found> {
  if (teams.length === 0 && !teamsGuard) return ok(named);
  const listed = teams.filter(({ queue }) => via !== "queue" || queue);
  if (named !== undefined && named !== defaultTeam && !listed.some(({ name }) => name === named)) {
    const isListed = teams.some(({ name }) => name === named);
    return err(
      teamFault(isListed ? "TEAMS opens this team to no message (queue: true)." : "TEAMS lists no such team."),
    );
  }
  if (own !== undefined) {
    if (named === undefined || own.includes(named)) return ok(named ?? own[0] ?? defaultTeam);
    return err({
      ...teamFault("The caller's token does not belong to this team."),
      code: "Forbidden",
      what: "Forbidden",
    });
  }
  const factory = source?.factory.toLowerCase() ?? "";
  return ok(named ?? listed.find(({ factories }) => factories.includes(factory))?.name ?? defaultTeam);
}

/** Whose the row of a refused message is: of the team that it names, if it may. */
export function teamOfRefused(options: JsonObject, settings: TeamSettings): string | undefined {
  const given = member(options, "team")?.value;
  const named = typeof given === "string" ? teamNamed(given) : undefined;
  const team = teamOfNew({ via: "queue" }, { team: named, source: undefined }, settings);
  return team.ok ? team.value : undefined;
}

function teamFault(message: string): Found {
  return optionFaults([{ path: "team", line: 1, column: 1, message }]);
}

/** The teams of a caller with these ids; `default` for one that is in no team. */
export function teamsOf(ids: readonly string[], { teams }: Pick<Settings, "teams">): readonly string[] {
  const own = teams.filter(({ callers }) => callers.some((caller) => ids.includes(caller))).map(({ name }) => name);
  return own.length === 0 ? [defaultTeam] : own;
}

/** A job from before there were teams belongs to `default`. */
export function teamOf({ options }: Pick<Job, "options">): string {
  return options.team ?? defaultTeam;
}

/** With teams the queue is a domain of its own: a message cancels only what a message brought. */
export function isOpenToMessages({ via }: Pick<Job, "via">, { teams, teamsGuard }: TeamSettings): boolean {
  return via === "queue" || (teams.length === 0 && !teamsGuard);
}

/** Whether one job may act on another's, or be answered with it. */
export function areOneTeam(
  one: Pick<Job, "options">,
  other: Pick<Job, "options">,
  { teamsGuard }: TeamSettings,
): boolean {
  return !teamsGuard || teamOf(one) === teamOf(other);
}
