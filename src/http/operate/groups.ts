import { z } from "zod";
import { inParallel } from "../../shared/base/in-parallel.ts";
import { err, indexLost, ok, type Result } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import { requeueCalled } from "../../shared/intake/group-slot.ts";
import { readGroup } from "../../shared/job/option-readers.ts";
import { maxGroupLimit } from "../../shared/job/options.ts";
import { steeringTag } from "../../shared/limits/groups.ts";
import { audit } from "../lib/audit.ts";
import { isoTime } from "../lib/job-reply.ts";
import { readJson } from "../lib/json-body.ts";
import { continuation, readQuery } from "../lib/query.ts";
import { VisibleJobs } from "../lib/visible.ts";
import { noSuchPage, PageEnds } from "../jobs/paging.ts";
import { faulty, handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";
import { maxCall } from "./max-call.ts";

/** `GET /api/groups`, `GET` and `PUT /api/groups/{group}`: groups of jobs, their slots, and what an operator says of them. */
type GroupDeps = Pick<Deps, "groups" | "jobs" | "queues" | "control" | "now" | "log" | "settings" | "randomBytes">;

export const groupsParameters = { continuation: continuation("Where the page before ended.") };

const mustBeLimit = `must be a whole number from 1 to ${maxGroupLimit}, or null`;
export const groupBody = z.object({
  limit: z.int(mustBeLimit).min(1, mustBeLimit).max(maxGroupLimit, mustBeLimit).nullable().optional(),
  paused: z.boolean("must be true, false or null").nullable().optional(),
});

const pageSize = 50;
/** How many slots, and jobs that wait, a list shows of each group, and how many a group of its own. */
const shownInList = 20;
const shownAlone = 1000;
const width = 8;

export function listGroups({ groups, jobs, log, settings, now, control, randomBytes }: GroupDeps) {
  return handler(log, async (request, context) => {
    const visible = new VisibleJobs(jobs, context);
    const asked = readQuery(request.query, groupsParameters, settings, now());
    if (!asked.ok) return refuse(asked.error, context);
    const { continuation } = asked.value;
    // The last group of a page may be another team's.
    const ends = await PageEnds.of({ control, randomBytes }, " of groups");
    const after = continuation === undefined ? undefined : ends.open(continuation);
    if (continuation !== undefined && after === undefined) return refuse(noSuchPage(), context);
    const names = await groups.list(after, pageSize);
    const shown = new Map<string, Reply<"Group">>();
    const show = async (group: string): Promise<void> => {
      shown.set(group, (await shownGroup(groups, visible, group, shownInList)).reply);
    };
    const errors: unknown[] = [];
    const failed = (_group: string, error: unknown): void => void errors.push(error);
    await inParallel(names, show, { width, until: Infinity, now, failed });
    if (errors.length > 0) throw errors[0];
    const last = names.length < pageSize ? undefined : names.at(-1);
    const reply: Reply<"Groups"> = {
      groups: names.flatMap((name) => shown.get(name) ?? []).filter((group) => visible.seesAll || isOwn(group)),
      ...(last === undefined ? {} : { continuation: ends.seal(last) }),
    };
    return json(200, reply);
  });
}

export function getGroup({ groups, jobs, log }: GroupDeps) {
  return handler(log, async (request, context) => {
    const group = groupIn(request.params);
    if (!group.ok) return refuse(group.error, context);
    const { reply, tag } = await shownGroup(groups, new VisibleJobs(jobs, context), group.value, shownAlone);
    return json(200, reply, { etag: tag });
  });
}

export function putGroup(deps: GroupDeps) {
  const { groups, log, now, control } = deps;
  return handler(log, async (request, context) => {
    const group = groupIn(request.params);
    if (!group.ok) return refuse(group.error, context);
    const body = await readJson(request, groupBody);
    if (!body.ok) return refuse(body.error, context);
    const { limit, paused } = body.value;
    if (limit === undefined && paused === undefined)
      return refuse({ code: "InvalidRequest", message: "Say limit or paused; null gives it back." }, context);
    await control.installation();
    const until = now() + maxCall;
    const expected = request.headers.get("if-match") ?? undefined;
    const done = await groups.steer(group.value, body.value, expected === "*" ? undefined : expected);
    if (done === "no index") return refuse(indexLost, context);
    if (done === "other") {
      const message = "Somebody changed the group since it was read: read it again.";
      return refuse({ code: "VersionChanged", message }, context);
    }
    const called = await groups.callUp(group.value, until);
    await requeueCalled(deps, called);
    audit(log, context, "group", {
      groups: group.value,
      limit: limit ?? undefined,
      paused: paused ?? undefined,
      called: called.length,
    });
    const { reply, tag } = await shownGroup(groups, new VisibleJobs(deps.jobs, context), group.value, shownAlone);
    return json(200, reply, { etag: tag });
  });
}

/**
 * The rest of the path. A host may leave its slashes encoded, and callers encode twice what a URL can't have as its own: parts that are
 * empty, `.` or `..`. No name has a `%`.
 */
function groupIn({ group = "" }: Readonly<Record<string, string>>): Result<string> {
  const name = readGroup(group.replaceAll(/%(2f|2e|3a)/gi, decodeURIComponent));
  return name.ok ? ok(name.value) : err(faulty("group", name.error));
}

/** A group without any job of the caller's is another team's business. */
function isOwn({ slots, waiting }: Reply<"Group">): boolean {
  return slots.length + waiting.length > 0;
}

/** The numbers of the whole group, and the first of its jobs that the caller sees. */
async function shownGroup(
  groups: Deps["groups"],
  visible: VisibleJobs,
  group: string,
  max: number,
): Promise<{ readonly reply: Reply<"Group">; readonly tag: string }> {
  // Other teams' jobs may stand before the caller's.
  const read = visible.seesAll ? max : shownAlone;
  const [{ entry, queue }, slots] = await Promise.all([groups.view(group, read + 1), groups.slots(group, read)]);
  const [ownSlots, ownQueue] = [
    slots.filter((slot) => visible.shows(slot)),
    queue.filter((each) => visible.shows(each)),
  ];
  const reply: Reply<"Group"> = {
    group,
    held: entry?.held ?? 0,
    limit: entry?.limit ?? null,
    paused: entry?.paused ?? false,
    slots: ownSlots.slice(0, max).map(({ id, name, since, leaked }) => ({
      id,
      name,
      since: isoTime(since),
      ...(leaked ? { leaked } : {}),
    })),
    waiting: ownQueue.slice(0, max).map(({ id, name, turn, limit }) => ({
      id,
      name,
      since: isoTime(turn),
      ...(limit === Infinity ? {} : { limit }),
    })),
    more: ownSlots.length >= max || ownQueue.length >= max || slots.length === read || queue.length === read,
  };
  return { reply, tag: steeringTag(entry) };
}
