import { messageOf } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import { endpointNames } from "../../shared/job/job-events.ts";
import type { ProbedService } from "../../shared/store/service-states.ts";

/**
 * Asks the seal key and the vault whether they work, so that an outage shows before a job needs them. Each costs one operation of Key
 * Vault a minute.
 */
export async function probeServices({
  now,
  sealer,
  vault,
  services,
  endpoints,
}: Pick<Deps, "now" | "sealer" | "vault" | "services" | "endpoints">): Promise<void> {
  const before = await services.all();
  const probe = async (service: ProbedService, ask: () => Promise<void>): Promise<void> => {
    const error = await ask().then(() => undefined, messageOf);
    await services.record(service, error, now(), before.get(service));
  };
  // Endpoints are tried with events. Until the first one fails it counts as one that works.
  const removed = endpointNames.filter((name) => before.has(name) && !endpoints.some((set) => set.name === name));
  const added = endpoints.filter(({ name }) => !before.has(name));
  await Promise.all([
    ...removed.map((name) => services.forget(name)),
    ...added.map(({ name }) => services.record(name, undefined, now())),
    probe("sealKey", () => sealer.probe()),
    vault === undefined ? before.has("vault") && services.forget("vault") : probe("vault", () => vault.probe()),
  ]);
}
