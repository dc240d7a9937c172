import { randomInt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { z } from "zod";

/** The ports of a stack besides the host's own. */
const ports = z.object({
  aci: z.number().int().min(1).max(65535),
  blob: z.number().int().min(1).max(65535),
  queue: z.number().int().min(1).max(65535),
  table: z.number().int().min(1).max(65535),
  /** Of the stand-in vault: what it sealed names its address. */
  vault: z.number().int().min(1).max(65535),
});
export type Ports = z.infer<typeof ports>;

/**
 * True when a server can listen on this port of the loopback interface now, and nobody does on IPv6's: `localhost` would lead some
 * callers to that program.
 */
export async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
  } catch {
    return false;
  }
  try {
    await close(await listen(port, "::1"));
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "EADDRINUSE"); // a machine without IPv6
  }
}

/**
 * Ports that nobody listens on, different from one another. They lie below those that systems give to outgoing calls (from 32768 on,
 * or from 49152): one of these may be taken again by the time that its server listens. Whoever starts several stacks at once gives each
 * ports of its own (`STACK_PORTS`, from and to): two could choose the same before either listens.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenAnywhere()));
  const numbers = servers.map(portOf);
  await Promise.all(servers.map(close));
  return numbers;
}

/** The last that this process gave out: each goes on from there, so that nobody gets one for which another's server is only starting. */
let last: number | undefined;

async function listenAnywhere(): Promise<Server> {
  const [from = 12_000, to = 22_000] = process.env["STACK_PORTS"]?.split("-").map(Number) ?? [];
  for (let attempt = 1; ; attempt++)
    try {
      const next = last === undefined ? randomInt(from, to) : last + 1;
      last = next < to ? next : from;
      return await listen(last);
    } catch (error) {
      if (attempt === 50) throw error;
    }
}

/**
 * The ports that this stack had the last time, as far as they are free, so that addresses noted down elsewhere stay right
 * after a restart; else new ones.
 *
 * @param hostPort taken already, though nobody listens on it yet
 */
export async function choosePorts(file: string, hostPort: number): Promise<Ports> {
  const before = await readPorts(file);
  const kept = before !== undefined && (await Promise.all(Object.values(before).map(isFree))).every((free) => free);
  if (kept && !Object.values(before).includes(hostPort)) return before;
  const [aci = 0, blob = 0, queue = 0, table = 0, vault = 0] = (await freePorts(6)).filter((port) => port !== hostPort);
  const chosen = { aci, blob, queue, table, vault };
  await writeFile(file, JSON.stringify(chosen));
  return chosen;
}

async function readPorts(file: string): Promise<Ports | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return ports.parse(JSON.parse(text));
  } catch {
    return undefined; // cut short by a crash; the ports are only a convenience
  }
}

function listen(port: number, address = "127.0.0.1"): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().unref();
    server.once("error", reject).listen(port, address, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has a port.");
  return address.port;
}
