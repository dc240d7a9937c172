import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { killGroup } from "../process/pids.ts";
import type { ProcessRecords } from "../process/pids.ts";
import { spawnContained } from "../process/spawn.ts";
import { connect } from "./api.ts";
import type { Api } from "./api.ts";

export interface Connection {
  readonly api: Api;
  close(): void;
}

/**
 * Reaches the engine's own socket: the one that the environment names (`CONTAINER_HOST` for podman, `DOCKER_HOST` for docker), else the
 * usual ones. Where no podman serves, but the program is there, this service runs `podman system service` for itself. Rejects with
 * code `EngineUnavailable`.
 */
export async function reach(kind: "podman" | "docker", folder: string, records: ProcessRecords): Promise<Connection> {
  for (const socket of sockets(kind)) {
    if (!existsSync(socket)) continue;
    try {
      return { api: await connect(socket), close: () => undefined };
    } catch {
      // A socket that nobody listens on any more; the next one may be alive.
    }
  }
  if (kind === "podman") return servePodman(folder, records);
  throw unavailable(`No Docker Engine answers on ${sockets(kind).join(" or ")}. Is it running?`);
}

function sockets(kind: "podman" | "docker"): string[] {
  const env = process.env[kind === "podman" ? "CONTAINER_HOST" : "DOCKER_HOST"];
  const named = env?.startsWith("unix://") === true ? [env.slice("unix://".length)] : [];
  const runtime = process.env["XDG_RUNTIME_DIR"];
  const own = runtime === undefined ? [] : [join(runtime, kind === "podman" ? "podman/podman.sock" : "docker.sock")];
  return [...named, ...own, kind === "podman" ? "/run/podman/podman.sock" : "/var/run/docker.sock"];
}

async function servePodman(folder: string, records: ProcessRecords): Promise<Connection> {
  const socket = socketIn(folder);
  rmSync(socket, { force: true });
  const command = ["podman", "system", "service", "--time=0", `unix://${socket}`];
  const { child, stdout, stderr, go, release } = spawnContained(command, folder, process.env);
  let said = "";
  stdout.resume();
  stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString("utf8")).slice(-2000)));
  const { pid } = child;
  if (pid !== undefined) records.add(pid);
  go();
  const close = (): void => {
    if (pid !== undefined) {
      killGroup(pid, "SIGTERM");
      records.remove(pid);
    }
    release();
    rmSync(socket, { force: true });
  };
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt += 1) {
    try {
      return { api: await connect(socket), close };
    } catch {
      await pause(50);
    }
  }
  close();
  throw unavailable(`podman could not be started. ${said.trim()}`);
}

/** A socket's path has room for about a hundred characters. */
function socketIn(folder: string): string {
  const usual = join(folder, "podman.sock");
  const short = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  return usual.length < 100 ? usual : join(tmpdir(), `aci-local-${short}.sock`);
}

const unavailable = (message: string): Error => Object.assign(new Error(message), { code: "EngineUnavailable" });
