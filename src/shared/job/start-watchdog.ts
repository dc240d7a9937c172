import { clip } from "../base/errors.ts";
import type { GroupSeen, Job, Verdict } from "./job.ts";

/**
 * The start-phase watchdog: a group that can't start is ended by what its events say, not only when a timeout runs out, so that nobody
 * pays for waiting. ACI tells a failed pull and a crash loop by events of type `Warning` whose count grows
 * ("Troubleshoot common issues in Azure Container Instances").
 */
const mostPulls = 5;

/** @param maxRestarts how often a container with restartPolicy OnFailure may be started again */
export function troubleOf(group: GroupSeen, policy: Job["restartPolicy"], maxRestarts: number): Verdict | undefined {
  const waiting = new Set(group.containers.filter(({ state }) => state === "Waiting").map(({ name }) => name));
  const pulls = group.events.filter(
    ({ type, name, message, container }) =>
      type === "Warning" &&
      (container === undefined || waiting.has(container)) &&
      /^(failed|backoff|imagepullbackoff|errimagepull)$/i.test(name) &&
      /pull|image/i.test(message),
  );
  const last = pulls.at(-1);
  if (waiting.size > 0 && last && pulls.reduce((sum, { count }) => sum + count, 0) >= mostPulls) {
    return {
      reason: "ImagePullFailed",
      detail: clip(last.message, 160),
      ...(last.container === undefined ? {} : { container: last.container }),
    };
  }
  const looping = group.containers.find(
    ({ restartCount, previous }) => policy === "OnFailure" && restartCount > maxRestarts && previous?.exitCode !== 0,
  );
  if (looping === undefined) return undefined;
  const exitCode = looping.previous?.exitCode;
  return { reason: "CrashLoop", container: looping.name, ...(exitCode === undefined ? {} : { exitCode }) };
}
