import type { GroupSpec } from "../../engine.ts";
import { removeContainer } from "./api.ts";
import type { Api } from "./api.ts";
import { ensurePauseImage, PAUSE_IMAGE } from "./pause.ts";

/** What the containers of a group share: they reach each other on localhost. */
export interface GroupNetwork {
  /** The container whose network it is. */
  readonly id: string;
  /** Reaches the group from this machine. */
  readonly ip: string;
}

/**
 * A container that only holds a network. The group's ports are published on 127.0.0.1 under their own numbers where these are free, and
 * reachable at the network's own address in any case (but for a rootless engine, which has no such address).
 */
export async function makeNetwork(api: Api, group: GroupSpec, owner: string): Promise<GroupNetwork> {
  await ensurePauseImage(api);
  const ports = group.ports.map(({ port, protocol }) => `${port}/${protocol}`);
  try {
    return await hold(api, group, owner, ports);
  } catch (error) {
    if (ports.length === 0) throw error;
    return hold(api, group, owner, []);
  }
}

async function hold(api: Api, group: GroupSpec, owner: string, ports: readonly string[]): Promise<GroupNetwork> {
  const container = await api.docker.createContainer({
    Image: PAUSE_IMAGE,
    Entrypoint: ["/pause"],
    Labels: { "aci-local.owner": owner, "aci-local.group": group.name, "aci-local.role": "network" },
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    HostConfig: {
      PortBindings: Object.fromEntries(
        ports.map((port) => [port, [{ HostIp: "127.0.0.1", HostPort: port.split("/")[0] ?? "" }]]),
      ),
    },
  });
  try {
    await container.start();
    const { NetworkSettings } = await container.inspect();
    const ips = Object.values(NetworkSettings.Networks).map(({ IPAddress }) => IPAddress);
    return { id: container.id, ip: ips.find((ip) => ip !== "") ?? "127.0.0.1" };
  } catch (error) {
    await removeContainer(api, container.id);
    throw error;
  }
}
