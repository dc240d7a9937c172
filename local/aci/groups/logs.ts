import { containerNotFound, logNotAvailable } from "../arm/errors.ts";
import type { Group } from "../group.ts";

/** "Resource availability & quota limits": a running container's log is at most 4 MB, a stopped one's 16 KB or 1,000 lines. */
const RUNNING_BYTES = 4 * 1024 * 1024;
const STOPPED_BYTES = 16 * 1024;
const STOPPED_LINES = 1000;

/** Length of `2026-01-01T00:00:00.000000000Z `. */
const TIME_LENGTH = 31;

export interface LogQuery {
  readonly running: boolean;
  /** Lines from the end; all where not given. */
  readonly tail: number | undefined;
  readonly timestamps: boolean;
}

/** What a reply shows of a whole log (lines with times): the newest part that the limits and the query allow. */
export function trimLog(log: string, query: LogQuery): string {
  const lines = log.split("\n");
  const complete = lines.at(-1) === "";
  if (complete) lines.pop();
  const maxLines = Math.min(query.tail ?? Infinity, query.running ? Infinity : STOPPED_LINES);
  const maxBytes = query.running ? RUNNING_BYTES : STOPPED_BYTES;
  const kept: string[] = [];
  let bytes = 0;
  for (let index = lines.length - 1; index >= 0 && kept.length < maxLines; index -= 1) {
    const line = lines[index] ?? "";
    const whole = line.slice(TIME_LENGTH);
    bytes += Buffer.byteLength(whole) + 1;
    if (bytes > maxBytes && kept.length > 0) break;
    // One line that is too long is all there is: its end.
    const text = bytes > maxBytes ? Buffer.from(whole).subarray(-maxBytes).toString() : whole;
    kept.push(query.timestamps ? line.slice(0, TIME_LENGTH) + text : text);
  }
  const shown = kept.reverse().join("\n");
  return complete && kept.length > 0 ? `${shown}\n` : shown;
}

/** What `containers/NAME/logs` answers; throws a 404 where there is no such container, or it has not started yet. */
export async function shownLog(
  { id, deployment }: Group,
  container: string,
  tail: number | undefined,
  timestamps: boolean,
): Promise<string> {
  const { members } = deployment.life;
  const index = members.findIndex(({ name }) => name.toLowerCase() === container.toLowerCase());
  const member = members[index];
  if (!member) throw containerNotFound(container, id.name);
  if (!member.everStarted) throw logNotAvailable(member.name, id.name);
  const whole = await deployment.engine.readLog(index);
  return trimLog(whole, { running: member.current?.state === "Running", tail, timestamps });
}
