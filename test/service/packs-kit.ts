import { childJobId, type JobId } from "../../src/shared/base/ids.ts";
import type { Job } from "../../src/shared/job/job.ts";
import { arrayPartition } from "../../src/shared/store/job-row.ts";
import { jobOf, post, type Bench } from "./kit.ts";

/** How an item's container runs, as the simulated ACI reads it. */
export interface SimulatedItem {
  readonly seconds?: number;
  readonly exit?: number;
}

/** One container, which runs for `${item.seconds}` and ends with `${item.exit}`; it prints which item it is, as JSON. */
export function packYaml(name: string, { restartPolicy = "Never", priority = "Regular" } = {}): string {
  return `
name: ${name}
apiVersion: 2023-05-01
properties:
  osType: Linux
  restartPolicy: ${restartPolicy}
  priority: ${priority}
  containers:
    - name: app
      properties:
        image: registry.example/team/app:1
        resources: {requests: {cpu: 0.1, memoryInGB: 0.1}}
        environmentVariables:
          - {name: SIM_RUN_SECONDS, value: "\${item.seconds}"}
          - {name: SIM_EXIT_CODE, value: "\${item.exit}"}
          - {name: SIM_OUTPUT, value: "{\\"of\\": \${index}}\\n"}
`;
}

/** An array of these items in packs. */
export async function postPacks(
  { deps }: Bench,
  items: readonly SimulatedItem[],
  { query = "pack=3", text = packYaml("nightly") } = {},
): Promise<JobId> {
  const whole = items.map(({ seconds = 10, exit = 0 }) => ({ seconds, exit }));
  const { id, status, body } = await post(deps, text, `array=${encodeURIComponent(JSON.stringify(whole))}&${query}`);
  if (status >= 400) throw new Error(body.message);
  return id;
}

/** The packs of an array that were made, by their number. */
export async function packsOf({ deps }: Bench, id: JobId): Promise<readonly Job[]> {
  const { createdAt } = await jobOf(deps, id);
  const packs: Job[] = [];
  for (let number = 0; ; number++) {
    const stored = await deps.jobs.find(childJobId(id, createdAt, number));
    if (stored === undefined) return packs;
    packs.push(stored.job);
  }
}

/** What the rows of an array's items say, by index. */
export async function itemsOf(
  { deps, storage }: Bench,
  id: JobId,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { createdAt } = await jobOf(deps, id);
  const filter = `PartitionKey eq '${arrayPartition(id, createdAt)}' and RowKey ge '~item-'`;
  const rows: Readonly<Record<string, unknown>>[] = [];
  for await (const row of storage.table("jobs").listEntities({ queryOptions: { filter } })) rows.push(row);
  return rows;
}
