import { minute, second } from "../../src/shared/base/duration.ts";
import { giveBack } from "./callers.ts";
import { settled } from "./scheduler.ts";
import type { World } from "./world.ts";

/** After this time an operator who paused the service resumes it. */
const pauseTime = 20 * minute;
const maxSteps = 100_000;

/** Nothing goes wrong any more: everything must come to its end. */
export async function finish(world: World): Promise<void> {
  const { judge, scheduler, callers } = world;
  judge.quiet();
  world.ring.isAway = false;
  let resumeAt = Infinity;
  let lastTick = -Infinity;
  let isSteered = true;
  for (let steps = 0; steps < maxSteps; steps++) {
    const [pending] = scheduler.pending;
    if (pending) {
      pending.go();
      await settled();
      continue;
    }
    await settled();
    if (scheduler.pending.length > 0) continue;
    if (isSteered) for (const group of ["narrow", "wide"]) callers.steer(group, giveBack, world.host(0));
    isSteered = false;
    const [message] = world.messages;
    if (message) {
      world.deliver(message, world.host(steps));
      await settled();
      continue;
    }
    const { unanswered } = callers;
    if (unanswered.length > 0) {
      await world.advance(10 * second);
      // What a dead host reserved for such a caller the timer gives back.
      if (world.now >= lastTick + minute) {
        lastTick = world.now;
        world.tick(world.host(steps));
      }
      for (const caller of unanswered) callers.again(caller, world.host(steps));
      await settled();
      continue;
    }
    if (judge.allDone()) return;
    if (judge.paused && resumeAt === Infinity) resumeAt = world.now + pauseTime;
    // A timer comes once a minute, whatever its last run left undone.
    const tick = Math.max(nextTick(world), lastTick + minute);
    const next = Math.min(nextMessage(world), tick, world.nextLanding, resumeAt);
    if (next === Infinity) break;
    await world.advance(Math.max(1, next - world.now));
    if (world.now >= tick) {
      lastTick = world.now;
      world.tick(world.host(steps));
    }
    if (world.now >= resumeAt) {
      resumeAt = Infinity;
      callers.resume(world.host(steps));
    }
    await settled();
  }
  judge.violated(`did not end: ${judge.unfinished()}`);
}

function nextMessage(world: World): number {
  const free = world.queue.all.filter((message) => message.takenBy === undefined && world.comes(message));
  return Math.min(...free.map(({ visibleAt }) => visibleAt));
}

/** The next minute in which the timer finds something to do, or a call may bring it on. */
function nextTick(world: World): number {
  const due = world.judge.nextCheck();
  return due === Infinity ? Infinity : Math.max(Math.ceil(due / minute) * minute, world.now);
}
