import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { Deadline } from "../base/deadline.ts";
import { second } from "../base/duration.ts";

/**
 * POSTs to addresses that callers give (`callBackUri`), which must not become a way into our network: https to allowed hosts only, no
 * redirect followed, and no address of a private network, whatever a name resolves to. The address that was judged is the one that is
 * connected to, so a name that resolves to another a moment later (DNS rebinding) gains nothing.
 */
export interface Network {
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>;
  readonly isPublic: (address: string) => boolean;
}

/** An address that must not be called. Its text names neither address nor host: both are the caller's secret. */
export class UnsafeAddress extends Error {
  override readonly name = "UnsafeAddress";
}

/** For the whole call: name resolution, connection and the start of the answer, however slowly it arrives. */
const timeout = 30 * second;
/** The host that stands for this machine, in the list of allowed hosts: for development. */
const thisMachine = "localhost";

/** Whether an address may be called, as far as that is known without resolving its name. */
export function isAllowedAddress(uri: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname, username, password } = new URL(uri);
  if (username !== "" || password !== "") return false;
  if (isThisMachine(hostname)) return hosts.includes(thisMachine) && /^https?:$/.test(protocol);
  // A trailing dot names the same host (RFC 1034, 3.1).
  const host = hostname.toLowerCase().replace(/\.$/, "");
  return (
    protocol === "https:" && isIP(host.replace(/^\[|\]$/g, "")) === 0 && hosts.some((allowed) => covers(allowed, host))
  );
}

function covers(allowed: string, host: string): boolean {
  const lower = allowed.toLowerCase();
  return lower.startsWith("*.") ? host.endsWith(lower.slice(1)) && host.length > lower.length - 1 : host === lower;
}

function isThisMachine(hostname: string): boolean {
  return hostname === thisMachine || hostname === "127.0.0.1" || hostname === "[::1]";
}

/**
 * @returns a function that POSTs JSON and gives the answer's status; it throws {@link UnsafeAddress} where the address must not be
 * called, and what Node throws where nobody answers within 30 seconds. The answer's body is not read.
 */
export function safePost(
  hosts: readonly string[],
  network: Network = { resolve: (host) => lookup(host, { all: true }), isPublic },
): (uri: string, body: string) => Promise<number> {
  return async (uri, body) => {
    if (!isAllowedAddress(uri, hosts)) throw new UnsafeAddress("The address is not on an allowed host.");
    const url = new URL(uri);
    const deadline = Deadline.in(() => performance.now(), timeout);
    const local = isThisMachine(url.hostname);
    const pinned = local ? undefined : await deadline.limit(publicAddresses(url.hostname, network));
    if (pinned === "late") throw noAnswer();
    const send = url.protocol === "https:" ? secureRequest : plainRequest;
    const answered = new Promise<number>((settle, fail) => {
      const request = send(
        url,
        {
          method: "POST",
          agent: false,
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
          signal: AbortSignal.timeout(Math.ceil(deadline.left)),
          ...(pinned === undefined ? {} : { lookup: answering(pinned) }),
        },
        (response) => {
          response.destroy();
          settle(response.statusCode ?? 0);
        },
      );
      request.on("error", fail);
      request.end(body);
    });
    const status = await deadline.limit(answered);
    if (status === "late") throw noAnswer();
    return status;
  };
}

const noAnswer = (): Error => new Error(`no answer in ${timeout / second} s`);

/** Every address of the name must be public: one that isn't says that the name is not to be trusted. */
async function publicAddresses(hostname: string, network: Network): Promise<readonly LookupAddress[]> {
  const found = await network.resolve(hostname);
  if (found.length === 0 || found.some(({ address }) => !network.isPublic(address)))
    throw new UnsafeAddress("The address leads into a private network.");
  return found;
}

/** What the connection asks instead of the name server. */
function answering(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family);
  };
}

const special = new BlockList();
/** Not globally reachable (IANA IPv4 Special-Purpose Address Registry), multicast, reserved; and Azure's own platform address. */
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  special.addSubnet(network, prefix);
/** Of IPv6 only global unicast, without what tunnels IPv4, is for documentation, or is assigned to protocols. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  special.addSubnet(network, prefix, "ipv6");

/** Whether an IP address is one of the public internet. */
export function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address);
    case 6:
      return globalUnicast.check(address, "ipv6") && !special.check(address, "ipv6");
    default:
      return false;
  }
}
