import { expect, it } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { settled } from "../model/scheduler.ts";
import { World } from "../model/world.ts";

/**
 * A host that dies in the middle of its work holds its messages for ten minutes, and its lock of the timer for one ("Functions host":
 * the lease of a queue message, the lease of a timer's listener). Its jobs go on within 90 s.
 */
const promised = 90 * second;
const timerLock = minute;

interface Life {
  /** Calls to storage and ARM, until the job was done with. */
  readonly calls: number;
  /** From the death of the host to the job's next change, if it had one to come. */
  readonly silence: number | undefined;
}

/** One job's life on one host, which dies at the n-th call and is back at once. */
async function live(dieAt: number): Promise<Life> {
  const world = new World(7);
  const row = (): Record<string, unknown> | undefined => [...world.table("jobs").all()].at(0);
  const isOver = (): boolean =>
    world.judge.rows.length > 0 && world.judge.rows.every(({ phase }) => hasEnded(phase) && phase.tidy);
  world.callers.submit(
    { name: "alpha", app: { seconds: 45, code: 3, fails: 1 }, options: { onConflict: "wait", retries: 1 } },
    world.host(0),
  );
  await settled();
  while (world.scheduler.pending.length > 0) {
    world.scheduler.pending[0]?.go();
    await settled();
  }
  const until = world.now + 20 * minute;
  let calls = 0;
  let died: { readonly at: number; readonly etag: unknown } | undefined;
  while (!isOver() && world.now < until) {
    const [pending] = world.scheduler.pending;
    const [message] = world.messages;
    if (pending) {
      if (calls++ === dieAt) {
        died = { at: world.now, etag: row()?.["etag"] };
        world.crash(0);
      } else pending.go();
    } else if (message) world.deliver(message, world.host(0));
    else {
      if (died && row() && row()?.["etag"] !== died.etag) return { calls, silence: world.now - died.at };
      await world.advance(second);
      const locked = died !== undefined && world.now < died.at + timerLock;
      if (world.now % minute === 0 && !locked) world.tick(world.host(0));
    }
    await settled();
  }
  return { calls, silence: undefined };
}

it("a job goes on within 90 s of its host's death, wherever in its life that comes", { timeout: 120_000 }, async () => {
  const { calls } = await live(Infinity);
  expect(calls).toBeGreaterThan(100);
  const step = Math.ceil(calls / 60);
  let [deaths, longest] = [0, 0];
  for (let dieAt = 0; dieAt < calls; dieAt += step) {
    const { silence } = await live(dieAt);
    if (silence === undefined) continue;
    deaths++;
    longest = Math.max(longest, silence);
    expect(silence, `after call ${dieAt}`).toBeLessThanOrEqual(promised);
  }
  expect(deaths).toBeGreaterThan(20);
  console.info(`${deaths} deaths, the longest silence ${longest / second} s`);
});
