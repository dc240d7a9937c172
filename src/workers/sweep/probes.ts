import { second } from "../../shared/base/duration.ts";
import { messageOf } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import { maxReadTime } from "../../shared/health/state.ts";
import { endpointNames } from "../../shared/job/job-events.ts";
import type { ProbedService } from "../../shared/store/service-states.ts";

/**
 * Asks the seal key and the vault whether they work, so that an outage shows before a job needs them: an operation of Key Vault each a
 * minute. Of the tables it notes how long they take. Where logs are stored, it is asked for a write while jobs are active alone: that is
 * the dearest operation of all, and an idle installation makes no such call.
 */
export async function probeServices({
  now,
  sealer,
  vault,
  services,
  endpoints,
  blobs,
  control,
}: Pick<Deps, "now" | "sealer" | "vault" | "services" | "endpoints" | "blobs" | "control">): Promise<void> {
  const asked = now();
  const before = await services.all();
  const took = now() - asked;
  const slow = took <= maxReadTime ? undefined : `Tables took ${(took / second).toFixed(1)} s to answer.`;
  const probe = async (service: ProbedService, ask: () => Promise<void>): Promise<void> => {
    const error = await ask().then(() => undefined, messageOf);
    await services.record(service, error, now(), before.get(service));
  };
  // Endpoints are tried with events. Until the first one fails it counts as one that works.
  const removed = endpointNames.filter((name) => before.has(name) && !endpoints.some((set) => set.name === name));
  const added = endpoints.filter(({ name }) => !before.has(name));
  // Asked before the others begin: nobody would wait for these if it failed among them.
  const hasJobs = (await control.activeJobs()) > 0;
  await Promise.all([
    ...removed.map((name) => services.forget(name)),
    ...added.map(({ name }) => services.record(name, undefined, now())),
    services.record("storage", slow, now(), before.get("storage")),
    (hasJobs || before.get("logStorage")?.ok === false) && probe("logStorage", () => blobs.logs.probe()),
    probe("sealKey", () => sealer.probe()),
    vault === undefined ? before.has("vault") && services.forget("vault") : probe("vault", () => vault.probe()),
  ]);
}
