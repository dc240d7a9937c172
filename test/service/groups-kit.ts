import type { JobId } from "../../src/shared/base/ids.ts";
import { partsOf } from "../../src/shared/store/group-entries.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import type { Bench } from "./kit.ts";

/** What tests of groups and of teams' ceilings look at. */
interface Slots {
  held: number;
  readonly slots: string[];
  readonly line: string[];
}

/** What the index says of each group: how many slots are held, who holds one, who waits. A team's is `~NAME`. */
export async function groupsIn({ storage }: Bench): Promise<Readonly<Record<string, Slots>>> {
  const groups: Record<string, Slots> = {};
  const filter = "RowKey ge 'group_' and RowKey lt 'group`'";
  for await (const row of storage.table("jobindex").listEntities({ queryOptions: { filter } })) {
    const { group = "", kind, id = "" } = partsOf(row.rowKey ?? "") ?? {};
    const found = (groups[group] ??= { held: 0, slots: [], line: [] });
    if (kind === "entry") found.held = Number(row["held"]);
    else found[kind === "slot" ? "slots" : "line"].push(id);
  }
  return groups;
}

/** The jobs are reconciled now, one after another. */
export async function reconcileEach(bench: Bench, ...ids: readonly JobId[]): Promise<void> {
  for (const id of ids) await reconcile(bench.deps, id, { at: undefined });
}
