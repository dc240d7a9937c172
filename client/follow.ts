import { setTimeout as delay } from "node:timers/promises";
import { backOff, minute, second } from "../src/shared/base/duration.ts";
import type { Status } from "./api.ts";
import { mayPass, Refused, type Unreachable } from "./errors.ts";
import type { Service, StatusPath } from "./service.ts";

export interface FollowOptions {
  /** Called after every poll. */
  readonly onPoll?: (status: Status) => void;
  /** Called when a poll failed in a way that may pass. */
  readonly onFailure?: (error: Unreachable | Refused) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds without any good answer after which the wait is given up. The job goes on, whatever happens here. */
  readonly patience?: number;
  readonly pause?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>;
  readonly now?: () => number;
}

/**
 * Looks at a job until it has ended, as often as the service asks for, as Data Factory's Web activity does.
 *
 * @throws Refused, Unreachable when the job can't be seen any more
 */
export async function untilEnded(
  service: Pick<Service, "pollAt">,
  start: StatusPath,
  options: FollowOptions = {},
): Promise<Status> {
  const { onPoll, onFailure, signal, patience = 10 * minute } = options;
  const pause = options.pause ?? ((ms, abort) => delay(ms, undefined, abort ? { signal: abort } : {}));
  const now = options.now ?? (() => performance.now());
  let path = start;
  let seenAt = now();
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const look = await service.pollAt(path).catch((error: unknown) => {
      if (mayPass(error) && now() - seenAt <= patience) return error;
      throw error;
    });
    if (look instanceof Error) {
      onFailure?.(look);
      await pause(waitAfter(look, failures++), signal);
      continue;
    }
    onPoll?.(look.status);
    if (look.ended) return look.status;
    ({ path } = look);
    seenAt = now();
    failures = 0;
    await pause(Math.max(look.retryAfter ?? 2 * second, shortest), signal);
  }
}

/** Milliseconds; against a hot loop whatever a service says. */
const shortest = 100;

function waitAfter(failure: Unreachable | Refused, failures: number): number {
  const asked = failure instanceof Refused ? failure.retryAfter : undefined;
  return Math.max(asked ?? backOff(failures, second, 30 * second, 0.5), shortest);
}
