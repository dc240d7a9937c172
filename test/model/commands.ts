import fc, { type AsyncCommand } from "fast-check";
import { minute, second } from "../../src/shared/backoff.ts";
import type { Reason } from "../../src/shared/catalogue.ts";
import { queueNames } from "../../src/shared/queue.ts";
import { place } from "../kit.ts";
import { settled } from "./scheduler.ts";
import type { Spec, World } from "./world.ts";

/** What may happen. Numbers choose among what there is, so that any list of commands can be carried out, and cut down when it fails. */
type Model = Record<string, never>;
type Command = AsyncCommand<Model, World>;

class Happening implements Command {
  readonly #shown: string;
  readonly #happen: (world: World) => void | Promise<void>;

  constructor(shown: string, happen: (world: World) => void | Promise<void>) {
    this.#shown = shown;
    this.#happen = happen;
  }

  check(): boolean {
    return true;
  }

  async run(_: Model, world: World): Promise<void> {
    await this.#happen(world);
    await settled();
    const [first] = world.judge.violations;
    if (first !== undefined) throw new Error(first);
  }

  toString(): string {
    return this.#shown;
  }
}

const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];
const some = fc.nat(11);
const host = fc.nat(2);

/** Two names that differ only in case are one name; quick and slow, good and bad, kept and not. */
const specs: readonly Spec[] = ["alpha", "Alpha", "beta"].flatMap((name) => [
  { name, runSeconds: 0, exitCode: 0, fails: 0, retries: 0, onConflict: "reject", keep: "never" },
  { name, runSeconds: 5, exitCode: 3, fails: 1, retries: 2, onConflict: "wait", keep: "never" },
  { name, runSeconds: 20, exitCode: 0, fails: 0, retries: 0, onConflict: "wait", keep: "always" },
  { name, runSeconds: 20, exitCode: 3, fails: 9, retries: 0, onConflict: "reject", keep: "failed" },
  { name, runSeconds: 5, exitCode: 0, fails: 0, retries: 0, onConflict: "replace", keep: "never" },
  { name, runSeconds: 5, exitCode: 3, fails: 9, retries: 1, onConflict: "wait", keep: "failed" },
]);
const spec = fc.constantFrom(...specs);

const submit = fc
  .tuple(spec, host)
  .map(
    ([wanted, on]) =>
      new Happening(`submit ${JSON.stringify(wanted)} on ${on}`, (world) => world.submit(wanted, world.host(on))),
  );
const insist = fc
  .tuple(spec, host)
  .map(
    ([wanted, on]) =>
      new Happening(`submit again and again ${JSON.stringify(wanted)} on ${on}`, (world) =>
        world.insist(wanted, world.host(on)),
      ),
  );
const post = spec.map(
  (wanted) => new Happening(`post ${JSON.stringify(wanted)}`, (world) => world.post({ ...wanted, onConflict: "wait" })),
);

/** Calls go on, in any order, code in between. */
const steps = fc.array(fc.nat(5), { minLength: 1, maxLength: 16 }).map(
  (picks) =>
    new Happening(`go ${picks.join(" ")}`, async (world) => {
      for (const n of picks) {
        pick(world.scheduler.pending, n)?.go();
        await settled();
      }
    }),
);

/** The oldest calls go on, one after another: a host at work without disturbance. */
const work = fc.integer({ min: 5, max: 40 }).map(
  (times) =>
    new Happening(`work ${times}`, async (world) => {
      for (let n = 0; n < times; n++) {
        world.scheduler.pending[0]?.go();
        await settled();
      }
    }),
);

const deliver = fc.tuple(some, host).map(
  ([n, on]) =>
    new Happening(`deliver ${n} to ${on}`, (world) => {
      const message = pick(world.messages, n);
      if (message) world.deliver(message, world.host(on));
    }),
);

const later = (ms: number): Happening => new Happening(`advance ${ms}`, (world) => world.advance(ms));
/** Short enough for no call to be given up. */
const passing = fc.integer({ min: 100, max: 3 * second }).map(later);
const advance = fc
  .oneof(
    { weight: 2, arbitrary: fc.integer({ min: 3 * second, max: 70 * second }) },
    { weight: 1, arbitrary: fc.integer({ min: minute, max: 12 * minute }) },
  )
  .map(later);

const tick = host.map((on) => new Happening(`timer on ${on}`, (world) => world.tick(world.host(on))));

const fail = fc.tuple(some, fc.constantFrom("done", "not done", "late")).map(
  ([n, how]) =>
    new Happening(`fail ${n}, ${how}`, (world) => {
      const pending = pick(world.scheduler.pending, n);
      if (pending === undefined || pending.kind === "wait") return;
      if (how === "late") world.lose(pending);
      else pending.fail(how);
    }),
);

const crash = host.map((on) => new Happening(`crash ${on}`, (world) => world.crash(on)));

const duplicate = some.map(
  (n) =>
    new Happening(`duplicate message ${n}`, (world) => {
      const message = pick(world.queue.all, n);
      if (message) world.queue.duplicate(message);
    }),
);

/** A poster's message is the poster's alone until it was seen; ours may be lost at any time. */
const lose = some.map(
  (n) =>
    new Happening(`lose message ${n}`, (world) => {
      const ours = world.queue.all.filter(({ text, takenBy }) => takenBy === undefined && !text.includes("definition"));
      const message = pick(ours, n);
      if (message) world.queue.done(message);
    }),
);

const cancel = fc.tuple(some, host).map(
  ([n, on]) =>
    new Happening(`cancel job ${n} on ${on}`, (world) => {
      const job = pick(world.judge.rows, n);
      if (job) world.cancel(job.id, world.host(on));
    }),
);

const event = some.map(
  (n) =>
    new Happening(`event of group ${n}`, (world) => {
      const group = pick(world.aci.all, n);
      const subject = `/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/${group?.name ?? "other"}`;
      world.queue.send(queueNames.events, JSON.stringify({ subject }));
    }),
);

const others = fc.tuple(fc.constantFrom("vanish", "stop"), some).map(
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

const foreign = fc.tuple(fc.constantFrom("alpha", "beta", "", "", ""), fc.boolean()).map(
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
        place: place.resourceGroup,
        tags,
        exitCode: 0,
        startsAt: now,
        endsAt: now,
        visibleAt: now,
      });
    }),
);

const refuse = fc
  .constantFrom<Reason>("QuotaReached", "NoCapacity", "Throttled", "GroupBusy", "RegistryBusy")
  .map((reason) => new Happening(`refuse the next create: ${reason}`, (world) => void world.aci.refusals.push(reason)));

const strange = fc.constant(
  new Happening("ACI says words never seen before", (world) => void (world.aci.strange += 1)),
);

/** How often what happens, against the others: what a healthy service lives with, and what only the timer may notice. */
const healthy: readonly fc.Arbitrary<Command>[] = [
  ...[submit, insist, post],
  ...[steps, steps, steps, work, work, work, work, work],
  ...[deliver, deliver, deliver, deliver, deliver],
  ...[passing, passing, passing, duplicate, cancel, event, others, strange],
];
const unhealthy: readonly fc.Arbitrary<Command>[] = [
  ...[advance, advance, advance, tick, crash, lose, refuse, foreign, fail, fail],
];

export const commands = fc.commands([...healthy, ...unhealthy], { maxCommands: 60, size: "max" });
export const healthyCommands = fc.commands([...healthy], { maxCommands: 60, size: "max" });
