import { expect, it } from "vitest";
import { hour } from "../../src/shared/base/duration.ts";
import { mintJobId } from "../../src/shared/base/ids.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { start, target } from "../kit/kit.ts";
import { Host } from "./host.ts";
import { countersOf, groupsOf, installationTagOf, openBench, post, useAzurite, yaml } from "./kit.ts";

useAzurite();

/** A hundred take the suite half a minute more. */
const jobs = Number(process.env["TIMERLESS_JOBS"] ?? 30);
const counts = {
  shared: Math.ceil(jobs / 10),
  calls: Math.ceil(jobs / 3),
  active: Math.ceil(jobs / 2.5),
  lost: Math.ceil(jobs / 5),
};

const all = { states: undefined, name: undefined, since: undefined, until: undefined, columns: {} };

it(`without a timer ${jobs} jobs end right: some wait for a name or a ceiling, some lose their messages, and orphans go`, async () => {
  const host = new Host();
  const bench = await openBench({ MAX_ACTIVE_JOBS: String(counts.active) }, host.gate);
  const { deps } = bench;
  const { aci } = await deps.aci();
  const old = mintJobId(start - hour, new Uint8Array(10));
  for (const name of ["orphan-1", "orphan-2"]) {
    const tags = {
      "aciproxy-job": old,
      "aciproxy-attempt": "1",
      "aciproxy-installation": await installationTagOf(bench, name),
    };
    const resources = { requests: { cpu: 1, memoryInGB: 1 } };
    const containers = [{ name: "app", properties: { image: "x", resources } }];
    const properties = { osType: "Linux", restartPolicy: "Never", containers };
    await aci.create(target, name, "2023-05-01", { location: "westeurope", tags, properties }, (text) => text);
  }
  host.losing = counts.lost;
  const names = Array.from({ length: jobs - counts.shared }, (_, n) => `job-${n}`);
  for (const name of names.slice(0, counts.calls)) expect((await post(deps, yaml(name))).status).toBe(200);
  for (const name of names.slice(counts.calls)) host.send(queueNames.jobs, yaml(name));
  for (let n = 0; n < counts.shared; n++) host.send(queueNames.jobs, yaml("shared", { seconds: 5 }));
  await host.work(bench, async () => {
    let left = 0;
    for await (const _ of deps.jobs.index.active()) left++;
    return left === 0 && groupsOf(bench).length === 0;
  });
  const { rows } = await deps.jobs.list(all, 1000, undefined);
  expect(rows.map(({ state }) => state)).toEqual(Array.from({ length: jobs }, () => "Succeeded"));
  const { deploymentsByGroup } = countersOf(bench);
  const deployed = Object.entries(deploymentsByGroup).map(([key, count]) => [key.split("/").at(-1), count]);
  expect(Object.fromEntries(deployed)).toEqual({
    ...Object.fromEntries([...names, "orphan-1", "orphan-2"].map((name) => [name, 1])),
    shared: counts.shared,
  });
  expect(host.lost).toBe(counts.lost);
});
