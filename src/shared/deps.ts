import { DefaultAzureCredential } from "@azure/identity";
import { randomBytes, randomUUID } from "node:crypto";
import { Aci } from "./aci.ts";
import { Attempts } from "./attempts.ts";
import { Blobs } from "./blobs.ts";
import { Control, tableNames, type Installation } from "./control.ts";
import { Unavailable } from "./errors.ts";
import { JobIndex } from "./job-index.ts";
import { JobStore } from "./jobs.ts";
import type { Rules } from "./step.ts";
import { Queues } from "./queue.ts";
import { fileKeyRing, Sealer, type KeyRing } from "./seal.ts";
import type { Settings } from "./settings.ts";
import { connectStorage } from "./storage.ts";
import type { Log } from "./telemetry.ts";

/** Everything that a handler may use; made once. Handlers take the part that they need, so that the type says what they can't do. */
export interface Deps {
  readonly settings: Settings;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: Log;
  readonly jobs: JobStore;
  readonly attempts: Attempts;
  readonly blobs: Blobs;
  readonly queues: Queues;
  readonly control: Control;
  readonly sealer: Sealer;
  /** Our installation's ACI. Throws {@link Unavailable} while storage can't say who we are. */
  readonly aci: () => Promise<{ readonly aci: Aci; readonly installation: Installation }>;
}

export interface DepsOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly now?: () => number;
  readonly random?: () => number;
}

export function makeDeps({ settings, log, now = () => new Date().getTime(), random = Math.random }: DepsOptions): Deps {
  const storage = connectStorage(settings.storage);
  const control = new Control(storage, settings, randomUUID);
  const index = new JobIndex(storage.table(tableNames.index));
  const { priceVcpuHour, priceGbHour, currency } = settings;
  let made: { readonly aci: Aci; readonly installation: Installation } | undefined;
  return {
    settings,
    now,
    random,
    randomBytes: (size) => randomBytes(size),
    log,
    jobs: new JobStore(storage.table(tableNames.jobs), index, {
      vcpuHour: priceVcpuHour,
      gbHour: priceGbHour,
      currency,
    }),
    attempts: new Attempts(storage.table(tableNames.attempts)),
    blobs: new Blobs(storage.blobs),
    queues: new Queues(storage.queues),
    control,
    sealer: new Sealer(keyRing(settings), now),
    aci: async () => {
      const installation = await control.installation();
      made ??= {
        installation,
        aci: new Aci({
          endpoint: settings.armEndpoint,
          credential: new DefaultAzureCredential(),
          installation: installation.id,
          now,
        }),
      };
      return made;
    },
  };
}

function keyRing(settings: Settings): KeyRing {
  if (settings.sealKeyFile !== undefined) return fileKeyRing(settings.sealKeyFile);
  const missing = (): Promise<never> => Promise.reject(new Unavailable("seal key", "No sealing key is configured."));
  return { wrap: missing, unwrap: missing };
}

export function rulesOf({ settings, random }: Pick<Deps, "settings" | "random">): Rules {
  const { stopTimeout, keepTime, lookFloor, lookCeiling, freeRetries, adoptFinishedGroups } = settings;
  return { stopTimeout, keepTime, lookFloor, lookCeiling, freeRetries, adoptFinishedGroups, random: random() };
}
