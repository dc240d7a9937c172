import { isJsonObject, member, type JsonObject, type JsonValue } from "../base/json.ts";
import type { Spot } from "./text/positions.ts";
import { nameInPath, Trail } from "./text/trail.ts";
import type { Node } from "./text/tree.ts";

/**
 * A look at one value of a definition's body: names are found without regard to case, what is not there is `undefined` all the way
 * down, and, where the tree is at hand, everything has its place. What is missing has the place of what should hold it.
 */
export class Cursor implements Spot {
  readonly value: JsonValue | undefined;
  readonly #node: Node | undefined;
  readonly #trail: Trail;

  private constructor(value: JsonValue | undefined, node: Node | undefined, trail: Trail) {
    this.value = value;
    this.#node = node;
    this.#trail = trail;
  }

  /** @param node the tree that the body was made from, when places are wanted */
  static over(body: JsonObject, node?: Node): Cursor {
    return new Cursor(body, node, Trail.top(0));
  }

  get path(): string {
    return this.#trail.path;
  }

  get offset(): number {
    return this.#trail.offset;
  }

  get(name: string): Cursor {
    const found = isJsonObject(this.value) ? member(this.value, name) : undefined;
    const key = found?.key ?? name;
    const entry = found && this.#node?.kind === "map" ? this.#node.entries.get(key) : undefined;
    return new Cursor(found?.value, entry?.node, this.#trail.to(key, entry?.at ?? this.offset));
  }

  /** The items of a list; empty for anything else. */
  get items(): Cursor[] {
    if (!Array.isArray(this.value)) return [];
    const nodes = this.#node?.kind === "list" ? this.#node.items : [];
    return this.value.map(
      (item, index) => new Cursor(item, nodes[index], this.#trail.to(index, nodes[index]?.at ?? this.offset)),
    );
  }

  /** The items of a list of objects, without those of another type, which are reported already. */
  get records(): Cursor[] {
    return this.items.filter(({ value }) => value === null || isJsonObject(value));
  }

  /** The members of an object by their names; empty for anything else. */
  get members(): [name: string, member: Cursor][] {
    if (!isJsonObject(this.value)) return [];
    const { entries } = this.#node?.kind === "map" ? this.#node : { entries: undefined };
    return Object.entries(this.value).map(([name, value]) => {
      const entry = entries?.get(name);
      return [name, new Cursor(value, entry?.node, this.#trail.to(name, entry?.at ?? this.offset))];
    });
  }

  /** What a path from here leads to: `properties.containers[0].name`. */
  find(path: string): Cursor | undefined {
    if (path === "") return this;
    const [item, index] = /^\[(\d+)\]/.exec(path) ?? [];
    if (item !== undefined) return this.items[Number(index)]?.find(path.slice(item.length));
    const rest = path.replace(/^\./, "");
    for (const key of isJsonObject(this.value) ? Object.keys(this.value) : []) {
      const name = nameInPath(key, this.#trail.name);
      const after = rest.slice(name.length);
      if (!rest.startsWith(name) || !/^(?:$|[.[])/.test(after)) continue;
      const found = this.get(key).find(after);
      if (found) return found;
    }
    return undefined;
  }

  /** Neither missing nor null, which the service doesn't tell apart. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** Missing, null, or with nothing in it. */
  get empty(): boolean {
    return !this.present || this.value === "" || (Array.isArray(this.value) && this.value.length === 0);
  }

  /** Text that is not empty. */
  get text(): string | undefined {
    return typeof this.value === "string" && this.value !== "" ? this.value : undefined;
  }

  /** The text in lower case, for words that the service takes in any. */
  get word(): string | undefined {
    return this.text?.toLowerCase();
  }

  /** A number, or a number in quotes. */
  get number(): number | undefined {
    const { value } = this;
    const number = typeof value === "string" && value.trim() !== "" && value.length <= 40 ? Number(value) : value;
    return typeof number === "number" && Number.isFinite(number) ? number : undefined;
  }
}
