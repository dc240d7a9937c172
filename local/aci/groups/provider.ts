import { randomUUID } from "node:crypto";
import {
  ArmError,
  groupNotFound,
  inaccessibleImage,
  INTERNAL,
  invalidUpdate,
  otherLocation,
  PREEMPTED,
  PROVISIONING_FAILED,
  registryError,
  transitioning,
} from "../arm/errors.ts";
import type { ArmErrorBody } from "../arm/errors.ts";
import { Operations } from "../arm/operations.ts";
import type { Operation } from "../arm/operations.ts";
import type { Clock } from "../clock.ts";
import { readDefinition } from "../definition/definition.ts";
import type { Definition } from "../definition/definition.ts";
import { checkDefinition } from "../definition/rules.ts";
import { groupSpec } from "../engine.ts";
import type { Engine } from "../engine.ts";
import type { Action, Cause } from "../events.ts";
import { groupKey, locationOf, newIdentity, normalLocation } from "../group.ts";
import type { Group, GroupId } from "../group.ts";
import { Deployment } from "./deployment.ts";
import type { Surroundings } from "./surroundings.ts";
import { compare } from "./update.ts";
import { coresOf, RegionUsage } from "./usage.ts";

export interface ProviderOptions {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly around: Surroundings;
}

/** How a request ended; with an operation, the work goes on. */
export interface Outcome {
  readonly group: Group;
  readonly created: boolean;
  readonly operation: Operation | undefined;
}

export type Restored = Omit<Group, "deployment" | "deleting"> & {
  readonly open: (changed: () => void) => Deployment;
  /** The deletion that was under way. */
  readonly deletion: Operation | undefined;
};

/**
 * The resource provider: container groups by id, and what may be done to them. It decides; HTTP, limits, persistence and events lie
 * around it. Sources: "Update containers", "Stop and start", and the operations of the TypeSpec (ContainerGroup.tsp).
 */
export class Provider {
  readonly operations = new Operations();
  readonly usage = new RegionUsage();
  readonly #groups = new Map<string, Group>();
  /** Names whose PUT is being decided. */
  readonly #deciding = new Set<string>();
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #around: Surroundings;

  constructor({ clock, engine, around }: ProviderOptions) {
    this.#clock = clock;
    this.#engine = engine;
    this.#around = around;
  }

  all(): Iterable<Group> {
    return this.#groups.values();
  }

  find(id: GroupId): Group | undefined {
    return this.#groups.get(groupKey(id));
  }

  get(id: GroupId): Group {
    const group = this.find(id);
    if (!group) throw groupNotFound(id.resourceGroup, id.name);
    return group;
  }

  async put(id: GroupId, body: unknown, cause: Cause): Promise<Outcome> {
    const key = groupKey(id);
    if (this.#deciding.has(key)) throw transitioning(id.name);
    this.#deciding.add(key);
    try {
      const definition = readDefinition(body);
      checkDefinition(id.name, definition);
      const existing = this.find(id);
      return existing ? await this.#update(existing, definition, cause) : await this.#create(id, definition, cause);
    } catch (error) {
      const existed = this.find(id) !== undefined;
      if (error instanceof ArmError) this.#around.decided(id, "write", cause, existed, error.body().error);
      throw error;
    } finally {
      this.#deciding.delete(key);
    }
  }

  /** Hears nothing of its groups any more: what happens to containers now is the service's own end, not theirs. */
  detach(): void {
    for (const group of this.#groups.values()) group.deployment.detach();
  }

  async #create(id: GroupId, definition: Definition, cause: Cause): Promise<Outcome> {
    const location = normalLocation(definition.location ?? "");
    const cores = coresOf(definition);
    this.#around.admitCreate(id, location, cores, this.usage.of(id.subscription, location));
    const key = randomUUID();
    await this.#checkImages(key, id.name, definition);
    const operation = this.#begin("create", id, definition, cause, false);
    const group: Group = {
      id,
      key,
      createdAt: this.#clock.now(),
      definition,
      deployment: this.#open(key, id, definition, () => this.#changed(group)),
      operation,
      deleting: undefined,
      systemIdentity: newIdentity(),
    };
    this.#groups.set(groupKey(id), group);
    this.usage.add(id.subscription, location, { groups: 1, cores });
    this.#around.changed(group);
    this.#start(group);
    return { group, created: true, operation };
  }

  async #update(group: Group, definition: Definition, cause: Cause): Promise<Outcome> {
    this.#mustBeSettled(group);
    const { id } = group;
    const location = normalLocation(definition.location ?? "");
    if (location !== locationOf(group)) throw otherLocation(id, locationOf(group), location);
    if (group.deployment.active) {
      const update = compare(group.definition, definition);
      if (update === "refused") throw invalidUpdate(id.name);
      if (update === "nothing") {
        group.definition = definition;
        this.#around.changed(group);
        this.#around.decided(id, "write", cause, true);
        return { group, created: false, operation: undefined };
      }
    } else {
      // A finished group is no update: its resources were given back, so this is a creation.
      const { groups, cores } = this.usage.of(id.subscription, location);
      const without = { groups: groups - 1, cores: cores - coresOf(group.definition) };
      this.#around.admitCreate(id, location, coresOf(definition), without);
    }
    await this.#checkImages(group.key, id.name, definition);
    if (this.find(id) !== group) throw transitioning(id.name);
    this.#mustBeSettled(group);
    const operation = await this.#redeploy(group, definition, "create", cause);
    return { group, created: false, operation };
  }

  async #checkImages(key: string, name: string, definition: Definition): Promise<void> {
    const fault = await this.#engine.check(groupSpec(key, name, definition));
    if (fault?.code === "InaccessibleImage") throw inaccessibleImage(fault.image, name);
    if (fault) throw registryError(fault.server);
  }

  async #redeploy(group: Group, definition: Definition, kind: Operation["kind"], cause: Cause): Promise<Operation> {
    const { id } = group;
    const operation = this.#begin(kind, id, definition, cause, true);
    group.operation = operation;
    try {
      await group.deployment.close();
    } catch (error) {
      group.operation = undefined;
      this.#conclude(operation, id, INTERNAL);
      throw error;
    }
    // A deletion that came meanwhile is the last word.
    if (this.find(id) !== group || isDeleting(group)) return operation;
    const change = { groups: 0, cores: coresOf(definition) - coresOf(group.definition) };
    this.usage.add(id.subscription, locationOf(group), change);
    group.definition = definition;
    group.deployment = this.#open(group.key, id, definition, () => this.#changed(group));
    this.#around.changed(group);
    this.#start(group);
    return operation;
  }

  #open(key: string, id: GroupId, definition: Definition, changed: () => void): Deployment {
    return Deployment.open(this.#engine, groupSpec(key, id.name, definition), this.#clock, changed);
  }

  #start(group: Group): void {
    const plan = this.#around.plan(group);
    if (!isDeleting(group)) group.deployment.begin(plan);
  }

  #begin(kind: Operation["kind"], id: GroupId, definition: Definition, cause: Cause, existed: boolean): Operation {
    return this.operations.begin({
      id: cause.requestId,
      kind,
      subscription: id.subscription,
      resourceGroup: id.resourceGroup,
      group: id.name,
      location: normalLocation(definition.location ?? ""),
      startTime: this.#clock.now(),
      cause,
      existed,
    });
  }

  #changed(group: Group): void {
    const { provisioning } = group.deployment.life;
    const { operation } = group;
    if (operation && (provisioning === "Succeeded" || provisioning === "Failed")) {
      group.operation = undefined;
      this.#conclude(operation, group.id, provisioning === "Succeeded" ? undefined : PROVISIONING_FAILED);
    }
    this.#around.changed(group);
  }

  #conclude(operation: Operation, id: GroupId, error: ArmErrorBody | undefined): void {
    const endTime = this.#clock.now();
    operation.outcome = error ? { status: "Failed", endTime, error } : { status: "Succeeded", endTime };
    this.#around.decided(id, ACTIONS[operation.kind], operation.cause, operation.existed, error);
  }

  /** Takes up a group that an earlier life of the service knew. */
  restore({ open, deletion, ...saved }: Restored): void {
    const known: { group?: Group } = {};
    const deployment = open(() => {
      if (known.group) this.#changed(known.group);
    });
    const group: Group = { ...saved, deployment, deleting: deletion };
    known.group = group;
    this.#groups.set(groupKey(group.id), group);
    const used = { groups: 1, cores: coresOf(group.definition) };
    this.usage.add(group.id.subscription, locationOf(group), used);
    this.#changed(group);
    if (deletion) void this.#finishDeletion(group, deletion);
  }

  /** Tags only. */
  patch(id: GroupId, body: unknown, cause: Cause): Group {
    const group = this.get(id);
    if (group.deleting) throw transitioning(id.name);
    const { tags } = readDefinition(body);
    if (tags) group.definition = { ...group.definition, tags };
    this.#around.changed(group);
    this.#around.decided(group.id, "write", cause, true);
    return group;
  }

  /**
   * `undefined` where there is no such group. What ended already is gone when this resolves; where containers run, the operation shows
   * when it is.
   */
  async delete(id: GroupId, cause: Cause): Promise<Outcome | undefined> {
    const group = this.find(id);
    if (!group) return undefined;
    if (group.deleting) return { group, created: false, operation: group.deleting };
    this.#around.admitDelete(group.id, locationOf(group));
    const operation = this.#begin("delete", group.id, group.definition, cause, true);
    const { active } = group.deployment;
    group.deleting = operation;
    this.#around.changed(group);
    const removed = this.#finishDeletion(group, operation);
    if (!active) await removed;
    return { group, created: false, operation: active ? operation : undefined };
  }

  async #finishDeletion(group: Group, operation: Operation): Promise<void> {
    try {
      await this.#remove(group);
      this.#conclude(operation, group.id, undefined);
    } catch (error) {
      // It is still there, and can be deleted again.
      group.deleting = undefined;
      this.#conclude(operation, group.id, INTERNAL);
      this.#around.failed(error);
    }
  }

  /**
   * Takes a group away without an operation or an event.
   *
   * @param error with which the operation fails that made it
   */
  async vanish(group: Group, error?: ArmErrorBody): Promise<void> {
    const { operation } = group;
    await this.#remove(group);
    if (operation && error) operation.outcome = { status: "Failed", endTime: this.#clock.now(), error };
  }

  async #remove(group: Group): Promise<void> {
    await group.deployment.stop();
    await group.deployment.close();
    if (group.operation) {
      group.operation.outcome = { status: "Canceled", endTime: this.#clock.now(), error: PREEMPTED };
      group.operation = undefined;
    }
    // Gone is gone: a service that comes after this one must not know it either.
    this.#around.gone(group);
    if (this.find(group.id) === group) {
      this.#groups.delete(groupKey(group.id));
      const change = { groups: -1, cores: -coresOf(group.definition) };
      this.usage.add(group.id.subscription, locationOf(group), change);
    }
  }

  /** Resolves when nothing runs any more. Succeeded and Failed groups stay what they are. */
  async stop(id: GroupId, cause: Cause): Promise<void> {
    const group = this.get(id);
    this.#mustBeSettled(group);
    await group.deployment.stop();
    this.#around.decided(group.id, "stop/action", cause, true);
  }

  /** `undefined` where it runs already. */
  async start(id: GroupId, cause: Cause): Promise<Operation | undefined> {
    const group = this.get(id);
    this.#mustBeSettled(group);
    return group.deployment.active ? undefined : this.#redeploy(group, group.definition, "start", cause);
  }

  async restart(id: GroupId, cause: Cause): Promise<Operation> {
    const group = this.get(id);
    this.#mustBeSettled(group);
    return this.#redeploy(group, group.definition, "restart", cause);
  }

  #mustBeSettled(group: Group): void {
    const stopping = group.deployment.life.phase === "Stopping";
    if (group.deleting || group.operation || stopping) throw transitioning(group.id.name);
  }
}

const ACTIONS: Record<Operation["kind"], Action> = {
  create: "write",
  delete: "delete",
  start: "start/action",
  restart: "restart/action",
};

/** Asked anew after a wait, when it may have changed. */
const isDeleting = (group: Group): boolean => group.deleting !== undefined;
