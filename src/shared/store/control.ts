import type { TableClient } from "@azure/data-tables";
import { z } from "zod";
import { minute, second } from "../base/duration.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import { TtlCache } from "../base/ttl-cache.ts";
import { parseJson } from "../base/json.ts";
import { storageCall, tableNames, type Storage } from "./connect.ts";
import { beginIndex, entity as indexEntity, mark } from "./index-partition.ts";
import { blobContainers } from "./blobs.ts";
import type { Old } from "./job-index.ts";
import { queueNames } from "./queues.ts";
import { isLoopback, type Settings, type Target } from "../config/settings.ts";

/** The table `control`: what there is one of. The installation's identity, whether it is paused, when it last looked around. */
export interface Installation {
  readonly id: string;
  /**
   * Binds the installation tag of a container group to the group's name, seals where pages end, and keeps ids of reruns from being guessed;
   * it leaves the service nowhere.
   */
  readonly tagKey: string;
  /** Why this app must not create anything with this storage, if it must not. */
  readonly refusal: string | undefined;
}

export interface Pause {
  readonly reason: string;
  readonly since: number;
}

/** The heartbeat of the sweep. */
export interface Heartbeat {
  /** When a pass of the sweep was last completed, whoever ran it. */
  readonly at: number | undefined;
  readonly arm: ArmState;
  readonly activeJobs: number;
  /** When ARM last answered us, and since when it answers as it does. */
  readonly armAt: number | undefined;
  readonly armSince: number | undefined;
  /** When the timer last ended a pass, and since when it has done so without a pause. */
  readonly timerAt: number | undefined;
  readonly timerSince: number | undefined;
  /** The same of the queue `aci-wake`: when it last delivered a pass's message, or had nothing to deliver. */
  readonly queueAt: number | undefined;
  readonly queueSince: number | undefined;
}

/** How Azure Resource Manager answered last. `throttled` is an answer too. */
const armStates = ["ok", "refused", "throttled", "unknown"] as const;
export type ArmState = (typeof armStates)[number];

/** What a pass of the sweep has to tell. */
export interface Pass {
  /** Whether it did what it is there for. */
  readonly completed: boolean;
  /** What began it. */
  readonly by: "timer" | "queue";
  /** What it saw, where it looked: how many jobs are active, how ARM answered, and whether a message for the next pass was to be sent. */
  readonly load: (Pick<Heartbeat, "activeJobs" | "arm"> & { readonly isMessageDue: boolean }) | undefined;
}

/** The timer, or the queue, that has brought on no pass for this long has stopped. */
export const clockSilence = 3 * minute;
const overdueTime = 2 * minute;
const glanceTime = 30 * second;

const partition = "control";
const identity = z.object({ id: z.string(), tagKey: z.string(), endpoint: z.string(), subscriptionId: z.string() });
/** Who an installation is, and which ARM and subscription it belongs to. */
type Identity = z.infer<typeof identity>;

function identityIn(row: unknown): Identity | undefined {
  return identity.safeParse(row).data;
}

const targetList = z.array(z.object({ subscriptionId: z.string(), resourceGroup: z.string() }));

export class Control {
  readonly #table: TableClient;
  readonly #storage: Storage;
  readonly #settings: Settings;
  readonly #newId: () => string;
  readonly #pacing: Pacing;
  #installation: Promise<Installation> | undefined;
  readonly #active: TtlCache<number>;
  #nextGlance = 0;

  constructor(storage: Storage, settings: Settings, newId: () => string, pacing: Pacing) {
    this.#storage = storage;
    this.#settings = settings;
    this.#table = storage.table(tableNames.control);
    this.#newId = newId;
    this.#pacing = pacing;
    this.#active = new TtlCache({ time: minute, max: 1, now: pacing.now });
  }

  /**
   * Who we are. One read where all is set up; the first start makes tables, queues and containers too (deployed ones exist already).
   *
   * @throws Unavailable when storage can't be reached
   */
  installation(): Promise<Installation> {
    this.#installation ??= this.#find();
    this.#installation.catch(() => (this.#installation = undefined));
    return this.#installation;
  }

  /**
   * Makes the tables, queues and containers anew where somebody deleted this table, or all that is in it: nothing else would, and no job
   * would go on. The installation stays who it was: as another one it would take its own groups for somebody else's.
   *
   * @returns whether that was so
   */
  async restore(): Promise<boolean> {
    const known = await this.installation();
    const row = await storageCall(() => this.#table.getEntity(partition, "installation"), 404);
    if (row !== 404) return false;
    await this.#find(known);
    return true;
  }

  /** Copies who we are into the index, from where {@link restore} and the next start take it back should this table be lost. */
  async keepIdentity(): Promise<void> {
    const row = await storageCall(() => this.#table.getEntity(partition, "installation"), 404);
    const known = row === 404 ? undefined : identityIn(row);
    if (known === undefined) return;
    const { id: installation, ...rest } = known;
    const index = this.#storage.table(tableNames.index);
    await storageCall(() => index.updateEntity(indexEntity(mark, { installation, ...rest }), "Merge"), 404);
  }

  /** What the index says of who we are, if it does. */
  async #keptIdentity(): Promise<Identity | undefined> {
    const index = this.#storage.table(tableNames.index);
    const { partitionKey, rowKey } = indexEntity(mark);
    const row = await storageCall(() => index.getEntity(partitionKey, rowKey), 404);
    return row === 404 ? undefined : identityIn({ ...row, id: row["installation"] });
  }

  /** @param known who we were before the table was lost, where this process knows it */
  #find(known?: Installation): Promise<Installation> {
    return rewrite<Installation>("the installation", this.#pacing, async () => {
      const found = await storageCall(() => this.#table.getEntity(partition, "installation"), 404);
      const key = { partitionKey: partition, rowKey: "installation" };
      if (found !== 404) {
        if (typeof found["tagKey"] === "string") return done(this.#judge(found, found["tagKey"]));
        // An installation from before the key: whoever is first gives it one.
        const entity = { ...key, tagKey: this.#newId() };
        const { etag } = found;
        const given = await storageCall(() => this.#table.updateEntity(entity, "Merge", { etag }), 404, 412);
        return typeof given === "number" ? conflict : done(this.#judge(found, entity.tagKey));
      }
      await this.#setUp();
      await beginIndex(this.#storage);
      const { id, tagKey } = known ?? { id: this.#newId(), tagKey: this.#newId() };
      const own = (await this.#keptIdentity()) ?? { id, tagKey, ...this.#pairing() };
      const made = await storageCall(() => this.#table.createEntity({ ...key, ...own }), 409);
      if (made === 409) return conflict;
      await this.keepIdentity();
      return done(this.#judge(own, own.tagKey));
    });
  }

  #pairing(): { endpoint: string; subscriptionId: string } {
    const { armEndpoint, targets } = this.#settings;
    return {
      endpoint: isLoopback(armEndpoint) ? "loopback" : armEndpoint,
      subscriptionId: targets[0]?.subscriptionId ?? "",
    };
  }

  /** Another ARM, or another subscription, would take this storage's jobs for its own and its groups for orphans. */
  #judge(found: Readonly<Record<string, unknown>>, tagKey: string): Installation {
    const here = this.#pairing();
    const { endpoint, subscriptionId } = found;
    const same =
      endpoint === here.endpoint &&
      (subscriptionId === "" || this.#settings.targets.some((target) => target.subscriptionId === subscriptionId));
    return {
      id: String(found["id"]),
      tagKey,
      refusal: same
        ? undefined
        : "This storage belongs to an installation with another Azure Resource Manager or subscription: use a storage account of its own.",
    };
  }

  async #setUp(): Promise<void> {
    const { queues, blobs } = this.#storage;
    await Promise.all([
      ...Object.values(tableNames).map((name) => storageCall(() => this.#storage.table(name).createTable(), 409)),
      ...Object.values(queueNames).flatMap((name) => [
        storageCall(() => queues.getQueueClient(name).createIfNotExists()),
        storageCall(() => queues.getQueueClient(`${name}-poison`).createIfNotExists()),
      ]),
      ...Object.values(blobContainers).map((name) =>
        storageCall(() => blobs.getContainerClient(name).createIfNotExists()),
      ),
    ]);
  }

  async paused(): Promise<Pause | undefined> {
    const row = await storageCall(() => this.#table.getEntity(partition, "pause"), 404);
    if (row === 404) return undefined;
    return { reason: String(row["reason"]), since: row["since"] instanceof Date ? row["since"].getTime() : 0 };
  }

  async pause(reason: string, now: number): Promise<void> {
    const entity = { partitionKey: partition, rowKey: "pause", reason, since: new Date(now) };
    await storageCall(() => this.#table.upsertEntity(entity, "Replace"));
  }

  async resume(): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, "pause"), 404);
  }

  /** All targets that were ever used: one that left the settings is swept until it is empty. */
  targets(current: readonly Target[]): Promise<readonly Target[]> {
    const now = current.map(({ subscriptionId, resourceGroup }) => ({ subscriptionId, resourceGroup }));
    return rewrite("the list of targets", this.#pacing, async () => {
      const row = await storageCall(() => this.#table.getEntity(partition, "targets"), 404);
      const before = row === 404 ? [] : targetList.safeParse(parseJson(row["list"])).data;
      const all = [
        ...new Map(
          [...(before ?? []), ...now].map((target) => [
            `${target.subscriptionId}/${target.resourceGroup.toLowerCase()}`,
            target,
          ]),
        ).values(),
      ];
      // A list that can't be read is left to a person: written over, its targets would be lost from sight.
      const grew = before !== undefined && all.length !== before.length;
      if (grew && !(await this.#putTargets(all, row === 404 ? undefined : row.etag))) return conflict;
      return done(all.map((target) => ({ ...target, location: undefined })));
    });
  }

  async #putTargets(list: z.infer<typeof targetList>, etag: string | undefined): Promise<boolean> {
    const entity = { partitionKey: partition, rowKey: "targets", list: JSON.stringify(list) };
    const result =
      etag === undefined
        ? await storageCall(() => this.#table.createEntity(entity), 409)
        : await storageCall(() => this.#table.updateEntity(entity, "Replace", { etag }), 404, 412);
    return typeof result !== "number";
  }

  /** When a group without a job was first noticed, kept for whoever asks again. */
  async firstObserved(id: string, now: number): Promise<number> {
    const entity = { partitionKey: "orphan", rowKey: id, at: new Date(now) };
    const made = await storageCall(() => this.#table.createEntity(entity), 409);
    if (made !== 409) return now;
    const row = await storageCall(() => this.#table.getEntity("orphan", id), 404);
    return row !== 404 && row["at"] instanceof Date ? row["at"].getTime() : now;
  }

  /** Removes groups that were noticed before that time: they are gone, or have been noticed since. False when the time was up first. */
  async forgetOrphans({ before, until, now }: Old): Promise<boolean> {
    const filter = `PartitionKey eq 'orphan' and at lt datetime'${new Date(before).toISOString()}'`;
    const rows = this.#table.listEntities({ queryOptions: { filter, select: ["RowKey"] } });
    for (;;) {
      const next = await storageCall(() => rows.next(), 404);
      if (next === 404 || next.done) return true;
      if (now() >= until) return false;
      await storageCall(() => this.#table.deleteEntity("orphan", String(next.value.rowKey)), 404);
    }
  }

  /** A pass of the sweep ended. */
  async heartbeat(now: number, { completed, by, load }: Pass): Promise<void> {
    const last = await this.lastHeartbeat();
    const since = (at: number | undefined, before: number | undefined): Date =>
      new Date((at !== undefined && now - at < clockSilence ? before : undefined) ?? now);
    const armSince = (last?.arm === load?.arm ? last?.armSince : undefined) ?? now;
    const entity = {
      partitionKey: partition,
      rowKey: "heartbeat",
      ...(completed ? { at: new Date(now) } : {}),
      ...(by === "timer" ? { timerAt: new Date(now), timerSince: since(last?.timerAt, last?.timerSince) } : {}),
      ...(by === "queue" || load?.isMessageDue === false
        ? { queueAt: new Date(now), queueSince: since(last?.queueAt, last?.queueSince) }
        : {}),
      ...(load === undefined ? {} : { activeJobs: load.activeJobs, arm: load.arm, armSince: new Date(armSince) }),
      ...(load?.arm === "ok" || load?.arm === "throttled" ? { armAt: new Date(now) } : {}),
    };
    await storageCall(() => this.#table.upsertEntity(entity, "Merge"));
  }

  /** Whether no pass of the sweep was completed for two minutes; reads the heartbeat at most every 30 s, and is false in between. */
  async isSweepOverdue(now: number): Promise<boolean> {
    if (now < this.#nextGlance) return false;
    this.#nextGlance = now + glanceTime;
    const last = await this.lastHeartbeat();
    return last?.at === undefined || now - last.at > overdueTime;
  }

  /** How many jobs were active about a minute ago; they are counted once a minute. */
  activeJobs(): Promise<number> {
    return this.#active.get("", async () => (await this.lastHeartbeat())?.activeJobs ?? 0);
  }

  async lastHeartbeat(): Promise<Heartbeat | undefined> {
    const row = await storageCall(() => this.#table.getEntity(partition, "heartbeat"), 404);
    if (row === 404) return undefined;
    const { arm, activeJobs } = row;
    const time = (name: string): number | undefined => {
      const value = row[name];
      return value instanceof Date ? value.getTime() : undefined;
    };
    return {
      activeJobs: typeof activeJobs === "number" ? activeJobs : 0,
      at: time("at"),
      arm: armStates.find((state) => state === arm) ?? "unknown",
      armAt: time("armAt"),
      armSince: time("armSince"),
      timerAt: time("timerAt"),
      timerSince: time("timerSince"),
      queueAt: time("queueAt"),
      queueSince: time("queueSince"),
    };
  }
}
