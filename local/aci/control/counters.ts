import type { CallKind, Route } from "../arm/routes.ts";
import { groupKey } from "../group.ts";
import type { Group, GroupId } from "../group.ts";

interface Live {
  now: number;
  most: number;
}

/** What tests ask about afterwards. A group is live from its accepted PUT until no container of it runs or will run. */
export class Counters {
  readonly #calls = new Map<CallKind, number>();
  readonly #statuses = new Map<string, number>();
  readonly #putCalls = new Map<string, number>();
  readonly #puts = new Map<string, number>();
  readonly #deployments = new Map<string, number>();
  readonly #byTag = new Map<string, Live>();
  readonly #live = new Map<string, readonly string[]>();
  #mostLive = 0;

  called(route: Route, status: number | string): void {
    add(this.#calls, route.kind);
    add(this.#statuses, `${route.kind} ${status}`);
    if (route.kind === "put") add(this.#putCalls, groupKey(route));
  }

  /** A PUT that was accepted. */
  accepted(id: GroupId): void {
    add(this.#puts, groupKey(id));
  }

  /** Containers were made to run: by a PUT that was no repetition, a start or a restart. */
  deployed(id: GroupId): void {
    add(this.#deployments, groupKey(id));
  }

  see(group: Group): void {
    const known = this.#live.get(group.key);
    const live = group.deployment.active;
    if (live === (known !== undefined)) return;
    if (!live) {
      this.lose(group);
      return;
    }
    const tags = Object.entries(group.definition.tags ?? {}).map(([name, value]) => `${name}=${value}`);
    this.#live.set(group.key, tags);
    this.#mostLive = Math.max(this.#mostLive, this.#live.size);
    for (const tag of tags) {
      const count = this.#byTag.get(tag) ?? { now: 0, most: 0 };
      count.now += 1;
      count.most = Math.max(count.most, count.now);
      this.#byTag.set(tag, count);
    }
  }

  lose(group: Group): void {
    for (const tag of this.#live.get(group.key) ?? []) {
      const count = this.#byTag.get(tag);
      if (count) count.now -= 1;
    }
    this.#live.delete(group.key);
  }

  clear(): void {
    for (const map of [this.#calls, this.#statuses, this.#putCalls, this.#puts, this.#deployments]) map.clear();
    for (const map of [this.#byTag, this.#live]) map.clear();
    this.#mostLive = 0;
  }

  /** `tag`: only tags of this name are listed. */
  view(tag: string | null): object {
    const tags = [...this.#byTag].filter(([pair]) => tag === null || pair.startsWith(`${tag}=`));
    return {
      calls: Object.fromEntries(this.#calls),
      statuses: Object.fromEntries(this.#statuses),
      liveGroups: this.#live.size,
      mostLiveGroups: this.#mostLive,
      putCallsByGroup: Object.fromEntries(this.#putCalls),
      putsByGroup: Object.fromEntries(this.#puts),
      deploymentsByGroup: Object.fromEntries(this.#deployments),
      liveByTag: Object.fromEntries(tags),
    };
  }
}

function add<K>(map: Map<K, number>, key: K): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
