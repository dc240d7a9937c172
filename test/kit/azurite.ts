/** Azurite as tests use it: a process of its own, in memory, on free ports, gone with the process that started it. */
import { connectionString, type StoragePorts } from "../../local/azurite/connection.ts";
import { freePorts } from "../../local/stack/ports.ts";
import { startPart } from "./part.ts";

export interface Azurite {
  /** For every SDK; TableClient also wants `allowInsecureConnection: true`. */
  readonly connectionString: string;
  readonly ports: StoragePorts;
  stop(): Promise<void>;
}

/**
 * @param accounts what it has instead of the development account, in its own notation
 * @param first imported before its program
 */
export async function startAzurite({
  accounts,
  first,
}: { accounts?: string; first?: string | undefined } = {}): Promise<Azurite> {
  const [blob = 0, queue = 0, table = 0] = await freePorts(3);
  const ports = { blob, queue, table };
  const env = accounts === undefined ? {} : { AZURITE_ACCOUNTS: accounts };
  const part = await startPart("azurite", { folder: null, ...ports }, { env, first });
  // Killed, since nothing of it is to be kept.
  return { ports, connectionString: connectionString(ports), stop: () => part.end("SIGKILL") };
}
