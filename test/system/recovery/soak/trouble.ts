import { second } from "../../../../src/shared/base/duration.ts";
import type { Gate, ProxiedCall, Refusal, Service } from "../../../kit/proxy.ts";
import type { World } from "../world.ts";

/** How much went wrong, by kind. */
export interface Struck {
  cut: number;
  delayed: number;
  refused: number;
  kills: number;
  freezes: number;
}

/** What one part of storage does for a while. */
interface Spell {
  readonly service: Exclude<Service, "arm">;
  /** Calls to one table; else the whole service. */
  readonly path?: RegExp;
  readonly does: "refuse writes" | "refuse all" | "delay";
}

const spells: readonly Spell[] = [
  { service: "table", path: /\/jobs\b/, does: "refuse writes" },
  { service: "table", path: /\/jobindex\b|\$batch/, does: "refuse writes" },
  { service: "table", path: /\/control\b/, does: "refuse writes" },
  { service: "table", does: "refuse all" },
  { service: "table", does: "delay" },
  { service: "queue", does: "refuse all" },
  { service: "queue", does: "delay" },
  { service: "blob", does: "refuse writes" },
  { service: "blob", does: "delay" },
];

const busy: Refusal = {
  status: 503,
  headers: { "content-type": "application/json", "x-ms-error-code": "ServerBusy" },
  body: JSON.stringify({
    "odata.error": { code: "ServerBusy", message: { lang: "en", value: "The server is busy." } },
  }),
};

/** Of storage's time: longer than its client waits for an answer. */
const longDelay = 40 * second;

/** Storage as it is on a bad day: some calls are cut, before the service saw them or after; now and then a part refuses or is slow. */
export class BadStorage implements Gate {
  readonly #random: () => number;
  readonly #ours: (milliseconds: number) => number;
  readonly struck: Struck = { cut: 0, delayed: 0, refused: 0, kills: 0, freezes: 0 };
  readonly forgets = true;
  spell: Spell | undefined;
  /** Chance that a call is cut. */
  chance = 0;

  /** @param factor how much faster its time runs */
  constructor(random: () => number, factor: number) {
    this.#random = random;
    this.#ours = (milliseconds) => milliseconds / factor;
  }

  async before(call: ProxiedCall): Promise<"pass" | "cut" | Refusal> {
    const { spell } = this;
    if (spell !== undefined && applies(spell, call)) {
      if (spell.does !== "delay") {
        this.struck.refused++;
        return busy;
      }
      if (this.#random() < 0.2) {
        this.struck.delayed++;
        await new Promise((resolve) => setTimeout(resolve, this.#ours(longDelay)));
      }
    }
    return this.#cut(call);
  }

  after(call: ProxiedCall): "pass" | "cut" {
    return this.#cut(call);
  }

  #cut({ service }: ProxiedCall): "pass" | "cut" {
    if (service === "arm" || this.#random() >= this.chance / 2) return "pass";
    this.struck.cut++;
    return "cut";
  }
}

function applies({ service, path, does }: Spell, call: ProxiedCall): boolean {
  if (call.service !== service) return false;
  if (does === "refuse writes" && call.method === "GET") return false;
  return path?.test(call.url.pathname) ?? true;
}

/** Where each kind of trouble begins among all: part of storage, a killed host, a frozen one. The first three are one of each. */
const [toKill, toFreeze] = [0.55, 0.8];
const firstKinds = [0, toKill, toFreeze];

/** One thing after another befalls storage and hosts, until `isOver` or so often. Each lasts up to a minute and a half of its time. */
export async function makeTrouble(
  world: World,
  storage: BadStorage,
  random: () => number,
  { isOver, most }: { readonly isOver: () => boolean; readonly most: number },
): Promise<void> {
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, world.ours(milliseconds)));
  const oneOf = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  for (let n = 0; n < most && !isOver(); n++) {
    await pause((15 + 45 * random()) * second);
    const [kind, host] = [firstKinds[n] ?? random(), Math.floor(random() * world.urls.length)];
    if (kind < toKill) {
      storage.spell = oneOf(spells);
      await pause((10 + 80 * random()) * second);
      storage.spell = undefined;
    } else if (kind < toFreeze) {
      await world.kill(host);
      storage.struck.kills++;
      await world.boot();
    } else {
      storage.struck.freezes++;
      await world.freeze(host, (20 + 70 * random()) * second);
    }
  }
}
