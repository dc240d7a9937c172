import { join } from "node:path";

/** What runs the containers of the local ACI. */
export const engines = ["process", "podman", "docker", "simulated"] as const;
export type Engine = (typeof engines)[number];

/**
 * A line for people who have a container engine but don't use it: the process engine isolates nothing.
 *
 * @param exists whether there is a file of that name
 */
export function engineHint(
  engine: Engine,
  env: NodeJS.ProcessEnv,
  exists: (path: string) => boolean,
): string | undefined {
  if (engine !== "process") return undefined;
  const runtime = env["XDG_RUNTIME_DIR"];
  const sockets: readonly (readonly [Engine, string])[] = [
    ...(runtime ? [["podman", join(runtime, "podman/podman.sock")] as const] : []),
    ["podman", "/run/podman/podman.sock"],
    ...(runtime ? [["docker", join(runtime, "docker.sock")] as const] : []),
    ["docker", "/var/run/docker.sock"],
  ];
  const found = sockets.find(([, path]) => exists(path));
  if (!found) return undefined;
  return `${found[0]} was found at ${found[1]}: ACI_ENGINE=${found[0]} runs real containers`;
}
