/** Loads a built Functions v4 app, unmodified, and reads what it registered. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { glob, isDynamicPattern } from "tinyglobby";
import { z } from "zod";
import { AppRegistry, type ProgrammingModel, programmingModel, useRegistry } from "./core-api.ts";
import { captureProxy, type DeliverToProxy } from "./http-stream.ts";

export interface LoadedApp {
  readonly folder: string;
  readonly registry: AppRegistry;
  /** Undefined when the app registered no function. */
  readonly model: ProgrammingModel | undefined;
  /** Set when the app asked for HTTP streaming. */
  readonly deliver: DeliverToProxy | undefined;
}

class AppLoadError extends Error {
  override readonly name = "AppLoadError";
  readonly code = "AppLoadFailed";
}

const PackageSchema = z.looseObject({ main: z.string().default("index.js"), type: z.string().optional() });

/** Node evaluates a module once in a process, so a second start of the same app finds what it registered then. */
const loaded = new Map<string, LoadedApp>();

/**
 * @param folder the app's root: the folder of its package.json and host.json.
 * @throws {AppLoadError} when there is no entry file, or one of them throws: that stops the whole app on the real host too.
 */
export async function loadApp(folder: string, log: AppRegistry["log"]): Promise<LoadedApp> {
  const root = resolve(folder);
  const known = loaded.get(root);
  if (known !== undefined) {
    known.registry.log = log;
    useRegistry(known.registry);
    return known;
  }
  const registry = new AppRegistry();
  registry.log = log;
  useRegistry(registry);
  for (const file of await entryFiles(root)) {
    try {
      await importEntry(file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AppLoadError(`The app's entry file ${file} can't be loaded: ${reason}`, { cause: error });
    }
  }
  const model = registry.functions.size === 0 ? undefined : programmingModel();
  const deliver = model === undefined ? undefined : await captureProxy(() => model.getCapabilities({}));
  registry.close();
  const app = { folder: root, registry, model, deliver };
  loaded.set(root, app);
  return app;
}

async function entryFiles(root: string): Promise<string[]> {
  const file = join(root, "package.json");
  if (!existsSync(file)) throw new AppLoadError(`${root} is no Functions app: it has no package.json.`);
  const parsed = PackageSchema.safeParse(readJson(file));
  if (!parsed.success) throw new AppLoadError(`${file} has no text as its "main".`);
  const { main } = parsed.data;
  const files = isDynamicPattern(main)
    ? (await glob(main, { cwd: root, absolute: true })).sort()
    : [join(root, main)].filter((path) => existsSync(path));
  if (files.length === 0) throw new AppLoadError(`No file of ${root} matches "main" of its package.json: "${main}".`);
  return files;
}

async function importEntry(file: string): Promise<void> {
  if (isEsModule(file)) await import(pathToFileURL(file).href);
  else createRequire(file)(file);
}

function isEsModule(file: string): boolean {
  const extension = extname(file);
  if (extension === ".mjs" || extension === ".cjs") return extension === ".mjs";
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const found = join(folder, "package.json");
    if (existsSync(found)) return PackageSchema.safeParse(readJson(found)).data?.type === "module";
    if (folder === dirname(folder)) return false;
  }
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
