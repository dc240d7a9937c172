import type { JobStore } from "../store/jobs.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Settings } from "../config/settings.ts";
import type { Queues } from "../store/queues.ts";
import type { Sealer } from "../security/sealer.ts";
import { maskSecrets, nameInPath, type ArrayDefinition, type Definition } from "../definition/index.ts";
import { clip, Unavailable, Unreadable, type Refusal } from "../base/errors.ts";
import { isMinted, nameKey, type JobId } from "../base/ids.ts";
import { leftOf, type LeftOfArray } from "../job/array-outcomes.ts";
import { endingOf, hasEnded, isDefinitionAwaited, stateWord, type Job } from "../job/job.ts";
import { foldName, type JsonObject, type JsonValue } from "../base/json.ts";
import { reservationTime, secure } from "./reservation.ts";
import type { Checked, Submission } from "./submission.ts";
import { areOneTeam } from "./team.ts";
import { keptOf, parseSealedArray, parseSealedDefinition, sentTemplateIn } from "../security/sealed-definition.ts";

interface ConflictDeps {
  readonly now: () => number;
  readonly jobs: JobStore;
  readonly blobs: Blobs;
  readonly sealer: Sealer;
  readonly queues: Queues;
  readonly settings: Pick<Settings, "teams" | "teamsGuard">;
}

/**
 * A name whose holder has no row yet is tried so often, for more than seven seconds, before the job stands in line behind it: its row
 * comes late where storage is slow, and who would join it is to find it.
 */
const roundsForARow = 20;

export type Conflict =
  | { readonly kind: "stand in line" | "gone" }
  /** The same submission came before, and its row is not written yet: what keeps this one out may be what that one has. */
  | { readonly kind: "on its way" }
  /** All is reserved for this job, by us or by whoever died before its row was written, at that time. */
  | { readonly kind: "ours"; readonly createdAt: number }
  | { readonly kind: "attach"; readonly job: Job }
  /** A failed array is run again as far as it is left. */
  | {
      readonly kind: "take over";
      readonly from: JobId | undefined;
      readonly etag: string;
      readonly left?: LeftOfArray | undefined;
    }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

/** What is said of another team's job, or of one that may be. */
const takenName: Refusal = {
  code: "NameActive",
  message: "A job of another team has this name. To wait for it use onConflict=wait; to run beside it uniqueName=true.",
};
const takenId: Refusal = { code: "NameActive", message: "This id can't be used. Use another." };
const takenKey: Refusal = { code: "KeyReused", message: "This Idempotency-Key can't be used. Use another." };
const unreadable: Refusal = {
  code: "NameActive",
  message: "The name or key is held by a job whose row can't be read; an operator must repair it.",
};

/** What stood in the way of a reservation, and what the rules say about it. A job that can't be read keeps what it has. */
export async function findConflict(
  deps: ConflictDeps,
  job: Job,
  submission: Submission,
  checked: Checked,
  round: Parameters<typeof findReadable>[4],
): Promise<Conflict> {
  try {
    return await findReadable(deps, job, submission, checked, round);
  } catch (error) {
    if (!(error instanceof Unreadable) || error.id === job.id) throw error;
    if (deps.settings.teamsGuard) return { kind: "refuse", refusal: unreadable };
    const message = `The name or key is held by job ${error.id}, whose row can't be read; an operator must repair it.`;
    return { kind: "refuse", refusal: { code: "NameActive", message, more: { id: error.id } } };
  }
}

async function findReadable(
  deps: ConflictDeps,
  job: Job,
  submission: Submission,
  checked: Checked,
  { want, over, round }: { want: "hold" | "wait"; over: string | undefined; round: number },
): Promise<Conflict> {
  const { index } = deps.jobs;
  const known = submission.id && (await jobOfId(deps, job, submission.id));
  if (known) return known;
  if (job.keyHash !== undefined) {
    const entry = await index.jobOfKey(job.keyHash);
    // A key that is taken over already is not what stood in the way this time.
    if (entry !== undefined && entry.id !== job.id && entry.etag !== over) return sameKey(deps, entry, job, checked);
  }
  const hold = want === "hold" ? await index.lockOf(job.groupName) : undefined;
  if (hold === undefined || hold.lockedBy === job.id) return ourOwn(deps, job);
  const holder = await deps.jobs.peek(hold.lockedBy);
  // Reserved a moment ago, its row is on its way; or its acceptor died.
  if (holder === undefined) return { kind: round < roundsForARow ? "gone" : "stand in line" };
  const { job: other } = holder;
  const leaving = hasEnded(other.phase) || other.cancel !== undefined || endingOf(other.phase) !== undefined;
  if (leaving) return { kind: "stand in line" };
  if (!areOneTeam(other, job, deps.settings)) return { kind: "refuse", refusal: takenName };
  if (job.options.onConflict === "attach") return attachTo(deps, other);
  return {
    kind: "refuse",
    refusal: {
      code: "NameActive",
      message: `${other.groupName} is already ${stateWord(other.phase)} as job ${other.id}. To wait for it, replace it or join it use onConflict=wait, replace or attach; to run beside it uniqueName=true.`,
      more: { id: other.id, name: other.name, state: stateWord(other.phase) },
    },
  };
}

/** An id that a poster chose shows in the reservation; one that was derived from its message, or is of our own, only in the row. */
export async function knownByRow(deps: ConflictDeps, job: Job, { id }: Submission): Promise<Conflict | undefined> {
  return id && (!id.foreign || isMinted(id.id)) ? jobOfId(deps, job, id) : undefined;
}

/** The job that has an order's id already. A message that comes again is of its own job's team, whatever its team is now. */
async function jobOfId(
  deps: ConflictDeps,
  job: Job,
  { id, foreign }: NonNullable<Submission["id"]>,
): Promise<Conflict | undefined> {
  const known = await deps.jobs.peek(id);
  if (known && foreign && !areOneTeam(known.job, job, deps.settings)) return { kind: "refuse", refusal: takenId };
  return known && attachTo(deps, known.job);
}

/** Our own reservation, whose answer got lost, or of an earlier delivery of the same message. Another job's under the same id must expire. */
async function ourOwn({ jobs: { index }, now }: ConflictDeps, job: Job): Promise<Conflict> {
  const pending = await index.pending(job.id);
  const same = nameKey(pending?.groupName ?? "") === nameKey(job.groupName) && pending?.keyHash === job.keyHash;
  const adopted = same ? await index.adopt(job.id, now()) : undefined;
  return adopted === undefined ? { kind: "gone" } : { kind: "ours", createdAt: adopted.createdAt };
}

/**
 * Whether no row will come for a reservation any more. One that has expired is fenced off first: whoever wrote its row all the same
 * withdraws it.
 */
async function hasDied({ jobs, now }: ConflictDeps, id: JobId): Promise<boolean> {
  const pending = await jobs.index.pending(id);
  if (pending !== undefined && now() <= pending.reservedAt + reservationTime) return false;
  if (pending !== undefined && !pending.expired && !(await jobs.index.expire(pending))) return false;
  // The row may have come since it was looked for.
  return (await jobs.find(id)) === undefined;
}

/** Attaches to a job that is there, unless its row is withdrawn just now. */
async function attachTo(deps: ConflictDeps, job: Job): Promise<Conflict> {
  const secured = await secure(deps, job);
  return secured === undefined ? { kind: "gone" } : { kind: "attach", job: secured };
}

/** The same idempotency key: the job that has it, a new one in its place, or a refusal when the definition is another. */
async function sameKey(
  deps: ConflictDeps,
  entry: { readonly id: JobId; readonly etag: string },
  job: Job,
  checked: Checked,
): Promise<Conflict> {
  const earlier = await deps.jobs.find(entry.id);
  // Reserved a moment ago, its row is on its way; or its acceptor died, and the reservation expires.
  if (earlier === undefined) {
    const isDead = await hasDied(deps, entry.id);
    return isDead ? { kind: "take over", from: undefined, etag: entry.etag } : { kind: "on its way" };
  }
  if (!areOneTeam(earlier.job, job, deps.settings)) return { kind: "refuse", refusal: takenKey };
  const { phase } = earlier.job;
  if (isDefinitionAwaited(earlier.job))
    throw new Unavailable("seal key", "The job of this Idempotency-Key waits for the sealing key itself.");
  const ended =
    hasEnded(phase) &&
    !(phase.state === "Succeeded" || (phase.state === "Canceled" && phase.verdict.reason !== "LeaseExpired"));
  const bytes = earlier.sealed.definition === "blob" ? await deps.blobs.getSealed(entry.id) : earlier.sealed.definition;
  const opened = bytes === undefined ? undefined : await deps.sealer.open(bytes, entry.id);
  const text = opened?.kind === "open" ? opened.text : undefined;
  const path = pathOfDifference(earlier.job, text, checked);
  if (path !== undefined) {
    const message = `This Idempotency-Key belongs to job ${entry.id}, whose definition differs at ${path}. Use a new key for another definition.`;
    return {
      kind: "refuse",
      refusal: { code: "KeyReused", message: clip(message, 300), more: { id: entry.id, path } },
    };
  }
  if (!ended) return attachTo(deps, earlier.job);
  const { array } = earlier.job;
  // Of a template that has got another array of its own since, all of that runs.
  const isSame = pathOfArray(earlier.job, text, checked) === undefined;
  const left = array && isSame ? leftOf(array, await deps.jobs.outcomesOf(earlier.job)) : undefined;
  return { kind: "take over", from: entry.id, etag: entry.etag, left: left?.only.length === 0 ? undefined : left };
}

/**
 * Where what a caller sent under a key differs from what was sent under it before.
 *
 * @param sealed what is kept of that; without it the row alone can be compared
 */
function pathOfDifference(earlier: Job, sealed: string | undefined, checked: Checked): string | undefined {
  const { definition, array, sent } = checked;
  const inRow = pathInRow(earlier, checked);
  if (inRow !== undefined) return inRow;
  const before = sealed === undefined ? undefined : sentTemplateIn(sealed);
  // A template's own array is not what its caller sent.
  const isSent = sent === undefined || sent.array || before?.array === true;
  const item = isSent ? pathOfArray(earlier, sealed, checked) : undefined;
  if (item !== undefined || sealed === undefined) return item;
  if (sent === undefined)
    return pathInBody((array ? parseSealedArray(sealed) : parseSealedDefinition(sealed))?.body, array ?? definition);
  const now = keptOf(sent, earlier.id);
  if (before?.version !== now.version) return "templateVersion";
  return differs(before?.parameters, now.parameters, "parameters");
}

function pathInRow(earlier: Job, { definition, template }: Checked): string | undefined {
  if (foldName(earlier.template?.name ?? "") !== foldName(template?.name ?? "")) return "template";
  return template === undefined && nameKey(earlier.name) !== nameKey(definition.name) ? "name" : undefined;
}

/** Where two arrays differ in their items, or in how many they have. */
function pathOfArray(earlier: Job, sealed: string | undefined, { array }: Checked): string | undefined {
  if (earlier.array?.size !== array?.size) return "array";
  const before = array && sealed !== undefined ? parseSealedArray(sealed) : undefined;
  return array && before && differs(listOf(before.items), listOf(array.items), "array");
}

function pathInBody(before: JsonObject | undefined, { body }: Pick<Definition, "body">): string | undefined {
  return before && differs(maskSecrets(before), maskSecrets(body), "");
}

function listOf(items: ArrayDefinition["items"]): JsonValue {
  return items === undefined ? null : [...items];
}

/** The first path at which two values differ. */
function differs(a: JsonValue | undefined, b: JsonValue | undefined, path: string): string | undefined {
  if (a === b) return undefined;
  if (
    typeof a !== "object" ||
    typeof b !== "object" ||
    a === null ||
    b === null ||
    Array.isArray(a) !== Array.isArray(b)
  )
    return path || "its top";
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let at = 0; at < Math.max(a.length, b.length); at++) {
      const found = differs(a[at], b[at], `${path}[${at}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const name = nameInPath(key, path.split(".").at(-1));
    const found = differs(left.get(key), right.get(key), path === "" ? name : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
