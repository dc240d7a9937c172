import type { JsonObject } from "../base/json.ts";
import { Cursor } from "./cursor.ts";
import { sum } from "./rules/judge.ts";
import { secretValues, vaultReferences, type LocatedReference } from "./secrets.ts";

/** What this code reads of a definition; the definition itself goes to Azure whole. */
export interface DefinitionView {
  readonly location: string | undefined;
  readonly osType: "Linux" | "Windows";
  /** What the service takes: `Always` when the definition has no restartPolicy. */
  readonly restartPolicy: "Always" | "OnFailure" | "Never";
  readonly restartPolicyWritten: boolean;
  readonly priority: "Regular" | "Spot";
  readonly sku: string;
  readonly containers: readonly ContainerView[];
  /** Names of the init containers. */
  readonly initContainers: readonly string[];
  /** CPUs that the containers request together: what is paid for. */
  readonly cpu: number;
  /** GB that the containers request together. */
  readonly memoryGB: number;
  /** Every image, of init containers too, each once. */
  readonly images: readonly string[];
  /** Hosts of the registries that credentials are given for. */
  readonly registryServers: readonly string[];
  readonly systemIdentity: boolean;
  /** Resource ids of all user-assigned identities that the definition attaches or names. */
  readonly identities: readonly string[];
  readonly subnetIds: readonly string[];
  readonly networkProfileId: string | undefined;
  readonly publicIp: boolean;
  readonly dnsNameLabel: string | undefined;
  readonly volumes: readonly VolumeView[];
  readonly storageAccounts: readonly string[];
  /** True where a container asks for privileges: `privileged` or `allowPrivilegeEscalation`. */
  readonly privileged: boolean;
  readonly vaultReferences: readonly LocatedReference[];
  /** Every secret text, for masking. Never to be shown. */
  readonly secrets: readonly string[];
}

interface ContainerView {
  readonly name: string;
  readonly image: string | undefined;
  readonly cpu: number;
  readonly memoryGB: number;
  /** Names of the environment variables. */
  readonly environment: readonly string[];
}

interface VolumeView {
  readonly name: string;
  readonly kind: "azureFile" | "emptyDir" | "secret" | "secretReference" | "gitRepo" | "unknown";
}

/** The view of a definition that was parsed and found good. */
export function viewOf(body: JsonObject): DefinitionView {
  const root = Cursor.over(body);
  const group = root.get("properties");
  const containers = group.get("containers").records;
  const initContainers = group.get("initContainers").records;
  const all = [...initContainers, ...containers].map((container) => container.get("properties"));
  const address = group.get("ipAddress");
  const volumes = group.get("volumes").records;
  const views = containers.map(containerView);
  return {
    location: root.get("location").text,
    osType: word(group.get("osType"), "Linux", ["Linux", "Windows"]),
    restartPolicy: word(group.get("restartPolicy"), "Always", ["Always", "OnFailure", "Never"]),
    restartPolicyWritten: group.get("restartPolicy").present,
    priority: word(group.get("priority"), "Regular", ["Regular", "Spot"]),
    sku: group.get("sku").text ?? "Standard",
    containers: views,
    initContainers: initContainers.map((container) => container.get("name").text ?? ""),
    cpu: sum(views.map(({ cpu }) => cpu)),
    memoryGB: sum(views.map(({ memoryGB }) => memoryGB)),
    images: texts(all.map((container) => container.get("image"))),
    registryServers: texts(group.get("imageRegistryCredentials").records.map((credential) => credential.get("server"))),
    systemIdentity: /systemassigned/i.test(root.get("identity").get("type").text ?? ""),
    identities: identitiesOf(root),
    subnetIds: texts(group.get("subnetIds").records.map((subnet) => subnet.get("id"))),
    networkProfileId: group.get("networkProfile").get("id").text,
    publicIp: address.present && address.get("type").word !== "private",
    dnsNameLabel: address.get("dnsNameLabel").text,
    volumes: volumes.map(volumeView),
    storageAccounts: texts(volumes.map((volume) => volume.get("azureFile").get("storageAccountName"))),
    privileged: all.some((container) =>
      ["privileged", "allowPrivilegeEscalation"].some((name) => isTrue(container.get("securityContext").get(name))),
    ),
    vaultReferences: vaultReferences(body),
    secrets: secretValues(body),
  };
}

function containerView(container: Cursor): ContainerView {
  const properties = container.get("properties");
  const requests = properties.get("resources").get("requests");
  return {
    name: container.get("name").text ?? "",
    image: properties.get("image").text,
    cpu: requests.get("cpu").number ?? 0,
    memoryGB: requests.get("memoryInGB").number ?? 0,
    environment: texts(properties.get("environmentVariables").records.map((variable) => variable.get("name"))),
  };
}

const volumeKinds = ["azureFile", "emptyDir", "secret", "secretReference", "gitRepo"] as const;

function volumeView(volume: Cursor): VolumeView {
  const kind = volumeKinds.find((candidate) => volume.get(candidate).present) ?? "unknown";
  return { name: volume.get("name").text ?? "", kind };
}

function identitiesOf(root: Cursor): string[] {
  const group = root.get("properties");
  const named = [
    ...group.get("imageRegistryCredentials").records,
    ...group.get("secretReferences").records,
    ...group.get("identityAcls").get("acls").records,
    group.get("encryptionProperties"),
  ].map((user) => user.get("identity"));
  return unique([
    ...root
      .get("identity")
      .get("userAssignedIdentities")
      .members.map(([id]) => id),
    ...texts(named),
  ]);
}

function isTrue(cursor: Cursor): boolean {
  return cursor.value === true || cursor.word?.trim() === "true";
}

function word<W extends string>(cursor: Cursor, fallback: W, words: readonly W[]): W {
  return words.find((candidate) => candidate.toLowerCase() === cursor.word) ?? fallback;
}

function texts(cursors: readonly Cursor[]): string[] {
  return unique(cursors.flatMap(({ text }) => (text === undefined ? [] : [text])));
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}
