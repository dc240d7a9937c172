import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { servePart, type Running } from "../part.ts";

/**
 * Azurite as a part of the stack. Its own command would outlive a supervisor that was killed, and it can't be told apart from
 * another Azurite; so its servers run inside this process, which ends with the channel and then saves what only memory holds.
 * Loading three servers rather than the command also leaves out its SQL drivers, and nothing starts its telemetry.
 */
const optionsShape = z.object({
  folder: z.string(),
  blob: z.number().int(),
  queue: z.number().int(),
  table: z.number().int(),
});

/** What is used of Azurite's server classes (azurite/dist/src; it ships no types). */
interface Server {
  start(): Promise<void>;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}
type Make<T> = new (...parameters: readonly unknown[]) => T;

const load = createRequire(import.meta.url);

function classOf<T>(path: string): Make<T> {
  const module = load(`azurite/dist/src/${path}.js`) as { default: Make<T> }; // its version is pinned, and the tests start it
  return module.default;
}

/** The parameters that all three configurations end with: no access log, no debug log, newer API versions of the SDKs taken. */
const quiet = { accessLog: false, debugLog: false, loose: false, skipApiVersionCheck: true };
const keepAliveSeconds = 5;

async function start(options: unknown): Promise<Running> {
  const { folder, blob, queue, table } = optionsShape.parse(options);
  await mkdir(folder, { recursive: true });
  const file = (name: string): string => join(folder, `__azurite_db_${name}__.json`);
  const extents = (name: string): readonly unknown[] => [
    { locationId: "Default", locationPath: join(folder, `__${name}storage__`), maxConcurrency: 50 },
  ];
  // host, port, keep-alive, metadata file[, extent file, extent folders], access log and its stream, debug log and its file, ...
  const withExtents = (name: string, port: number): unknown[] => [
    ...["127.0.0.1", port, keepAliveSeconds, file(name), file(`${name}_extent`), extents(name)],
    ...[quiet.accessLog, undefined, quiet.debugLog, undefined, quiet.loose, quiet.skipApiVersionCheck],
  ];
  const withoutExtents = (name: string, port: number): unknown[] => [
    ...["127.0.0.1", port, keepAliveSeconds, file(name)],
    ...[quiet.debugLog, quiet.accessLog, undefined, undefined, quiet.loose, quiet.skipApiVersionCheck],
  ];
  const make = (service: string, parameters: unknown[]): Server => {
    const folderOf = service.toLowerCase();
    const configuration = new (classOf<object>(`${folderOf}/${service}Configuration`))(...parameters);
    return new (classOf<Server>(`${folderOf}/${service}Server`))(configuration);
  };
  const servers = [
    make("Blob", withExtents("blob", blob)),
    make("Queue", withExtents("queue", queue)),
    make("Table", withoutExtents("table", table)),
  ];
  await Promise.all(servers.map((server) => server.start()));
  return {
    url: servers[0]?.getHttpServerAddress() ?? "",
    stop: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

await servePart(start);
