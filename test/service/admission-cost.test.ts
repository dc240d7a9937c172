/** What groups and teams cost: each call to storage from a job's first observation until its create is sent, by what it is for. */
import { expect, it, vi } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import type { ProxiedCall } from "../kit/proxy.ts";
import { groupsIn } from "./groups-kit.ts";
import { countedCalls, follow, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const everything = { a: { weight: 3, limit: 5, vcpuSecondsPerDay: 100_000 }, b: {} };
const both = "team=a&group=g&groupLimit=5";

/** Before there were groups and teams an admission was this many calls: these nine, the row once more, and the creates once more. */
const before = 11;

/** Of a job without any. Apart from what an instance reads for all of its jobs. */
const plain = [
  "read the row",
  "read the pause",
  "read the name's lock",
  "read who waits for a create",
  "read the creates",
  "read the name's history",
  "take a create",
  "save the claim",
  "copy the claim to the index",
];

it("an admission is nine calls, and at most two more than it once was whatever groups and teams ask for", async () => {
  expect(await admissionOf({}, "")).toEqual(plain);
  expect(await admissionOf({ a: { weight: 3 }, b: {} }, "team=a")).toEqual(plain);
  const slot = ["read the group", "take the slots"];
  expect(await admissionOf({}, "group=g&groupLimit=5")).toEqual(plain.toSpliced(3, 0, ...slot));
  expect(await admissionOf({ a: { limit: 5 } }, "team=a")).toEqual(
    plain.toSpliced(3, 0, "read the team", "take the slots"),
  );
  // A create's token and what its attempt counts for the day are written at once.
  expect(await admissionOf({ a: { vcpuSecondsPerDay: 100_000 } }, "team=a")).toEqual(
    plain.toSpliced(3, 0, "read the day's use"),
  );
  const all = await admissionOf(everything, both);
  expect(all).toEqual(plain.toSpliced(3, 0, "read the group", "read the team", "take the slots", "read the day's use"));
  expect(all.length).toBeLessThanOrEqual(before + 2);
});

it("an admission soon after another reads neither the creates nor the day's use", async () => {
  const soon = plain.filter((call) => call !== "read the creates");
  expect(await admissionOf({}, "", second)).toEqual(soon);
  expect(await admissionOf(everything, both, second)).toEqual(
    soon.toSpliced(3, 0, "read the group", "read the team", "take the slots"),
  );
});

it("a job gives back the slots of its group and its team in one transaction", async () => {
  const costs: number[] = [];
  for (const query of ["", both]) {
    const bench = await openBench({ TEAMS: JSON.stringify(everything) }, countedCalls);
    await follow(bench, (await post(bench.deps, yaml("first"), query)).id);
    bench.clock.advance(minute);
    const from = bench.calls().length;
    const { id } = await post(bench.deps, yaml("second"), query);
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
    const calls = bench.calls().slice(from).map(purposeOf);
    costs.push(calls.length);
    if (query === both) {
      expect(calls.filter((call) => call === "give back the slots")).toHaveLength(1);
      expect(await groupsIn(bench)).toEqual({
        g: { held: 0, slots: [], line: [] },
        "~a": { held: 0, slots: [], line: [] },
      });
    }
  }
  const [without = 0, withAll = 0] = costs;
  // Four to take them, of the day once more as it is looked whether it was corrected, three for that, and four to give the slots back.
  expect(withAll - without).toBe(12);
});

/** @param after how long after another job's: what an instance reads now and then, for all of its jobs, is not read again */
async function admissionOf(teams: object, query: string, after = 20 * second): Promise<readonly string[]> {
  const bench = await openBench(Object.keys(teams).length === 0 ? {} : { TEAMS: JSON.stringify(teams) }, countedCalls);
  await untilCreated(bench, await submitted(bench, "first", query));
  bench.clock.advance(after);
  const id = await submitted(bench, "second", query);
  const from = bench.calls().length;
  return (await untilCreated(bench, id))
    .slice(from)
    .map(purposeOf)
    .filter((call) => call !== ofAll);
}

async function submitted(bench: Bench, name: string, query: string): Promise<JobId> {
  const reply = await post(bench.deps, yaml(name), query);
  expect(reply.status, reply.body.message).toBe(200);
  return reply.id;
}

/** The calls to storage by the time at which the job's create is sent. */
async function untilCreated(bench: Bench, id: JobId): Promise<readonly ProxiedCall[]> {
  const { aci } = await bench.deps.aci();
  const create = aci.create.bind(aci);
  let calls: readonly ProxiedCall[] = [];
  const spy = vi.spyOn(aci, "create").mockImplementationOnce((...given) => {
    calls = bench.calls();
    return create(...given);
  });
  await reconcile(bench.deps, id, { at: undefined });
  expect(spy).toHaveBeenCalledOnce();
  spy.mockRestore();
  return calls;
}

/** Which regions are full is read each 5 s, for all jobs of an instance. */
const ofAll = "read the regions";

const purposes: readonly (readonly [RegExp, string])[] = [
  [/^GET \/jobs\(/, "read the row"],
  [/^PUT \/jobs\(/, "save the claim"],
  [/^GET \/control\(PartitionKey='control',RowKey='pause'/, "read the pause"],
  [/^GET \/control\(PartitionKey='budget',RowKey='create_/, "read the creates"],
  [/^GET \/control\(\) PartitionKey eq 'target'/, ofAll],
  [/^GET \/control\(\).*'daily~/, "read the day's use"],
  [/^PUT \/control\(PartitionKey='budget',RowKey='create_/, "take a create"],
  [/^POST \/\$batch.*RowKey='create_/s, "take a create"],
  [/^GET \/jobindex\(PartitionKey='jobs',RowKey='hold_/, "read the name's lock"],
  [/^GET \/jobindex\(\).*'wait_~create/, "read who waits for a create"],
  [/^GET \/jobindex\(\).*'name_/, "read the name's history"],
  [/^GET \/jobindex\(\).*'group_~/, "read the team"],
  [/^GET \/jobindex\(\).*'group_/, "read the group"],
  [/^POST \/\$batch.*DELETE [^\n]*RowKey='group_[^_]+_slot/s, "give back the slots"],
  [/^POST \/\$batch.*"RowKey":"group_[^_]+_slot/s, "take the slots"],
  [/^PUT \/jobindex\(PartitionKey='jobs',RowKey='job_/, "copy the claim to the index"],
];

function purposeOf({ method, url, body }: ProxiedCall): string {
  const path = decodeURIComponent(url.pathname).replace(/^\/\w+/, "");
  const text = `${method} ${path} ${url.searchParams.get("$filter") ?? ""} ${body}`;
  return purposes.find(([pattern]) => pattern.test(text))?.[1] ?? `${method} ${path}`;
}
