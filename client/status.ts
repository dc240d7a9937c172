import type { Container, Status } from "./api.ts";

/** Init containers first, as they ran. Absent from the replies of a service that reports them only at the end. */
export function containersOf({
  initContainers,
  containers,
}: Pick<Status, "initContainers" | "containers">): readonly (readonly [string, Partial<Container>])[] {
  return [...Object.entries(initContainers ?? {}), ...Object.entries(containers ?? {})];
}

const ends = new Set(["Succeeded", "Failed", "Stopped", "TimedOut", "Canceled"]);

const active = new Set(["Queued", "Provisioning", "Pending", "Running", "Unknown"]);

/** True where an answer about a job is its last: of a state that only a newer service knows, HTTP decides. */
export function isLast(status: Pick<Status, "state">, httpStatus: number): boolean {
  return hasEnded(status) || (httpStatus !== 202 && !active.has(status.state));
}

/** True for a state that never changes again. */
export function hasEnded({ state }: { readonly state: string }): boolean {
  return ends.has(state);
}
