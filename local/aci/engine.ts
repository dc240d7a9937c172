import type { Clock } from "./clock.ts";
import type { Definition, Probe } from "./definition/definition.ts";
import type { KillReason, RestartPolicy } from "./groups/life-types.ts";

/**
 * What runs containers. The group's life (order, restarts, states) is decided outside; an engine pulls, starts, kills, and says
 * what happened. Every report may come at once, within the call, or later; a group's reports come in the order they happened.
 */
export interface Engine {
  readonly name: "process" | "simulated" | "podman" | "docker";
  /** What keeps a group's images from being had, as the service finds out before it accepts the group. */
  check(group: GroupSpec): Promise<ImageFault | undefined>;
  /** Makes room for one deployment of a group. Nothing runs yet. */
  open(group: GroupSpec, report: (report: Report) => void): EngineGroup;
  /** Takes up a group that ran before the service itself was restarted; says what became of each container. */
  reopen(group: GroupSpec, running: readonly Survivor[], report: (report: Report) => void): EngineGroup;
  close(): Promise<void>;
}

export interface EngineGroup {
  pull(member: number): void;
  start(member: number): void;
  /** Ends every container: asked first, killed after the grace. Resolves when no container runs; each end is reported before. */
  kill(): Promise<void>;
  /** Ends one container at once; its end is reported with this reason. */
  killMember(member: number, reason: KillReason): void;
  /** Every line that is kept of the container's present or last run: RFC 3339 time, blank, text, newline. */
  readLog(member: number): Promise<string>;
  /** One look by a probe at a running container: why it is not well; `undefined` if it is. */
  probe(member: number, probe: Probe): Promise<string | undefined>;
  /** The address that reaches the group's ports from this machine, once it is known. */
  ip(): string | undefined;
  /** Takes away what the group left (folders, logs, networks). Nothing runs any more. */
  dispose(): Promise<void>;
}

/** `member` is an index into {@link GroupSpec.members}; times are milliseconds since 1970. */
export type Report = { readonly member: number; readonly at: number } & (
  | { readonly type: "pulled" }
  | { readonly type: "pullFailed"; readonly message: string }
  | { readonly type: "started" }
  | { readonly type: "startFailed"; readonly message: string }
  | {
      readonly type: "exited";
      readonly exitCode: number;
      readonly reason?: KillReason;
    }
);

export type ImageFault =
  | { readonly code: "InaccessibleImage"; readonly image: string }
  | { readonly code: "RegistryErrorResponse"; readonly server: string };

interface Survivor {
  readonly member: number;
  readonly startTime: number;
}

export interface GroupSpec {
  /** Unique among the groups of this service, and fit for a folder's or a container's name. */
  readonly key: string;
  readonly name: string;
  readonly restartPolicy: RestartPolicy;
  /** Init containers first, in order. */
  readonly members: readonly MemberSpec[];
  readonly volumes: readonly VolumeSpec[];
  readonly registries: readonly RegistrySpec[];
  /** Ports that the group's address offers. */
  readonly ports: readonly PortSpec[];
}

export interface MemberSpec {
  readonly name: string;
  readonly image: string;
  readonly init: boolean;
  /** Empty: the image's own. */
  readonly command: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  /** Cores and GB: the limits if given, else the requests; 0 without either (init containers). */
  readonly cpu: number;
  readonly memoryInGB: number;
  readonly mounts: readonly MountSpec[];
  readonly liveness: Probe | undefined;
  readonly readiness: Probe | undefined;
}

interface MountSpec {
  readonly volume: string;
  readonly path: string;
  readonly readOnly: boolean;
}

interface PortSpec {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

export interface RegistrySpec {
  readonly server: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export type VolumeSpec = { readonly name: string } & (
  | { readonly type: "emptyDir" }
  | { readonly type: "secret"; readonly files: Readonly<Record<string, string>> }
  | { readonly type: "azureFile"; readonly account: string; readonly share: string; readonly readOnly: boolean }
  | {
      readonly type: "gitRepo";
      readonly repository: string;
      readonly directory: string | undefined;
      readonly revision: string | undefined;
    }
);

/** What engines are made from. */
export interface EngineContext {
  readonly clock: Clock;
  /** Where an engine keeps folders, logs and volumes. */
  readonly folder: string;
}

/** A definition that passed the rules, as an engine needs it. */
export function groupSpec(key: string, name: string, definition: Definition): GroupSpec {
  const properties = definition.properties ?? {};
  const members = [
    ...(properties.initContainers ?? []).map((container) => ({ ...container, init: true })),
    ...(properties.containers ?? []).map((container) => ({ ...container, init: false })),
  ];
  return {
    key,
    name,
    restartPolicy: restartPolicy(properties.restartPolicy),
    members: members.map(memberSpec),
    volumes: (properties.volumes ?? []).map(volumeSpec),
    registries: (properties.imageRegistryCredentials ?? []).map(({ server, username, password }) => ({
      server: server ?? "",
      username,
      password,
    })),
    ports: (properties.ipAddress?.ports ?? []).map(({ port, protocol }) => ({
      port: port ?? 0,
      protocol: protocol?.toUpperCase() === "UDP" ? "udp" : "tcp",
    })),
  };
}

const restartPolicy = (given: string | undefined): RestartPolicy =>
  given === "Never" || given === "OnFailure" ? given : "Always";

type GivenContainer = NonNullable<NonNullable<Definition["properties"]>["containers"]>[number];
type GivenVolume = NonNullable<NonNullable<Definition["properties"]>["volumes"]>[number];

function memberSpec(container: GivenContainer & { init: boolean }): MemberSpec {
  const given = container.properties ?? {};
  const { requests, limits } = given.resources ?? {};
  return {
    name: container.name ?? "",
    image: given.image ?? "",
    init: container.init,
    command: given.command ?? [],
    env: (given.environmentVariables ?? []).map(({ name, value, secureValue }) => [
      name ?? "",
      value ?? secureValue ?? "",
    ]),
    cpu: limits?.cpu ?? requests?.cpu ?? 0,
    memoryInGB: limits?.memoryInGB ?? requests?.memoryInGB ?? 0,
    mounts: (given.volumeMounts ?? []).map((mount) => ({
      volume: mount.name ?? "",
      path: mount.mountPath ?? "",
      readOnly: mount.readOnly ?? false,
    })),
    liveness: given.livenessProbe,
    readiness: given.readinessProbe,
  };
}

function volumeSpec(volume: GivenVolume): VolumeSpec {
  const name = volume.name ?? "";
  if (volume.secret) return { name, type: "secret", files: volume.secret };
  if (volume.azureFile) {
    const { storageAccountName, shareName, readOnly } = volume.azureFile;
    return {
      name,
      type: "azureFile",
      account: storageAccountName ?? "",
      share: shareName ?? "",
      readOnly: readOnly ?? false,
    };
  }
  if (volume.gitRepo) {
    const { repository, directory, revision } = volume.gitRepo;
    return { name, type: "gitRepo", repository: repository ?? "", directory, revision };
  }
  return { name, type: "emptyDir" };
}
