import type { Aci, Ping, Read } from "../../src/shared/aci/client.ts";
import type { CreateAnswer, DeleteAnswer } from "../../src/shared/job/arm-answers.ts";
import type { ListedGroup } from "../../src/shared/aci/arm-group.ts";
import type { InstallationTag } from "../../src/shared/aci/installation-tag.ts";
import type { AzureError } from "../../src/shared/job/job.ts";
import type { ContainerInstances, Watcher } from "./container-instances.ts";
import type { Call } from "./scheduler.ts";

const silence: AzureError = { code: "ECONNRESET", message: "no answer", httpStatus: 0 };
const unknown = { group: "unknown", reason: "ArmUnavailable", retryAfter: undefined, azure: undefined } as const;
const unread = (): Read<never> => ({ kind: "unknown", ...unknown });

/** The client of one host: what the real one has, over the simulated service. */
export function aciClient(service: ContainerInstances, call: Call, tag: InstallationTag, watcher: Watcher): Aci {
  const unclear = (): { kind: "unclear"; azure: AzureError } => ({ kind: "unclear", azure: silence });
  const client: Pick<Aci, keyof Aci> = {
    observe: (placed, name) =>
      call(
        "arm look",
        "arm read",
        () => service.look(placed, name, tag),
        () => unknown,
      ),
    create: (placed, name, _version, body) => {
      watcher.sent("create", name);
      return call<CreateAnswer>("arm create", "arm write", () => service.put(placed, name, body), unclear);
    },
    failureOf: () => Promise.resolve({ kind: "value", value: "none" }),
    remove: (placed, name) => {
      watcher.sent("delete", name);
      return call<DeleteAnswer>("arm delete", "arm write", () => service.delete(placed, name), unclear);
    },
    stop: (placed, name) => {
      watcher.sent("stop", name);
      return call<DeleteAnswer>("arm stop", "arm write", () => service.stop(placed, name), unclear);
    },
    logs: (placed, name) =>
      call<Read<string>>(
        "arm logs",
        "arm read",
        () =>
          service.at(placed.resourceGroup, name) === undefined
            ? { kind: "absent" as const }
            : { kind: "value" as const, value: "2026-11-24T08:00:00.000000000Z Hello World!\n" },
        unread,
      ),
    list: (target) =>
      call<Read<readonly ListedGroup[]>>(
        "arm list",
        "arm read",
        () => ({ kind: "value" as const, value: service.list(target.resourceGroup) }),
        unread,
      ),
    knownLocation: ({ location }) => location ?? "westeurope",
    locationOf: (target) => Promise.resolve({ kind: "value", value: target.location ?? "westeurope" }),
    ping: () =>
      call<Ping>(
        "arm ping",
        "arm read",
        () => ({ arm: "ok" }) as const,
        () => ({ arm: "unknown" }) as const,
      ),
  };
  return client as Aci; // it has every member that `Aci` has in public
}
