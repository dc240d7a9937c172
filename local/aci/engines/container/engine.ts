import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Engine, EngineContext } from "../../engine.ts";
import { ProcessRecords, startOf } from "../process/pids.ts";
import { OWNER_LABEL, removeContainer } from "./api.ts";
import type { Api } from "./api.ts";
import { ContainerRun } from "./group.ts";
import { Images } from "./images.ts";
import { reach } from "./socket.ts";

export interface ContainerEngineOptions extends EngineContext {
  readonly kind: "podman" | "docker";
  /** Folders here are built into images of their name. */
  readonly containersFolder: string;
  /** Between SIGTERM and SIGKILL, in milliseconds. */
  readonly grace: number;
}

/** Runs each container as one of podman or docker. What an earlier service left is removed first. */
export async function containerEngine(options: ContainerEngineOptions): Promise<Engine> {
  mkdirSync(options.folder, { recursive: true });
  const records = new ProcessRecords(join(options.folder, "pids"));
  records.killLeftovers();
  const connection = await reach(options.kind, options.folder, records);
  const { api } = connection;
  await removeOrphans(api);
  const images = new Images(api, options.containersFolder);
  const owner = `${process.pid}:${startOf(process.pid) ?? ""}`;
  const open = new Set<ContainerRun>();

  const openGroup: Engine["open"] = (group, report) => {
    const opened: ContainerRun = new ContainerRun(group, {
      ...options,
      api,
      images,
      owner,
      report,
      folder: join(options.folder, "groups", group.key),
      sharesFolder: join(options.folder, "shares"),
      disposed: () => open.delete(opened),
    });
    open.add(opened);
    return opened;
  };

  return {
    name: options.kind,
    check: (group) => images.check(group),
    open: openGroup,
    reopen(group, running, report) {
      const at = options.clock.now();
      const opened = openGroup(group, report);
      for (const { member } of running) report({ type: "exited", member, at, exitCode: 137, reason: "Platform" });
      return opened;
    },
    async close() {
      await Promise.all([...open].map((group) => group.removeContainers()));
      connection.close();
    },
  };
}

/** Removes the containers of services that are no more, those that hold a network last. */
async function removeOrphans(api: Api): Promise<void> {
  const all = await api.docker.listContainers({ all: true, filters: { label: [OWNER_LABEL] } });
  const orphans = all.filter(({ Labels }) => {
    const [pid = "", ...start] = (Labels[OWNER_LABEL] ?? "").split(":");
    return startOf(Number(pid)) !== start.join(":");
  });
  const holders = orphans.filter(({ Labels }) => Labels["aci-local.role"] === "network");
  for (const { Id } of orphans.filter((one) => !holders.includes(one))) await removeContainer(api, Id);
  for (const { Id } of holders) await removeContainer(api, Id);
}
