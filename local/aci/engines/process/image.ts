import { chmod, cp, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseDockerfile } from "./dockerfile.ts";
import type { ImagePlan } from "./dockerfile.ts";

/** An image of the process engine: a folder with a Dockerfile. */
export interface Image {
  readonly folder: string;
  readonly plan: ImagePlan;
}

/** An image that the process engine can run; `undefined` where there is no such image. */
export async function findImage(containersFolder: string, reference: string): Promise<Image | undefined> {
  const folder = await findFolder(containersFolder, reference);
  if (folder === undefined) return undefined;
  return { folder, plan: parseDockerfile(await readFile(join(folder, "Dockerfile"), "utf8")) };
}

/**
 * `registry.example/any/path/NAME:TAG` is the folder NAME among the containers, in any case; the tag is not looked at, because a
 * folder has only one version. `undefined` where there is no such folder with a Dockerfile.
 */
export async function findFolder(containersFolder: string, reference: string): Promise<string | undefined> {
  const name = imageName(reference);
  if (name === undefined) return undefined;
  const folders = await names(containersFolder);
  const match = folders.find((folder) => folder === name) ?? folders.find((folder) => folder.toLowerCase() === name);
  if (match === undefined) return undefined;
  const folder = join(containersFolder, match);
  return (await names(folder)).includes("Dockerfile") ? folder : undefined;
}

export function imageName(reference: string): string | undefined {
  const [path = ""] = reference.split("@");
  const last = path.split("/").at(-1) ?? "";
  const [name = ""] = last.split(":");
  return /^[a-z0-9][a-z0-9._-]*$/.test(name) ? name : undefined;
}

/**
 * Does an image's COPY instructions into `root`, which stands for the container's file system.
 * Returns the container paths that now exist there, to be found in commands.
 */
export async function materialize(image: Image, root: string): Promise<string[]> {
  const { plan, folder } = image;
  const made: string[] = [];
  for (const copy of plan.copies) {
    for (const source of await sourcesOf(folder, copy.sources)) {
      const from = join(folder, source);
      const kind = await stat(from);
      if (kind.isDirectory()) {
        await cp(from, join(root, copy.target), { recursive: true });
        made.push(...(await names(from)).map((child) => join(copy.target, child)));
      } else {
        const into = copy.target.endsWith("/") || copy.sources.length > 1 || copy.target === plan.workdir;
        const target = into ? join(copy.target, basename(source)) : copy.target;
        await cp(from, join(root, target));
        if (plan.makesExecutable) await chmod(join(root, target), 0o755);
        made.push(target);
      }
    }
  }
  await mkdir(join(root, plan.workdir), { recursive: true });
  return made;
}

async function sourcesOf(folder: string, patterns: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const pattern of patterns) {
    const relative = pattern.replace(/^\/+/, "");
    if (!pattern.includes("*")) found.push(relative);
    else {
      const expression = new RegExp(`^${relative.split("*").map(escaped).join("[^/]*")}$`);
      found.push(...(await names(folder)).filter((name) => expression.test(name)));
    }
  }
  return found;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return [];
    throw error;
  }
}
