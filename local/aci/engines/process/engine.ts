import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Engine, EngineContext, EngineGroup, GroupSpec } from "../../engine.ts";
import { ProcessGroup } from "./group.ts";
import { findImage } from "./image.ts";
import { ProcessRecords } from "./pids.ts";

export interface ProcessEngineOptions extends EngineContext {
  /** Where images are: `NAME/Dockerfile`. */
  readonly containersFolder: string;
  /** Between SIGTERM and SIGKILL, in milliseconds. */
  readonly grace: number;
}

/**
 * Runs each container's command as a child process of its own process group, on this machine, with this user's rights and without
 * any isolation: for development, where only Node is at hand.
 */
export function processEngine(options: ProcessEngineOptions): Engine {
  mkdirSync(options.folder, { recursive: true });
  const records = new ProcessRecords(join(options.folder, "pids"));
  records.killLeftovers();
  const open = new Set<ProcessGroup>();

  const openGroup: Engine["open"] = (group, report) => {
    const opened = new ProcessGroup(group, {
      ...options,
      records,
      report,
      folder: groupFolder(options.folder, group),
      sharesFolder: join(options.folder, "shares"),
    });
    open.add(opened);
    opened.whenDisposed(() => open.delete(opened));
    return opened;
  };

  return {
    name: "process",
    async check(group) {
      for (const { image } of group.members) {
        if (!(await findImage(options.containersFolder, image))) return { code: "InaccessibleImage", image };
      }
      return undefined;
    },
    open: openGroup,
    reopen(group, running, report): EngineGroup {
      // Whatever ran was killed above: to the group it is as if its host had been taken away.
      const at = options.clock.now();
      const opened = openGroup(group, report);
      for (const { member } of running) {
        report({ type: "exited", member, at, exitCode: 137, reason: "Platform" });
      }
      return opened;
    },
    async close() {
      await Promise.all([...open].map((group) => group.kill()));
    },
  };
}

const groupFolder = (folder: string, group: GroupSpec): string => join(folder, "groups", group.key);
