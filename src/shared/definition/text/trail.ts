import { foldName } from "../../base/json.ts";
import type { Spot } from "./positions.ts";

/** Longer names in a path are cut: they come from the caller. */
const longest = 300;

/** A property's name for a sentence; what doesn't look like a name is not repeated. */
export function labelOf(key: string): string {
  return /^[A-Za-z][\w.-]{0,59}$/.test(key) ? key : "This property";
}

/**
 * A name as a path shows it to people. What doesn't read like a name may be a secret in the wrong place, and stands as `?`. Tags have any
 * name, and identities are named by their resource id: those are shown, but for line breaks and terminal codes.
 *
 * @param within the name of the object that it is a member of
 */
export function nameInPath(name: string, within: string | undefined): string {
  if (/^[A-Za-z_][\w. -]{0,59}$/.test(name)) return name;
  const isFree = within !== undefined && /^tags$/i.test(within);
  if (!isFree && !/^\/subscriptions\/[\w.()/<> -]+$/i.test(name)) return "?";
  return name.slice(0, longest).replace(/[\u0000-\u001F\u007F-\u009F]/g, "\uFFFD");
}

/** A position on the way down into a definition. The path's text is made only when something is reported there. */
export class Trail implements Spot {
  readonly #parent: Trail | undefined;
  readonly #segment: string | number;
  readonly offset: number;

  private constructor(parent: Trail | undefined, segment: string | number, offset: number) {
    this.#parent = parent;
    this.#segment = segment;
    this.offset = offset;
  }

  /** The whole text. */
  static top(offset: number): Trail {
    return new Trail(undefined, "", offset);
  }

  to(segment: string | number, offset: number): Trail {
    return new Trail(this, segment, offset);
  }

  get parent(): Trail | undefined {
    return this.#parent;
  }

  /** The mapping around the one that this is a member of, lists passed over: "one level up". */
  get above(): Trail | undefined {
    let trail = this.#parent;
    while (trail && typeof trail.#segment === "number") trail = trail.#parent;
    return trail?.parent;
  }

  /** Of the property or member; absent for an item of a list. */
  get name(): string | undefined {
    return typeof this.#segment === "number" ? undefined : this.#segment;
  }

  /** What a sentence calls this place: the name of the nearest property, where it reads like one. */
  get label(): string {
    if (typeof this.#segment === "number") return this.#parent?.label ?? labelOf("");
    return labelOf(this.#segment);
  }

  /** Distinguishes any two positions of a body; of a name at the top the letter case does not count, which is written Azure's way there. */
  get key(): string {
    if (!this.#parent) return "";
    const segment =
      this.#parent.#parent === undefined && typeof this.#segment === "string" ? foldName(this.#segment) : this.#segment;
    return `${this.#parent.key}/${JSON.stringify(segment)}`;
  }

  /** Like `properties.containers[0].properties.image`; empty for the whole text. */
  get path(): string {
    if (!this.#parent) return "";
    const before = this.#parent.path;
    if (typeof this.#segment === "number") return `${before}[${this.#segment}]`;
    const { name: within } = this.#parent;
    const name = nameInPath(this.#segment, within);
    return before === "" ? name : `${before}.${name}`;
  }
}
