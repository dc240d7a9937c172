import fc from "fast-check";
import { minute, second } from "../../src/shared/base/duration.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { cancel, cancelMany, insist, pause, post, postAgain, postCancel, prefer } from "./asked.ts";
import { readStatus, rerun, rerunMany, resume, steer, submit } from "./asked.ts";
import { Happening, host, pick, some, type Command } from "./happening.ts";
import { settled } from "./scheduler.ts";
import { crash, duplicate, fail, flap, foreign, lock, lose } from "./trouble.ts";
import { others, refuse, refuseDelete, sealingKey, strange } from "./trouble.ts";

/** The service at work, and the lists of what may happen. */

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

const event = some.map(
  (n) =>
    new Happening(`event of group ${n}`, (world) => {
      const group = pick(world.aci.all, n);
      const subject = `/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/${group?.name ?? "other"}`;
      world.queue.send(queueNames.events, JSON.stringify({ subject }));
    }),
);

/** How often what happens, against the others: what a healthy service lives with, and what only the timer may notice. */
const healthy: readonly fc.Arbitrary<Command>[] = [
  ...[submit, insist, post, rerun],
  ...[steps, steps, steps, work, work, work, work, work],
  ...[deliver, deliver, deliver, deliver, deliver],
  ...[passing, passing, passing, duplicate, cancel, readStatus, readStatus, event, others, strange],
  ...[prefer, prefer, steer, postAgain, postCancel],
];
const unhealthy: readonly fc.Arbitrary<Command>[] = [
  ...[advance, advance, advance, tick, crash, lose, refuse, foreign, fail, fail, pause, resume],
  ...[flap, flap, lock, refuseDelete, cancelMany, rerunMany, sealingKey],
];

export const commands = fc.commands([...healthy, ...unhealthy], { maxCommands: 60, size: "max" });
