import type { JsonObject } from "../base/json.ts";
import { Cursor } from "./cursor.ts";
import { sum } from "./rules/judge.ts";
import { vaultReferences, type LocatedReference, type OwnReferences } from "./secrets.ts";

/** What this code reads of a definition; the definition itself goes to Azure whole. */
export interface DefinitionView {
  readonly location: string | undefined;
  /** What the service takes: `Always` when the definition has no restartPolicy. */
  readonly restartPolicy: "Always" | "OnFailure" | "Never";
  readonly priority: "Regular" | "Spot";
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
  readonly publicIp: boolean;
  readonly vaultReferences: readonly LocatedReference[];
}

interface ContainerView {
  readonly name: string;
  readonly image: string | undefined;
  readonly cpu: number;
  readonly memoryGB: number;
}

/** The view of a definition that was parsed and found good. */
export function viewOf(body: JsonObject, own?: OwnReferences): DefinitionView {
  const root = Cursor.over(body);
  const group = root.get("properties");
  const containers = group.get("containers").records;
  const initContainers = group.get("initContainers").records;
  const all = [...initContainers, ...containers].map((container) => container.get("properties"));
  const address = group.get("ipAddress");
  const views = containers.map(containerView);
  return {
    location: root.get("location").text,
    restartPolicy: word(group.get("restartPolicy"), "Always", ["Always", "OnFailure", "Never"]),
    priority: word(group.get("priority"), "Regular", ["Regular", "Spot"]),
    containers: views,
    initContainers: initContainers.map((container) => container.get("name").text ?? ""),
    cpu: sum(views.map(({ cpu }) => cpu)),
    memoryGB: sum(views.map(({ memoryGB }) => memoryGB)),
    images: texts(all.map((container) => container.get("image"))),
    registryServers: texts(group.get("imageRegistryCredentials").records.map((credential) => credential.get("server"))),
    publicIp: address.present && address.get("type").word !== "private",
    vaultReferences: vaultReferences(body, own),
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
  };
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
