import fc, { type AsyncCommand } from "fast-check";
import { settled } from "./scheduler.ts";
import type { World } from "./world.ts";

/** What may happen. Numbers choose among what there is, so that any list of commands can be carried out, and cut down when it fails. */
type Model = Record<string, never>;
export type Command = AsyncCommand<Model, World>;

export class Happening implements Command {
  readonly #shown: string;
  readonly #happen: (world: World) => void | Promise<void>;

  constructor(shown: string, happen: (world: World) => void | Promise<void>) {
    this.#shown = shown;
    this.#happen = happen;
  }

  check(): boolean {
    return true;
  }

  async run(_: Model, world: World): Promise<void> {
    await this.#happen(world);
    await settled();
    const [first] = world.judge.violations;
    if (first !== undefined) throw new Error(first);
  }

  toString(): string {
    return this.#shown;
  }
}

export const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];
export const some = fc.nat(11);
export const host = fc.nat(2);
