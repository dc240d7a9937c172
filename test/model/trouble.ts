import fc from "fast-check";
import { minute } from "../../src/shared/base/duration.ts";
import { endingOf, type Job } from "../../src/shared/job/job.ts";
import type { Reason } from "../../src/shared/job/reasons.ts";
import { target } from "../kit/kit.ts";
import { maxFlapping, type Refusal } from "./container-instances.ts";
import { Happening, host, pick, some } from "./happening.ts";

/** What goes wrong: calls, processes, messages, and what others do to container groups. */
export const fail = fc.tuple(some, fc.constantFrom("done", "not done", "late")).map(
  ([n, how]) =>
    new Happening(`fail ${n}, ${how}`, (world) => {
      const pending = pick(world.scheduler.pending, n);
      if (pending === undefined || pending.kind === "wait") return;
      if (how === "late") world.lose(pending);
      else pending.fail(how);
    }),
);

export const crash = host.map((on) => new Happening(`crash ${on}`, (world) => world.crash(on)));

export const duplicate = some.map(
  (n) =>
    new Happening(`duplicate message ${n}`, (world) => {
      const message = pick(world.queue.all, n);
      if (message) world.queue.duplicate(message);
    }),
);

/** A poster's message is the poster's alone until it was seen; ours may be lost at any time. */
export const lose = some.map(
  (n) =>
    new Happening(`lose message ${n}`, (world) => {
      const ours = world.queue.all.filter(
        ({ text, takenBy }) => takenBy === undefined && !text.includes("definition") && !text.includes("parcel"),
      );
      const message = pick(ours, n);
      if (message) world.queue.done(message);
    }),
);

export const others = fc.tuple(fc.constantFrom("vanish", "stop"), some).map(
  ([what, n]) =>
    new Happening(`somebody else lets group ${n} ${what}`, (world) => {
      const group = pick(
        world.aci.all.filter(({ tags }) => Object.keys(tags).length > 0),
        n,
      );
      if (group === undefined || group.tags["aciproxy-installation"] === "another") return;
      world.judge.interferedWith(group);
      if (what === "vanish") world.aci.vanish(group);
      else group.stoppedAt ??= world.now;
    }),
);

export const foreign = fc.tuple(fc.constantFrom("alpha", "beta", "", "", ""), fc.boolean()).map(
  ([name, tagged]) =>
    new Happening(`somebody else's group ${name}`, (world) => {
      if (name === "") return;
      if (world.aci.all.some((group) => group.name.toLowerCase() === name)) return;
      // Nobody can tell a group that comes between a look and the create that follows it.
      if (world.scheduler.pending.length > 0 || world.landing) return;
      if (world.judge.rows.some(({ phase, groupName }) => groupName.toLowerCase() === name && phase.state !== "Queued"))
        return;
      world.judge.foreign(name);
      const tags = tagged ? { "aciproxy-installation": "another", "aciproxy-job": "x" } : {};
      const { now } = world;
      world.aci.add({
        name,
        place: target.resourceGroup,
        tags,
        containers: [],
        startsAt: now,
        visibleAt: now,
      });
    }),
);

const refusals: readonly Refusal[] = [
  ...(["QuotaReached", "NoCapacity", "Throttled", "GroupBusy", "RegistryBusy"] as const),
  ...(["PolicyDenied", "InaccessibleImage", "NotAuthorized"] as const),
]
  .map((reason): Refusal => ({ kind: "refused", reason, azure: undefined, retryAfter: undefined }))
  .concat({ kind: "failed", reason: "ArmUnavailable", azure: undefined, retryAfter: undefined, doubtful: true });

export const refuse = fc
  .tuple(fc.constantFrom(...refusals), fc.constantFrom(1, 1, 4))
  .map(
    ([refusal, times]) =>
      new Happening(
        `refuse the next ${times} creates: ${refusal.kind} ${refusal.reason}`,
        (world) => void world.aci.refusals.push(...Array.from({ length: times }, () => refusal)),
      ),
  );

export const refuseDelete = fc
  .constantFrom<Reason>("GroupBusy", "Throttled", "NotAuthorized")
  .map(
    (reason) =>
      new Happening(`refuse the next delete: ${reason}`, (world) => void world.aci.deleteRefusals.push(reason)),
  );

export const lock = fc.tuple(some, fc.constantFrom(3 * minute, 40 * minute), fc.boolean()).map(
  ([n, time, whole]) =>
    new Happening(`lock group ${n} for ${time}${whole ? ", against a stop too" : ""}`, (world) => {
      const group = pick(world.judge.groups, n);
      if (group === undefined || group.lockedUntil !== undefined) return;
      group.lockedUntil = world.now + time;
      group.lockedWhole = whole;
    }),
);

/** Reads lose sight of a group that was seen, once, for less time than proves its absence. */
export const flap = some.map(
  (n) =>
    new Happening(`reads lose sight of group ${n} now and then`, (world) => {
      const group = pick(world.judge.groups, n);
      if (group === undefined || group.flapsUntil !== undefined || world.now < group.visibleAt) return;
      const job = world.judge.jobOf(group);
      if (job === undefined || isMissed(job) || isDoubted(job)) return;
      group.flapsUntil = world.now + maxFlapping;
    }),
);

/** Azure answered its create with a failure of its own: two absences, ten seconds apart, prove that nothing was made. */
const isDoubted = ({ phase }: Job): boolean => phase.state === "Provisioning" && phase.answered === true;

/** Its group was absent when it was looked for last: together with a flapping view that could prove what is not so. */
function isMissed({ phase }: Job): boolean {
  const ending = endingOf(phase);
  return ("absentAt" in phase && phase.absentAt !== undefined) || ending?.absentAt !== undefined;
}

export const strange = fc.constant(
  new Happening("ACI says words never seen before", (world) => void (world.aci.strange += 1)),
);

/** While it is away hosts go on with the data keys that they have. */
export const sealingKey = fc
  .boolean()
  .map(
    (isAway) =>
      new Happening(`the sealing key is ${isAway ? "away" : "back"}`, (world) => void (world.ring.isAway = isAway)),
  );
