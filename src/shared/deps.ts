import { randomBytes, randomUUID } from "node:crypto";
import type { Aci, AciOptions } from "./aci/client.ts";
import { Budget } from "./limits/rate-budget.ts";
import { Attempts } from "./store/attempts.ts";
import { Blobs } from "./store/blobs.ts";
import { Control, type Installation } from "./store/control.ts";
import { Ceilings } from "./limits/ceilings.ts";
import { GroupCheck } from "./limits/group-check.ts";
import { Groups } from "./limits/groups.ts";
import { WaitQueues } from "./limits/wait-queues.ts";
import { TeamSlots } from "./limits/team-slots.ts";
import { DailyBudget } from "./limits/daily-budget.ts";
import { Unavailable } from "./base/errors.ts";
import type { Pacing } from "./base/rewrite.ts";
import { InstallationTag } from "./aci/installation-tag.ts";
import { GovernedAci } from "./aci/governed-client.ts";
import { HeldMessages } from "./store/held-messages.ts";
import { Resender } from "./intake/resender.ts";
import { StoredTemplates } from "./intake/stored-templates.ts";
import { IndexRebuild } from "./store/index-rebuild.ts";
import { SteeringCopies } from "./store/steering-copies.ts";
import { JobIndex } from "./store/job-index.ts";
import { keyVaultRing } from "./security/key-vault-ring.ts";
import { JobStore } from "./store/jobs.ts";
import { LinkKeys } from "./security/link-keys.ts";
import type { Rules } from "./job/step.ts";
import { Placement } from "./limits/placement.ts";
import { ownCredential } from "./store/own-credential.ts";
import { PoisonQueue } from "./store/poison.ts";
import { Queues } from "./store/queues.ts";
import { Endpoint, type EndpointClient } from "./notify/endpoint.ts";
import { eventTopic } from "./notify/event-topic.ts";
import { webhook } from "./notify/webhook.ts";
import { fileKeyRing } from "./security/file-key-ring.ts";
import { safePost } from "./security/safe-post.ts";
import { SealedArrays } from "./security/sealed-arrays.ts";
import { Sealer, type KeyRing } from "./security/sealer.ts";
import type { Settings } from "./config/settings.ts";
import { connectStorage, tableNames, type Storage } from "./store/connect.ts";
import { observationCeilingFor } from "./job/timing.ts";
import { noTelemetry, type Telemetry } from "./base/telemetry.ts";
import type { Log } from "./base/log.ts";
import { BulkReruns } from "./store/bulk-reruns.ts";
import { BulkWorks } from "./store/bulk-works.ts";
import { OldBlobs } from "./store/old-blobs.ts";
import { OldRows } from "./store/old-rows.ts";
import { PeriodicRuns } from "./store/periodic-runs.ts";
import { ServiceStates } from "./store/service-states.ts";
import { Templates } from "./store/templates.ts";
import { UndeliveredEvents } from "./store/undelivered-events.ts";
import { UnreadableRows } from "./store/unreadable.ts";
import { Vault } from "./security/secret-vault.ts";

/** Everything that a handler may use; made once. Handlers take the part that they need, so that the type says what they can't do. */
export interface Deps {
  readonly settings: Settings;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** When this instance began. */
  readonly startedAt: number;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** For the rare short wait within a request; a job's own waits are messages. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly jobs: JobStore;
  readonly attempts: Attempts;
  readonly blobs: Blobs;
  readonly queues: Queues;
  readonly poison: PoisonQueue;
  /** Sends messages of `aci-jobs` again, so that they stay the same job. */
  readonly resender: Resender;
  /** Which of them wait, for people to see. */
  readonly held: HeldMessages;
  readonly control: Control;
  readonly periodicRuns: PeriodicRuns;
  readonly bulk: BulkWorks;
  readonly reruns: BulkReruns;
  readonly oldRows: OldRows;
  readonly oldBlobs: OldBlobs;
  readonly unreadable: UnreadableRows;
  readonly services: ServiceStates;
  /** The operator's endpoints that get events of every job, those that are set up. */
  readonly endpoints: readonly Endpoint[];
  readonly undelivered: UndeliveredEvents;
  readonly rebuild: IndexRebuild;
  readonly budget: Budget;
  readonly daily: DailyBudget;
  /** Of those teams that have one. */
  readonly teamBudgets: ReadonlyMap<string, DailyBudget>;
  readonly ceilings: Ceilings;
  readonly groups: Groups;
  readonly groupCheck: GroupCheck;
  readonly waitQueues: WaitQueues;
  readonly teamSlots: TeamSlots;
  readonly placement: Placement;
  readonly sealer: Sealer;
  readonly arrays: SealedArrays;
  readonly templates: StoredTemplates;
  /** The key that signs capability links. */
  readonly links: LinkKeys;
  /** The vault that definitions may refer to, if there is one. */
  readonly vault: Vault | undefined;
  /** POSTs JSON to a caller's own address and returns the status of the answer. Throws when there is no answer. */
  readonly post: (uri: string, body: string) => Promise<number>;
  /** Our installation's ACI. Throws {@link Unavailable} while storage can't say who we are. */
  readonly aci: () => Promise<{ readonly aci: GovernedAci; readonly installation: Installation }>;
}

export interface DepsOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly telemetry?: Telemetry;
  readonly now?: () => number;
  readonly random?: () => number;
  /** What stands in for Azure where the core is tried on simulated services. */
  readonly instead?: {
    readonly storage: Storage;
    readonly ring: KeyRing;
    readonly aci?: (installation: Installation) => Aci;
    readonly sleep: Deps["sleep"];
    readonly post?: Deps["post"];
    readonly endpoints?: readonly EndpointClient[];
  };
}

export function makeDeps(options: DepsOptions): Deps {
  const {
    settings,
    log,
    telemetry = noTelemetry,
    now = () => new Date().getTime(),
    random = Math.random,
    instead,
  } = options;
  const storage = instead?.storage ?? connectStorage(settings.storage, undefined, telemetry);
  const sleep = instead?.sleep ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)));
  const pacing: Pacing = { now, sleep, random };
  const control = new Control(storage, settings, randomUUID, pacing);
  const unreadable = new UnreadableRows(storage.table(tableNames.control), now);
  const index = new JobIndex(storage.table(tableNames.index), pacing);
  const budget = new Budget(storage.table(tableNames.control), settings, pacing);
  const teamSlots = new TeamSlots(settings.teams);
  const placement = new Placement(storage.table(tableNames.control), pacing);
  const ring = instead?.ring ?? keyRing(settings, now);
  const [blobs, queues] = [new Blobs(storage.blobs, settings, pacing), new Queues(storage.queues, telemetry)];
  const bytes = (size: number): Uint8Array => randomBytes(size);
  const messageKeys = new LinkKeys(storage.table(tableNames.control), ring, pacing, "message-key");
  const services = new ServiceStates(storage.table(tableNames.control));
  const copies = new SteeringCopies(storage.table(tableNames.control));
  const prices = { vcpuHour: settings.priceVcpuHour, gbHour: settings.priceGbHour, currency: settings.currency };
  const jobs = new JobStore(storage, index, prices, pacing, unreadable);
  const groups = new Groups(storage.table(tableNames.index), copies, teamSlots, pacing);
  const sealer = new Sealer(ring, now);
  let made: { readonly aci: GovernedAci; readonly installation: Installation } | undefined;
  return {
    settings,
    now,
    startedAt: now(),
    random,
    randomBytes: bytes,
    log,
    telemetry,
    jobs,
    attempts: new Attempts(storage.table(tableNames.attempts)),
    blobs,
    queues,
    poison: new PoisonQueue(storage.queues, now),
    resender: new Resender({ queues, blobs, keys: messageKeys, randomBytes: bytes }),
    held: new HeldMessages(storage.table(tableNames.control)),
    control,
    unreadable,
    services,
    endpoints: (instead?.endpoints ?? endpointsOf(settings, control)).map(
      (client) => new Endpoint(client, { states: services, now, log }),
    ),
    undelivered: new UndeliveredEvents(storage.table(tableNames.control), pacing),
    rebuild: new IndexRebuild(storage.table(tableNames.index), storage.table(tableNames.jobs), copies, prices, pacing),
    periodicRuns: new PeriodicRuns(storage.table(tableNames.control)),
    bulk: new BulkWorks(storage.table(tableNames.control)),
    reruns: new BulkReruns(storage.table(tableNames.control)),
    oldRows: new OldRows(storage.table(tableNames.jobs)),
    oldBlobs: new OldBlobs(storage.blobs),
    budget,
    daily: new DailyBudget(storage.table(tableNames.control), settings, pacing),
    teamBudgets: new Map(
      settings.teams.flatMap(({ name, vcpuSecondsPerDay: dailyVcpuSeconds }) =>
        dailyVcpuSeconds === undefined
          ? []
          : [[name, new DailyBudget(storage.table(tableNames.control), { dailyVcpuSeconds }, pacing, name)]],
      ),
    ),
    ceilings: new Ceilings(
      storage.table(tableNames.index),
      { all: settings.maxActiveJobs, perName: settings.maxActivePerName },
      pacing,
    ),
    groups,
    groupCheck: new GroupCheck(storage.table(tableNames.index), copies, teamSlots, pacing),
    teamSlots,
    waitQueues: new WaitQueues({ jobs, groups, budget, now }),
    placement,
    sleep,
    sealer,
    arrays: new SealedArrays(jobs, blobs, now),
    templates: new StoredTemplates(new Templates(storage.table(tableNames.control)), sealer, settings, now),
    links: new LinkKeys(storage.table(tableNames.control), ring, pacing),
    vault: settings.vaultUrl === undefined ? undefined : new Vault(settings.vaultUrl, ownCredential(), now),
    post: instead?.post ?? safePost(settings.callbackHosts),
    aci: async () => {
      const installation = await control.installation();
      made ??= {
        installation,
        aci: new GovernedAci(
          instead?.aci?.(installation) ?? (await realAci(settings, { installation, budget, now, telemetry })),
          {
            budget,
            placement,
            now,
          },
        ),
      };
      return made;
    },
  };
}

/** Where events go. The installation is their source. */
function endpointsOf(settings: Settings, control: Control) {
  const source = async (): Promise<string> => `/aciproxy/${(await control.installation()).id}`;
  const { eventTopic: topic, notifyWebhook: address, notifyOn: on } = settings;
  const clients: EndpointClient[] = [];
  if (topic !== undefined) clients.push(eventTopic(topic, ownCredential, source, settings));
  if (address !== undefined) {
    const { hostname } = new URL(address.reveal());
    const post = safePost([hostname.startsWith("127.") ? "localhost" : hostname]);
    clients.push(webhook(address, { post, on, links: settings }));
  }
  return clients;
}

/** Its client is loaded with the first use: calls over HTTP never reach ACI. */
async function realAci(
  { armEndpoint: endpoint }: Settings,
  { installation, budget, now, telemetry }: Pick<Deps, "budget" | "now" | "telemetry"> & { installation: Installation },
): Promise<Aci> {
  const { Aci } = await import("./aci/client.ts");
  const limits: AciOptions["limits"] = (remaining) => budget.heed(remaining, now());
  const tag = new InstallationTag(installation);
  return new Aci({ endpoint, credential: ownCredential(), tag, now, limits, telemetry });
}

function keyRing(settings: Settings, now: () => number): KeyRing {
  const { sealKeyId: keyId } = settings;
  if (keyId !== undefined) return keyVaultRing({ keyId, credential: ownCredential(), now });
  if (settings.sealKeyFile !== undefined) return fileKeyRing(settings.sealKeyFile);
  const missing = (): Promise<never> => Promise.reject(new Unavailable("seal key", "No sealing key is configured."));
  return { wrap: missing, unwrap: missing };
}

/**
 * @param activeJobs how many there are: the more, the less often each is observed
 * @param backlog see {@link Rules}
 */
export function rulesOf({ settings, random }: Pick<Deps, "settings" | "random">, activeJobs = 0, backlog = 0): Rules {
  const observationCeiling = observationCeilingFor(
    activeJobs,
    settings.observationCeiling,
    settings.armReads.perSecond,
  );
  return { ...settings, observationCeiling, backlog, random: random() };
}
