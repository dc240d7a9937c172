import { createHmac } from "node:crypto";
import { nameKey } from "../base/ids.ts";
import type { Target } from "../config/settings.ts";

/** Where a group stands, as far as its installation tag is bound to it. */
export type GroupAddress = Pick<Target, "subscriptionId" | "resourceGroup"> & { readonly name: string };

/**
 * The value of the tag that says whose a group is. A keyed hash binds it to the group's own name and resource group, so that a copy
 * of the tags on another group (`az container export` writes them out) proves nothing.
 */
export class InstallationTag {
  readonly #id: string;
  readonly #key: string;

  constructor({ id, tagKey }: { readonly id: string; readonly tagKey: string }) {
    this.#id = id;
    this.#key = tagKey;
  }

  valueFor({ subscriptionId, resourceGroup, name }: GroupAddress): string {
    const place = [subscriptionId, resourceGroup, nameKey(name)].map((part) => part.toLowerCase()).join("/");
    const hash = createHmac("sha256", this.#key).update(place).digest("base64url");
    return `${this.#id}.${hash.slice(0, 22)}`;
  }

  /** `old`: the form without a hash, which proves something only for a job whose row is known. */
  check(value: string, place: GroupAddress): "bound" | "old" | "foreign" {
    if (value === this.valueFor(place)) return "bound";
    return value === this.#id ? "old" : "foreign";
  }
}
