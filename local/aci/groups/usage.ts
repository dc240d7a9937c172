import type { Definition } from "../definition/definition.ts";

export interface Used {
  readonly groups: number;
  readonly cores: number;
}

/** What each subscription uses in each region: counted as groups come and go, so that asking costs nothing. */
export class RegionUsage {
  readonly #used = new Map<string, Used>();

  of(subscription: string, location: string): Used {
    return this.#used.get(key(subscription, location)) ?? { groups: 0, cores: 0 };
  }

  add(subscription: string, location: string, change: Used): void {
    const { groups, cores } = this.of(subscription, location);
    this.#used.set(key(subscription, location), { groups: groups + change.groups, cores: cores + change.cores });
  }
}

const key = (subscription: string, location: string): string => `${subscription.toLowerCase()}/${location}`;

/** Whole cores, as the quota counts them. */
export const coresOf = (definition: Definition): number =>
  Math.ceil(
    (definition.properties?.containers ?? []).reduce(
      (sum, container) => sum + (container.properties?.resources?.requests?.cpu ?? 0),
      0,
    ),
  );
