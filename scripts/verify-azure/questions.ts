import { minute, second } from "../../src/shared/base/duration.ts";
import { messageOf } from "../../src/shared/base/errors.ts";
import type { CreateAnswer } from "../../src/shared/job/arm-answers.ts";
import type { AzureError } from "../../src/shared/job/job.ts";
import type { ObservedGroup } from "../../src/shared/job/observation.ts";
import type { Bench, Plan } from "./bench.ts";

/** What came out, and what was seen. */
export interface Answer {
  readonly result: "holds" | "fails" | "not run";
  readonly because: string;
}

/** One row of docs/open-questions.md. */
export interface Question {
  readonly id: string;
  /** What holds or fails. */
  readonly statement: string;
  /** The groups that it makes at most, side by side or one after the other. */
  readonly groups: readonly Plan[];
  /** The longest that asking takes, in milliseconds. */
  readonly time: number;
  readonly ask: (bench: Bench) => Promise<Answer>;
}

const holds = (because: string): Answer => ({ result: "holds", because });
const fails = (because: string): Answer => ({ result: "fails", because });
const notRun = (because: string): Answer => ({ result: "not run", because });

const seconds = (ms: number): string => `${Math.round(ms / second)} s`;
const hasEnded = ({ containers }: ObservedGroup): boolean =>
  containers.length > 0 && containers.every(({ state }) => state === "Terminated");

/** Why a question could not be asked: its group was refused. `undefined` when it was taken, or may have been. */
function refusal(answer: CreateAnswer): Answer | undefined {
  if (answer.kind === "accepted" || answer.kind === "unclear") return undefined;
  return notRun(`its create was refused: ${wordsOf(answer)}: ${answer.azure?.message ?? ""}`);
}

function wordsOf({ azure }: { readonly azure?: AzureError | undefined }): string {
  return azure ? `HTTP ${azure.httpStatus} ${azure.code}` : "no answer";
}

const lines = 3000;
const longLog: Plan = {
  cpu: 1,
  script: `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i of a log that is too long to stay"; done`,
};
const failing: Plan = { cpu: 1, script: "exit 1" };
const short: Plan = { cpu: 1, script: "sleep 30" };
const filling: Plan = { cpu: 4, script: "sleep 600" };
/** Cores that are filled at most to reach the quota. */
const maxFreeCores = 12;
/** How long a failed container is watched. */
const watchTime = 3 * minute;
/** How long a group may be missing before the service trusts that (contract of absence, src/shared/job/absence.ts). */
const settleTime = 3 * minute;

async function askLogTail(bench: Bench): Promise<Answer> {
  const name = bench.newName();
  const refused = refusal(await bench.create(name, longLog));
  if (refused) return refused;
  await bench.waitFor(name, hasEnded);
  const { aci, target } = bench.world;
  const log = await aci.logs(target, name, "main");
  if (log.kind !== "value") return notRun("the log could not be read");
  const kept = log.value.split("\n").filter((line) => line.includes(" of a log that is too long to stay"));
  const seen = `${kept.length} of ${lines} lines were there (with their times ${log.value.length} bytes)`;
  return kept.length < lines ? holds(seen) : fails(seen);
}

async function askNeverRestarts(bench: Bench): Promise<Answer> {
  const name = bench.newName();
  const refused = refusal(await bench.create(name, failing));
  if (refused) return refused;
  const isRestarted = ({ containers }: ObservedGroup): boolean =>
    containers.some(({ restartCount, previous }) => restartCount > 0 || previous !== undefined);
  await bench.waitFor(name, (group) => hasEnded(group) || isRestarted(group));
  const endedAt = bench.world.now();
  while (bench.world.now() < endedAt + watchTime) {
    const observation = await bench.observe(name);
    if (observation.group === "present" && isRestarted(observation)) {
      const [container] = observation.containers;
      return fails(
        `restartCount was ${container?.restartCount ?? 0}, ${seconds(bench.world.now() - endedAt)} after the end`,
      );
    }
    await bench.pause(10 * second);
  }
  return holds(`one container, watched for ${seconds(watchTime)} after its end`);
}

async function askFinishedQuota(bench: Bench): Promise<Answer> {
  const used = async (): Promise<number | undefined> => (await bench.world.usage("ContainerGroups"))?.used;
  const before = await used();
  if (before === undefined)
    return notRun("the region's usage could not be read: the role Reader on the subscription allows it");
  const name = bench.newName();
  const refused = refusal(await bench.create(name, short));
  if (refused) return refused;
  await bench.waitFor(name, ({ state }) => state === "Running");
  const running = await used();
  await bench.waitFor(name, hasEnded);
  await bench.pause(30 * second);
  const finished = await used();
  const seen = `groups counted: ${before} before, ${running ?? "?"} while it ran, ${finished ?? "?"} once it had finished`;
  if (running !== before + 1) return notRun(`${seen}: others make groups in this region, or it counts late`);
  if (finished === before) return holds(seen);
  return finished === running ? fails(seen) : notRun(`${seen}: others make groups in this region`);
}

async function askQuotaRefusal(bench: Bench): Promise<Answer> {
  const cores = await bench.world.usage("StandardCores");
  if (cores === undefined)
    return notRun("the region's usage could not be read: the role Reader on the subscription allows it");
  let free = cores.limit - cores.used;
  if (free > maxFreeCores)
    return notRun(
      `${free} of ${cores.limit} cores are free here, and at most ${maxFreeCores} are filled: ask in a region with a smaller quota`,
    );
  for (;;) {
    const cpu = free > 0 ? Math.min(filling.cpu, free) : 1;
    const answer = await bench.create(bench.newName(), { ...filling, cpu });
    if (answer.kind === "refused" || answer.kind === "failed") {
      const seen = `${wordsOf(answer)} is read as ${answer.reason}`;
      return answer.reason === "QuotaReached" ? holds(seen) : fails(seen);
    }
    if (free <= 0) return fails(`a group beyond the ${cores.limit} cores was taken`);
    free -= cpu;
    await bench.pause(5 * second);
  }
}

async function askLateVisibility(bench: Bench): Promise<Answer> {
  const name = bench.newName();
  const missing: number[] = [];
  for (let round = 0; round < 2; round++) {
    const refused = refusal(await bench.create(name, short));
    if (refused) return refused;
    missing.push(await longestAbsence(bench, name));
    if (Math.max(...missing) >= settleTime) break;
    await bench.world.aci.remove(bench.world.target, name);
    while ((await bench.observe(name)).group !== "absent") await bench.pause(2 * second);
  }
  const [first = 0, second_ = 0] = missing;
  const seen = `missing for at most ${seconds(first)} after the first create, ${seconds(second_)} after one that followed a delete`;
  return Math.max(first, second_) < settleTime ? holds(seen) : fails(seen);
}

/** How long a group that was just created answers 404 at a stretch, until it has been there for a minute. */
async function longestAbsence(bench: Bench, name: string): Promise<number> {
  const { now } = bench.world;
  let longest = 0;
  let presentSince: number | undefined;
  let absentSince = now();
  while (longest < settleTime && (presentSince === undefined || now() < presentSince + minute)) {
    const { group } = await bench.observe(name);
    if (group === "absent") {
      if (presentSince !== undefined) absentSince = now();
      presentSince = undefined;
      longest = Math.max(longest, now() - absentSince);
    } else if (group === "present") presentSince ??= now();
    await bench.pause(2 * second);
  }
  return longest;
}

export const questions: readonly Question[] = [
  {
    id: "log-tail",
    statement: "Of a long log only the tail is left once the container has ended",
    groups: [longLog],
    time: 5 * minute,
    ask: askLogTail,
  },
  {
    id: "never-restarts",
    statement: "A container that ends with 1 under `restartPolicy: Never` is not started again",
    groups: [failing],
    time: 8 * minute,
    ask: askNeverRestarts,
  },
  {
    id: "finished-quota",
    statement: "A finished group does not count against the quota",
    groups: [short],
    time: 5 * minute,
    ask: askFinishedQuota,
  },
  {
    id: "quota-refusal",
    statement: "A create beyond the quota is refused with a code that the service takes for a full quota",
    groups: [filling, filling, filling, { ...filling, cpu: 1 }],
    time: 2 * minute,
    ask: askQuotaRefusal,
  },
  {
    id: "late-visibility",
    statement:
      "A group is never missing for three minutes after its create was accepted, also when its name was deleted just before",
    groups: [short, short],
    time: 10 * minute,
    ask: askLateVisibility,
  },
  {
    id: "spot-eviction",
    statement: "An evicted Spot group shows its end as code 7147 or 7148, without a code, or as an event",
    ...byHand("an eviction can't be asked for, and Spot needs a quota of its own"),
  },
  {
    id: "factory-polling",
    statement: "Data Factory repeats the headers while it polls, follows `Retry-After`, and goes on after a 5xx",
    ...byHand("it needs a Data Factory, and an address that the factory can reach"),
  },
  {
    id: "flex-wake-up",
    statement: "A message wakes an app on Flex Consumption that has scaled to zero within a minute",
    ...byHand("it needs a deployed app that nobody has called for an hour"),
  },
];

function byHand(why: string): Pick<Question, "groups" | "time" | "ask"> {
  return {
    groups: [],
    time: 0,
    ask: () => Promise.resolve(notRun(`${why}: docs/open-questions.md says how to find out`)),
  };
}

/** A fault of the question itself, as its answer. */
export const broken = (error: unknown): Answer => notRun(`it could not be asked: ${messageOf(error)}`);
export const outOfTime = ({ time }: Question): Answer => notRun(`it was not answered within ${seconds(time)}`);
