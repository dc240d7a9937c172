import fc from "fast-check";
import { defined } from "../../src/shared/base/defined.ts";
import { parseJobId } from "../../src/shared/base/ids.ts";
import { Happening, host, pick, some } from "./happening.ts";
import { giveBack, type Steering } from "./callers.ts";
import { specs, type Spec, type SpecOptions } from "./specs.ts";

/** What callers, posters and operators do. */
const grouped = specs.filter(({ options }) => options.group !== undefined);
const arrays = specs.filter(({ options }) => options.array !== undefined);
/** Jobs of one group meet often enough to stand in each other's way. */
const anySpec = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...specs) },
  { weight: 1, arbitrary: fc.constantFrom(...grouped) },
  { weight: 1, arbitrary: fc.constantFrom(...arrays) },
);
/** Without teams in the settings it is a label. */
const team = fc.constantFrom<SpecOptions["team"]>(undefined, undefined, "etl", "etl", "ml_lab", "web");
const spec = fc
  .tuple(anySpec, team)
  .map(([plain, named]): Spec => ({ ...plain, options: { ...plain.options, ...defined({ team: named }) } }));

export const submit = fc
  .tuple(spec, host)
  .map(
    ([wanted, on]) =>
      new Happening(`submit ${JSON.stringify(wanted)} on ${on}`, (world) =>
        world.callers.submit(wanted, world.host(on)),
      ),
  );

export const insist = fc
  .tuple(spec, host)
  .map(
    ([wanted, on]) =>
      new Happening(`submit again and again ${JSON.stringify(wanted)} on ${on}`, (world) =>
        world.callers.insist(wanted, world.host(on)),
      ),
  );

/** Half of the posters choose an id, and some have a key in common. */
export const post = fc
  .tuple(spec, fc.option(fc.uuid({ version: 4 })), fc.constantFrom(undefined, undefined, undefined, "a key"))
  .map(
    ([wanted, uuid, key]) =>
      new Happening(`post ${JSON.stringify(wanted)} as ${String(uuid)} with ${String(key)}`, (world) =>
        world.callers.post(wanted, { id: uuid === null ? undefined : parseJobId(uuid), key }),
      ),
  );

/** A known id is never run again. Of two messages of one moment under one id nobody can tell which is the job's. */
export const postAgain = fc.tuple(spec, some).map(
  ([wanted, n]) =>
    new Happening(`post ${JSON.stringify(wanted)} under the id of post ${n}`, (world) => {
      const id = pick(world.judge.postedIds, n);
      if (id !== undefined && world.now > (world.judge.postedAt(id) ?? 0)) world.callers.post(wanted, { id });
    }),
);

export const postCancel = some.map(
  (n) =>
    new Happening(`post a cancel of ${n}`, (world) => {
      const id = pick(world.judge.postedIds, n);
      if (id !== undefined) world.callers.postCancel(id);
    }),
);

export const cancel = fc.tuple(some, host).map(
  ([n, on]) =>
    new Happening(`cancel job ${n} on ${on}`, (world) => {
      const job = pick(world.judge.rows, n);
      if (job) world.callers.cancel(job.id, world.host(on));
    }),
);

export const rerun = fc.tuple(some, host).map(
  ([n, on]) =>
    new Happening(`rerun job ${n} on ${on}`, (world) => {
      const job = pick(world.judge.rows, n);
      if (job) world.callers.rerun(job.id, world.host(on));
    }),
);

/** A caller that polls, as long as it likes to. */
export const readStatus = fc.tuple(some, host).map(
  ([n, on]) =>
    new Happening(`read the Location of job ${n} on ${on}`, (world) => {
      const leased = world.judge.rows.filter(({ options }) => options.lease !== undefined);
      const job = pick(leased, n);
      if (job) world.callers.read(job.id, world.host(on));
    }),
);

export const pause = host.map((on) => new Happening(`pause on ${on}`, (world) => world.callers.pause(world.host(on))));
export const resume = host.map(
  (on) => new Happening(`resume on ${on}`, (world) => world.callers.resume(world.host(on))),
);

/** For a person at night: a job that waits gets another place. */
export const prefer = fc.tuple(some, fc.constantFrom(-3600, 0, 600, 3600), host).map(
  ([n, priority, on]) =>
    new Happening(`priority ${priority} for job ${n} on ${on}`, (world) => {
      const job = pick(world.judge.rows, n);
      if (job) world.callers.prefer(job.id, priority, world.host(on));
    }),
);

/** What an operator says of a group holds until all is well. */
export const steer = fc
  .tuple(
    fc.constantFrom("narrow", "wide"),
    fc.constantFrom<Steering>({ limit: 1 }, { limit: 3 }, { paused: true }, giveBack),
    host,
  )
  .map(
    ([group, said, on]) =>
      new Happening(`operator says ${JSON.stringify(said)} of ${group} on ${on}`, (world) =>
        world.callers.steer(group, said, world.host(on)),
      ),
  );

export const cancelMany = fc
  .tuple(fc.constantFrom({ name: "alpha" }, { group: "narrow" }, { state: "active" }, { state: "Queued" }), host)
  .map(
    ([which, on]) =>
      new Happening(`cancel all with ${JSON.stringify(which)} on ${on}`, (world) =>
        world.callers.cancelMany(which, world.host(on)),
      ),
  );

export const rerunMany = fc
  .tuple(fc.constantFrom({ name: "alpha" }, { group: "narrow" }, { state: "Failed" }), host)
  .map(
    ([which, on]) =>
      new Happening(`run again all with ${JSON.stringify(which)} on ${on}`, (world) =>
        world.callers.rerunMany(which, world.host(on)),
      ),
  );
