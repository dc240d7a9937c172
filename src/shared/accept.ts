import { createHash } from "node:crypto";
import { minute, second } from "./backoff.ts";
import type { Deps } from "./deps.ts";
import { maskSecrets, parseDefinition, type Definition, type OptionsBlock } from "./definition.ts";
import { clip, no, ok, Unavailable, type PlacedFault, type Refusal, type Result } from "./errors.ts";
import { groupName, isMinted, mintedAt, mintJobId, uniqueGroupName, type JobId } from "./ids.ts";
import { columnsOf, jobKey, type Sealed } from "./job-row.ts";
import { hasEnded, type Delivery, type Job } from "./job.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { Reservation } from "./job-index.ts";
import { notPermitted } from "./permitted.ts";
import { readOptions, type JobOptions, type OptionsFrom } from "./options.ts";
import { isAllowedAddress } from "./safe-post.ts";
import { parseSealedDefinition, sealedText } from "./sealed-definition.ts";

/**
 * Taking a job in, from HTTP or from the queue: read and judge everything, reserve the name, write the row. From the row on the job is
 * accepted and will end, whatever crashes. ACI is not called here, and the type of `AcceptDeps` says so.
 */
export type AcceptDeps = Pick<
  Deps,
  "settings" | "now" | "randomBytes" | "jobs" | "blobs" | "sealer" | "queues" | "sleep"
>;

export interface Order {
  readonly text: string;
  readonly query: JsonObject;
  readonly envelope: JsonObject;
  readonly via: "http" | "queue" | "rerun";
  /** Given by a poster, or derived from its message; minted when absent. */
  readonly id: { readonly id: JobId; readonly foreign: boolean } | undefined;
  readonly createdAt: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly callBackUri: string | undefined;
  readonly replyTo: string | undefined;
  readonly correlationId: string | undefined;
  readonly traceparent: string | undefined;
  readonly requestedBy: string | undefined;
  readonly rerunOf: JobId | undefined;
}

/** An order that can be taken: everything judged, nothing stored. */
export interface Checked {
  readonly definition: Definition;
  readonly options: JobOptions;
  readonly warnings: readonly PlacedFault[];
  readonly callBackUri: string | undefined;
}

export interface Accepted {
  readonly job: Job;
  /** True when it is an earlier job that this order joined. */
  readonly attached: boolean;
}

/** More than a definition of the largest size has, and no more than a worker reads in the twinkling of an eye. */
const mostNodes = 50_000;

/** Every fault of an order at once: of its definition, its options, and what they are together. Pure. */
export function check(order: Order, settings: Deps["settings"]): Result<Checked> {
  const parsed = parseDefinition(order.text, { defaultApiVersion: settings.defaultApiVersion, maxNodes: mostNodes });
  const callBackUri = order.callBackUri ?? parsed.callBackUri;
  const sources = sourcesOf(order, parsed.block);
  const read = readOptions(sources, {
    settings,
    via: order.via === "queue" ? "queue" : "http",
    containers: parsed.ok ? parsed.definition.view.containers.map(({ name }) => name) : undefined,
    hasCallBack: callBackUri !== undefined,
  });
  const found: Found[] = [
    { code: "InvalidDefinition", what: "The definition can't be taken", errors: parsed.ok ? [] : parsed.faults },
    {
      code: "InvalidOptions",
      what: "The options can't be taken",
      errors: [...(read.ok ? [] : read.error), ...addressFaults(order, callBackUri, settings)],
    },
  ];
  const refused = parsed.ok ? notPermitted(parsed.definition, parsed.place, settings) : undefined;
  const forbidden = refused ? [refused] : [];
  if (!parsed.ok || !read.ok) return no(refusalOf([...found, ...forbidden]));

  const { definition } = parsed;
  const { options } = read.value;
  const warnings = [...parsed.warnings, ...read.value.warnings];
  const bounded = options.main !== undefined || options.runTimeout !== undefined || namesTimeout(sources);
  if (definition.view.restartPolicy === "Always" && !bounded) {
    const path = "properties.restartPolicy";
    const endless = { path, ...parsed.place(path), message: neverEnds };
    const waits = options.polling !== "false" || callBackUri !== undefined;
    if (waits) found.push({ code: "NeverEnds", what: "The job would never end", errors: [endless] });
    else warnings.push(endless);
  }
  if (options.strict)
    found.push({ code: "InvalidDefinition", what: "With strict, warnings are errors", errors: warnings });
  found.push(...forbidden);
  return found.some(({ errors }) => errors.length > 0)
    ? no(refusalOf(found))
    : ok({ definition, options, warnings, callBackUri });
}

function sourcesOf({ query, envelope }: Order, block: OptionsBlock | undefined): readonly OptionsFrom[] {
  return [
    { where: "query", values: query },
    { where: "envelope", values: envelope },
    ...(block ? [{ where: "block" as const, values: block.values, place: (name: string) => block.place(name) }] : []),
  ];
}

/** Faults of one kind, or none. */
interface Found {
  readonly code: Refusal["code"];
  readonly what: string;
  readonly errors: readonly PlacedFault[];
}

/** One refusal with all that was found; the first kind gives it its code. */
function refusalOf(found: readonly Found[]): Refusal {
  const first = found.find(({ errors }) => errors.length > 0);
  const errors = found.flatMap((each) => each.errors);
  return invalid(first?.code ?? "InvalidDefinition", first?.what ?? "", errors);
}

const neverEnds =
  "A group with restartPolicy Always, or none, never ends: set Never or OnFailure, or name main, timeout or runTimeout.";

function* addressFaults(
  { replyTo }: Order,
  callBackUri: string | undefined,
  settings: Deps["settings"],
): Generator<PlacedFault> {
  const at = { line: 1, column: 1 };
  if (callBackUri !== undefined && !isAllowedAddress(callBackUri, settings.callbackHosts))
    yield { ...at, path: "callBackUri", message: "callBackUri must be an https address on an allowed host." };
  if (replyTo !== undefined && !settings.replyQueues.includes(replyTo))
    yield { ...at, path: "replyTo", message: "replyTo must name a queue of the setting REPLY_QUEUES." };
}

function namesTimeout(sources: readonly OptionsFrom[]): boolean {
  return sources.some(({ values }) => Object.keys(values).some((name) => name.toLowerCase() === "timeout"));
}

function invalid(code: Refusal["code"], what: string, errors: readonly PlacedFault[]): Refusal {
  const first = errors.at(0);
  const where =
    first && first.path !== "" ? `${first.path} (line ${first.line}): ` : first ? `line ${first.line}: ` : "";
  const more = errors.length > 1 ? ` And ${errors.length - 1} more.` : "";
  return { code, message: clip(`${what}: ${where}${first?.message ?? ""}${more}`, 300), errors };
}

/** A definition larger than this lies in a blob: an entity's binary property holds 64 KiB. */
const mostInline = 48 * 1024;
/** A reservation without a row expires after a minute; one that took this long is given up, so that no row comes after it. */
const mostReserving = 40 * second;
const mostRounds = 60;
/** Between two looks at a reservation whose row is on its way, and how often it is looked at before the job stands in line behind it. */
const roundTime = 50;
const roundsForARow = 10;

/**
 * Reserves, then writes the row. At most four storage calls, three of them one after another, when nothing is in the way.
 *
 * @throws Unavailable when storage or the sealing key can't be reached: nothing was accepted
 */
export async function accept(deps: AcceptDeps, order: Order, checked: Checked): Promise<Result<Accepted>> {
  const { blobs, sealer } = deps;
  const began = deps.now();
  const id = order.id?.id ?? mintJobId(began, deps.randomBytes(10));
  const job = newJob(order, checked, id, order.createdAt ?? began);
  // A message that comes again: of an id that a poster chose the reservation tells, of a derived one only the row.
  const known = order.id?.foreign === false ? await deps.jobs.peek(id) : undefined;
  if (known) return ok({ job: known.job, attached: true });
  const full = await ceiling(deps, job);
  if (full) return no(full);
  const definition = await sealer.seal(sealedText(checked.definition), id);
  const callbacks =
    checked.callBackUri === undefined ? undefined : await sealer.seal(JSON.stringify([checked.callBackUri]), id);
  const large = definition.length > mostInline;
  const stored = large ? blobs.putSealed(id, definition) : Promise.resolve();
  const reserved = await reserve(deps, job, order, checked.definition, stored);
  if (!reserved.ok) return reserved;
  if (reserved.value.attached) {
    if (checked.callBackUri !== undefined) await joinCallback(deps, reserved.value.job.id, checked.callBackUri);
    return reserved;
  }
  return insert(deps, reserved.value.job, { definition: large ? "blob" : definition, callbacks }, began);
}

/** Reserves all that the job needs, or finds the job that it joins; as often as somebody else was in the way for a moment. */
async function reserve(
  deps: AcceptDeps,
  job: Job,
  order: Order,
  definition: Definition,
  stored: Promise<void>,
): Promise<Result<Accepted>> {
  const { index, prices } = deps.jobs;
  const { onConflict } = job.options;
  let rerunOf = order.rerunOf;
  let over: string | undefined;
  let want: Reservation["want"] = onConflict === "wait" || onConflict === "replace" ? "wait" : "hold";
  for (let round = 0; round < mostRounds; round++) {
    const wanted: Job = rerunOf === undefined ? job : { ...job, rerunOf };
    const reservation: Reservation = {
      id: job.id,
      key: jobKey(job.id, job.createdAt),
      name: job.name,
      groupName: job.groupName,
      want,
      keyEntry: job.keyHash === undefined ? undefined : { hash: job.keyHash, over },
      foreignId: order.id?.foreign === true,
      createdAt: job.createdAt,
      checkAt: job.checkAt,
      columns: columnsOf(wanted, prices),
    };
    const [reserved] = await Promise.all([index.reserve(reservation), stored]);
    if (reserved === "reserved") return ok({ job: wanted, attached: false });
    const obstacle = await findObstacle(deps, job, order, definition, { want, over, round });
    switch (obstacle.kind) {
      case "ours":
        return ok({ job: wanted, attached: false });
      case "attach":
        return ok({ job: obstacle.job, attached: true });
      case "refuse":
        return no(obstacle.refusal);
      case "stand in line":
        want = "wait";
        break;
      case "take over":
        [rerunOf, over] = [obstacle.from ?? rerunOf, obstacle.etag];
        break;
      case "gone":
        if (round > 0) await deps.sleep(roundTime);
        break;
    }
  }
  throw new Unavailable("storage", "The name could not be reserved: too many want it at once.");
}

/** One more caller to be told of a job's end; at once, when it has ended already. */
async function joinCallback(deps: AcceptDeps, id: JobId, uri: string): Promise<void> {
  const { jobs, sealer, queues } = deps;
  const stored = await jobs.find(id);
  if (stored === undefined) return;
  const opened = stored.sealed.callbacks && (await sealer.open(stored.sealed.callbacks, id));
  const before: unknown = opened?.kind === "open" ? JSON.parse(opened.text) : [];
  const uris = [...new Set([...(Array.isArray(before) ? before.map(String) : []), uri])];
  const callbacks = await sealer.seal(JSON.stringify(uris), id);
  const saved = await jobs.save(
    stored,
    { ...stored.job, callback: { state: "pending", tries: 0 } },
    { ...stored.sealed, callbacks },
  );
  if (saved === "conflict") return joinCallback(deps, id, uri);
  if (hasEnded(stored.job.phase)) await queues.wake(id, undefined, 0);
}

async function insert(deps: AcceptDeps, job: Job, sealed: Sealed, began: number): Promise<Result<Accepted>> {
  const { jobs, now } = deps;
  if (now() > began + mostReserving) throw new Unavailable("storage", "Storage is too slow to accept a job.");
  try {
    if ((await jobs.insert(job, sealed)) === "created") return ok({ job, attached: false });
  } catch (error) {
    // The write may have been done all the same: only what the table says decides.
    if (!(error instanceof Unavailable) || (await jobs.peek(job.id)) === undefined) throw error;
    return ok({ job, attached: false });
  }
  const earlier = await jobs.peek(job.id);
  if (earlier && hasEnded(earlier.job.phase) && earlier.job.phase.tidy) await giveBack(deps, job);
  return ok({ job: earlier?.job ?? job, attached: earlier !== undefined && earlier.job.createdAt !== job.createdAt });
}

/** What was reserved for a job that turned out to be done with. */
async function giveBack({ jobs: { index }, queues }: AcceptDeps, { id, groupName, createdAt }: Job): Promise<void> {
  await index.leaveLine(groupName, id, createdAt);
  const next = await index.handOver(groupName, id);
  if (next !== undefined) await queues.wake(next, undefined, 0);
  await index.drop(id);
}

type Obstacle =
  | { readonly kind: "ours" | "stand in line" | "gone" }
  | { readonly kind: "attach"; readonly job: Job }
  | { readonly kind: "take over"; readonly from: JobId | undefined; readonly etag: string }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

/** What stood in the way of a reservation, and what the rules say about it. */
async function findObstacle(
  deps: AcceptDeps,
  job: Job,
  order: Order,
  definition: Definition,
  { want, over, round }: { want: Reservation["want"]; over: string | undefined; round: number },
): Promise<Obstacle> {
  const { index } = deps.jobs;
  if (order.id !== undefined) {
    const known = await deps.jobs.peek(order.id.id);
    if (known) return { kind: "attach", job: known.job };
  }
  if (job.keyHash !== undefined) {
    const entry = await index.jobOfKey(job.keyHash);
    // A key that is taken over already is not what stood in the way this time.
    if (entry !== undefined && entry.id !== job.id && entry.etag !== over) return sameKey(deps, entry, definition);
  }
  const hold = want === "hold" ? await index.hold(job.groupName) : undefined;
  // Our own reservation, whose answer got lost, or of an earlier delivery of the same message.
  if (hold === undefined) return { kind: (await index.has(job.id)) ? "ours" : "gone" };
  if (hold.holder === job.id) return { kind: "ours" };
  const holder = await deps.jobs.peek(hold.holder);
  // Reserved a moment ago, its row is on its way; or its acceptor died.
  if (holder === undefined) return { kind: round < roundsForARow ? "gone" : "stand in line" };
  const { job: other } = holder;
  const leaving =
    hasEnded(other.phase) ||
    other.cancel !== undefined ||
    (other.phase.state !== "Queued" && other.phase.ending !== undefined);
  if (leaving) return { kind: "stand in line" };
  if (job.options.onConflict === "attach") return { kind: "attach", job: other };
  return {
    kind: "refuse",
    refusal: {
      code: "NameActive",
      message: `${other.name} is already ${other.phase.state} as job ${other.id}. To wait for it, replace it or join it use onConflict=wait, replace or attach; to run beside it uniqueName=true.`,
      more: { id: other.id, name: other.name, state: other.phase.state },
    },
  };
}

/** The same idempotency key: the job that has it, a new one in its place, or a refusal when the definition is another. */
async function sameKey(
  deps: AcceptDeps,
  entry: { readonly id: JobId; readonly etag: string },
  definition: Definition,
): Promise<Obstacle> {
  const earlier = await deps.jobs.find(entry.id);
  // Reserved a moment ago, its row is on its way; or its acceptor died, and the reservation expires.
  if (earlier === undefined) {
    const died = !isMinted(entry.id) || deps.now() > mintedAt(entry.id) + minute;
    return died ? { kind: "take over", from: undefined, etag: entry.etag } : { kind: "gone" };
  }
  const { phase } = earlier.job;
  const ended =
    hasEnded(phase) &&
    !(phase.state === "Succeeded" || (phase.state === "Canceled" && phase.verdict.reason !== "LeaseExpired"));
  const bytes = earlier.sealed.definition === "blob" ? await deps.blobs.getSealed(entry.id) : earlier.sealed.definition;
  const opened = bytes === undefined ? undefined : await deps.sealer.open(bytes, entry.id);
  const before = opened?.kind === "open" ? parseSealedDefinition(opened.text) : undefined;
  const path = before && differs(maskSecrets(before.body), maskSecrets(definition.body), "");
  if (path !== undefined) {
    const message = `This Idempotency-Key belongs to job ${entry.id}, whose definition differs at ${path}. Use a new key for another definition.`;
    return {
      kind: "refuse",
      refusal: { code: "KeyReused", message: clip(message, 300), more: { id: entry.id, path } },
    };
  }
  return ended ? { kind: "take over", from: entry.id, etag: entry.etag } : { kind: "attach", job: earlier.job };
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
    const found = differs(left.get(key), right.get(key), path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function ceiling({ jobs, settings }: AcceptDeps, job: Job): Promise<Refusal | undefined> {
  if (settings.maxActiveJobs === undefined && settings.maxActivePerName === undefined) return undefined;
  let [all, named] = [0, 0];
  for await (const active of jobs.index.active()) {
    // A message that comes again is no further job.
    if (active.id === job.id) return undefined;
    all++;
    if (active.name.toLowerCase() === job.name.toLowerCase()) named++;
  }
  const full =
    (settings.maxActiveJobs !== undefined && all >= settings.maxActiveJobs) ||
    (settings.maxActivePerName !== undefined && named >= settings.maxActivePerName);
  if (!full) return undefined;
  return {
    code: "TooManyJobs",
    message: "As many jobs are active as the settings MAX_ACTIVE_JOBS and MAX_ACTIVE_PER_NAME allow; try again later.",
    retryAfter: minute,
  };
}

function newJob(
  order: Order,
  { definition, options, warnings, callBackUri }: Checked,
  id: JobId,
  createdAt: number,
): Job {
  const { view } = definition;
  const name = groupName(definition.name);
  const delivery = (wanted: boolean): Delivery => ({ state: wanted ? "pending" : "none", tries: 0 });
  const given = <T extends object>(fields: T): T =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T; // absent and undefined mean the same in a row
  return {
    version: 1,
    id,
    name,
    groupName: options.uniqueName ? uniqueGroupName(name, id) : name,
    holds: true,
    apiVersion: definition.apiVersion,
    containers: [
      ...view.initContainers.map((init) => ({ name: init, init: true })),
      ...view.containers.map((container) => ({ name: container.name, init: false })),
    ],
    images: [...view.images],
    restartPolicy: view.restartPolicy,
    spot: view.priority === "Spot",
    cpu: view.cpu,
    memoryGB: view.memoryGB,
    options,
    warnings: warnings.slice(0, 50),
    via: order.via,
    createdAt,
    queuedAt: createdAt,
    deadlineAt: createdAt + options.timeout,
    attempt: 1,
    retriesUsed: 0,
    freeInRow: 0,
    attempts: [],
    phase: { state: "Queued", refusals: 0 },
    history: [{ at: createdAt, from: "", to: "Queued", reason: "Accepted", attempt: 1 }],
    events: [],
    yield: false,
    logsDropped: false,
    callback: delivery(callBackUri !== undefined),
    reply: delivery(order.replyTo !== undefined),
    lookAt: createdAt,
    checkAt: createdAt + minute,
    ...given({
      wantedLocation: view.location,
      requestedBy: order.requestedBy,
      correlationId: order.correlationId,
      replyTo: order.replyTo,
      rerunOf: order.rerunOf,
      traceparent: order.traceparent,
      keyHash:
        order.idempotencyKey === undefined
          ? undefined
          : createHash("sha256").update(order.idempotencyKey).digest("hex"),
    }),
  };
}
