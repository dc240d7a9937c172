import { execFile } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { VolumeSpec } from "../../engine.ts";

const run = promisify(execFile);

const EVERYBODY = 0o777;

/**
 * Makes a volume's folder and returns its path. An `azureFile` share is a folder that all groups share and that outlives them, as the
 * real share does; the others live and end with the group. Throws where `gitRepo` can't be cloned.
 */
export async function makeVolume(volume: VolumeSpec, groupFolder: string, sharesFolder: string): Promise<string> {
  if (volume.type === "azureFile") {
    const share = join(sharesFolder, safe(volume.account), safe(volume.share));
    await mkdir(share, { recursive: true });
    await chmod(share, EVERYBODY);
    return share;
  }
  const folder = join(groupFolder, "volumes", safe(volume.name));
  // What lies here is for the container, which may run as any user, but for nobody else of this machine.
  await mkdir(groupFolder, { recursive: true, mode: 0o700 });
  await mkdir(folder, { recursive: true });
  if (volume.type === "emptyDir") await chmod(folder, EVERYBODY);
  if (volume.type === "secret") {
    for (const [name, value] of Object.entries(volume.files)) {
      await writeFile(join(folder, safe(name)), Buffer.from(value, "base64"), { mode: 0o644 });
    }
  }
  if (volume.type === "gitRepo") await clone(volume, folder);
  return folder;
}

async function clone(volume: Extract<VolumeSpec, { type: "gitRepo" }>, folder: string): Promise<void> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0" };
  const directory = volume.directory === undefined ? [] : [volume.directory];
  await run("git", ["clone", "--quiet", "--", volume.repository, ...directory], { cwd: folder, env });
  const name =
    volume.repository
      .split("/")
      .at(-1)
      ?.replace(/\.git$/, "") ?? ".";
  if (volume.revision === undefined) return;
  const checkout = join(folder, volume.directory ?? name);
  await run("git", ["checkout", "--quiet", volume.revision, "--"], { cwd: checkout, env });
}

/** A name that stays one name inside its folder. */
const safe = (name: string): string => encodeURIComponent(name).replace(/^\.+$/, (dots) => "%2E".repeat(dots.length));
