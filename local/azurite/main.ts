import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import blobConfiguration from "azurite/dist/src/blob/BlobConfiguration.js";
import blobServer from "azurite/dist/src/blob/BlobServer.js";
import queueConfiguration from "azurite/dist/src/queue/QueueConfiguration.js";
import queueServer from "azurite/dist/src/queue/QueueServer.js";
import tableConfiguration from "azurite/dist/src/table/TableConfiguration.js";
import tableServer from "azurite/dist/src/table/TableServer.js";
import { z } from "zod";
import { servePart, type Running } from "../part.ts";

/**
 * Azurite as a part of the stack. Its own command would outlive a supervisor that was killed, and can't be distinguished from
 * another Azurite; so its servers run inside this process, which ends with the channel and then saves what only memory holds.
 * Loading three servers rather than the command also leaves out its SQL drivers, and nothing starts its telemetry.
 */
const optionsShape = z.object({
  /** Where it keeps what is written; null: nowhere, it is gone with the process. */
  folder: z.string().nullable(),
  blob: z.number().int(),
  queue: z.number().int(),
  table: z.number().int(),
});

/** The parameters that follow a configuration's own: no access log, no debug log, newer API versions of the SDKs taken. */
const quiet = { accessLog: false, debugLog: false, loose: false, skipApiVersionCheck: true };
/** Certificate, its key and password, OAuth: plain http with an account's key. Addresses name the account in their path. */
const plain = ["", "", "", undefined, false];
/**
 * Azure keeps an idle connection for minutes. After Azurite's own 5 s a client often sends into a connection that is just being closed, and
 * must send again.
 */
const keepAliveSeconds = 60;
/**
 * How often the texts of deleted messages are removed. Azurite does so each minute, in one go, whose time grows with the square of their
 * number: after 20,000 messages it answers nothing for 15 s.
 */
const removalInterval = 2000;

async function start(options: unknown): Promise<Running> {
  const { folder, ...ports } = optionsShape.parse(options);
  if (folder !== null) {
    await mkdir(folder, { recursive: true });
    await checkFiles(folder);
  }
  const path = (name: string): string => join(folder ?? "", name);
  const file = (name: string): string => path(`__azurite_db_${name}__.json`);
  const extents = (name: string): readonly unknown[] => [
    { locationId: "Default", locationPath: path(`__${name}storage__`), maxConcurrency: 50 },
  ];
  // host, port, keep-alive, metadata file[, extent file, extent folders], logs and their streams and files, what is common to all
  const begin = (name: keyof typeof ports): unknown[] => ["127.0.0.1", ports[name], keepAliveSeconds, file(name)];
  const end = [quiet.loose, quiet.skipApiVersionCheck, ...plain, folder === null];
  const withExtents = (name: "blob" | "queue"): unknown[] => [
    ...[...begin(name), file(`${name}_extent`), extents(name)],
    ...[quiet.accessLog, undefined, quiet.debugLog, undefined, ...end],
  ];
  const servers = [
    new blobServer.default(new blobConfiguration.default(...withExtents("blob"))),
    new queueServer.default(new queueConfiguration.default(...withExtents("queue"))),
    new tableServer.default(
      new tableConfiguration.default(...begin("table"), quiet.debugLog, quiet.accessLog, undefined, undefined, ...end),
    ),
  ];
  const [, queue] = servers;
  if (queue?.gcManager === undefined) throw new Error("This Azurite removes messages in another way.");
  queue.gcManager.gcIntervalInMS = removalInterval;
  await Promise.all(servers.map((server) => server.start()));
  return {
    url: servers[0]?.getHttpServerAddress() ?? "",
    stop: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** A file that is damaged would end this process from within Azurite, with a sentence that helps nobody. */
async function checkFiles(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => each.endsWith(".json")))
    try {
      JSON.parse(await readFile(join(folder, name), "utf8"));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const remedy = "Move that folder away: the stack then starts with empty storage, without the jobs so far.";
      throw new Error(`${name} in ${folder} is damaged. ${remedy}`, { cause: error });
    }
}

await servePart(start);
