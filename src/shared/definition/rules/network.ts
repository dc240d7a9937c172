import type { Cursor } from "../cursor.ts";
import { vaultReferencesIn } from "../placeholders.ts";
import type { Findings } from "../text/positions.ts";
import { judgePort } from "./containers.ts";
import { judgeLeftover, repeated, type Judge } from "./judge.ts";

/**
 * Judges ports, addresses and subnets. Sources: azure-docs "Troubleshoot common issues in Azure Container Instances" and "Frequently
 * asked questions" (reserved ports), and the service's own refusals (MissingIpAddressPorts, PrivateIPAddressNotSupported, "IP Address
 * type can't be public when network profile is set").
 */
export function judgeNetwork(judge: Judge): void {
  const exposed = judgeContainerPorts(judge);
  judgeSubnets(judge);
  const address = judge.group.get("ipAddress");
  if (address.present) judgeAddress(address, exposed, judge);
}

/** The ports that the containers say they listen on. */
function judgeContainerPorts({ containers, findings }: Judge): ReadonlySet<number> {
  const ports = containers.flatMap((container) => container.get("properties").get("ports").records);
  const numbers = ports.map((port) => {
    const number = judgePort(port.get("port"), findings);
    if (number !== undefined && isReserved(number))
      findings.warn(port.get("port"), "Azure keeps this port for itself; the group may be refused, choose another.");
    return number;
  });
  repeated(ports, portKey, (again) =>
    findings.fault(
      again,
      "The group's containers share one address, so that each port can be listened on once; remove one of the two.",
    ),
  );
  return new Set(numbers.filter((number) => number !== undefined));
}

function portKey(port: Cursor): string | undefined {
  const { number } = port.get("port");
  return number === undefined ? undefined : `${number} ${port.get("protocol").text?.toUpperCase() ?? "TCP"}`;
}

function judgeAddress(address: Cursor, exposed: ReadonlySet<number>, judge: Judge): void {
  const { findings, group, fromProfile, containers } = judge;
  const type = address.get("type");
  const inNetwork = !group.get("subnetIds").empty || group.get("networkProfile").present;
  if (!type.present) findings.fault(type, "type is missing in ipAddress: write Public or Private.");
  else if (type.word === "private" && !inNetwork)
    findings.fault(type, "A Private ipAddress needs subnetIds; add the subnet, or remove ipAddress.");
  else if (type.word === "public" && inNetwork)
    findings.fault(type, "A group in a subnet can't have a Public ipAddress; make it Private, or remove subnetIds.");

  const ports = address.get("ports");
  if (ports.empty)
    findings.fault(ports, "ports is missing or empty in ipAddress: name at least one port, or remove ipAddress.");
  if (ports.items.length > 5) findings.fault(ports, "An ipAddress may have at most 5 ports.");
  for (const port of ports.records.slice(0, 6)) {
    const number = judgePort(port.get("port"), findings);
    if (number === undefined) continue;
    if (isReserved(number))
      findings.warn(port.get("port"), "Azure keeps this port for itself; the group may be refused, choose another.");
    if (!exposed.has(number) && !fromProfile && containers.length > 0)
      findings.fault(port.get("port"), "No container of the group lists this port in its own ports; add it there.");
  }
  repeated(ports.records.slice(0, 6), portKey, (again) =>
    findings.fault(again, "This port is listed twice in ipAddress; keep one."),
  );
  judgeDnsLabel(address, findings);
}

function judgeDnsLabel(address: Cursor, findings: Findings): void {
  const label = address.get("dnsNameLabel");
  const { text } = label;
  if (text === undefined || vaultReferencesIn(text).length > 0) return;
  const left = judgeLeftover(label, "dnsNameLabel", "put a label there, or remove it", findings);
  if (left) return;
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(text)) {
    findings.fault(label, "dnsNameLabel must be 5 to 63 letters, digits and dashes, with no dash first or last.");
  } else if (text.length < 5)
    findings.warn(label, "dnsNameLabel should have at least 5 characters; it may be refused.");
  if (address.get("type").word === "private")
    findings.warn(label, "A Private ipAddress has no public name: dnsNameLabel has no effect or is refused.");
}

const reserved: readonly (readonly [from: number, to: number])[] = [
  [22, 22],
  [1025, 1027],
  [3389, 3399],
  [9999, 9999],
  [19000, 19000],
  [19080, 19080],
  [19100, 19100],
  [19390, 19390],
  [20000, 30000],
  [49152, 65534],
];

function isReserved(port: number): boolean {
  return reserved.some(([from, to]) => port >= from && port <= to);
}

const subnetId =
  /^\/subscriptions\/[^/\s]+\/resourcegroups\/[^/\s]+\/providers\/microsoft\.network\/virtualnetworks\/[^/\s]+\/subnets\/[^/\s]+$/i;

function judgeSubnets({ group, findings }: Judge): void {
  for (const subnet of group.get("subnetIds").records) {
    const id = subnet.get("id");
    const { text } = id;
    if (text !== undefined && vaultReferencesIn(text).length > 0) continue;
    if (id.empty) findings.fault(id, "id is missing: a subnet is named by its full resource id.");
    else if (judgeLeftover(id, "the subnet's id", "put the full resource id there", findings)) continue;
    else if (text !== undefined && !subnetId.test(text)) {
      findings.fault(
        id,
        "A subnet is named by its full resource id: /subscriptions/.../virtualNetworks/NAME/subnets/NAME.",
      );
    }
  }
  const profile = group.get("networkProfile");
  if (!profile.present) return;
  judgeLeftover(profile.get("id"), "the network profile's id", "put the full resource id there", findings);
  findings.warn(
    profile,
    "Network profiles are retired; use subnetIds with apiVersion 2021-07-01 or newer, or the group may be refused.",
  );
}
