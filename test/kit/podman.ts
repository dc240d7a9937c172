import { spawnSync } from "node:child_process";

export const busybox = "docker.io/library/busybox:1.36";

const runs = (command: string): boolean => spawnSync("sh", ["-c", command], { timeout: 60_000 }).status === 0;

/**
 * Why real containers are not available here: `undefined` where they are. scripts/ci-engines.sh installs what they need.
 *
 * @param programs that are needed beside podman
 */
export function withoutPodman(programs: readonly string[] = []): string | undefined {
  const missing = ["podman", ...programs].filter((program) => !runs(`command -v ${program}`));
  if (missing.length > 0) return `${missing.join(", ")} is not installed`;
  return runs(`podman run --rm --network none --pull never ${busybox} true`)
    ? undefined
    : `podman cannot run ${busybox}`;
}
