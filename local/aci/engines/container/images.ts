import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import type { GroupSpec, ImageFault, RegistrySpec } from "../../engine.ts";
import { findFolder, imageName } from "../process/image.ts";
import { messageOf, progress } from "./api.ts";
import type { Api } from "./api.ts";

/** How long a PUT waits to learn that an image is inaccessible: far longer than a registry takes to refuse. */
const CHECK_FOR = 10_000;

/**
 * Where images come from, in this order: a folder of that name with a Dockerfile, which is built (so that the same definition runs on
 * the process engine); the registry, where the group has credentials for it, asked each time as the service does; an image that is
 * here already; the registry without credentials.
 */
export class Images {
  readonly #api: Api;
  readonly #containersFolder: string;
  /** What a check began, for the deployment that follows it. */
  readonly #begun = new Map<string, Promise<string>>();

  constructor(api: Api, containersFolder: string) {
    this.#api = api;
    this.#containersFolder = containersFolder;
  }

  async check(group: GroupSpec): Promise<ImageFault | undefined> {
    const images = [...new Set(group.members.map(({ image }) => image))];
    for (const image of images) {
      const key = keyOf(image, group.registries);
      const begun = this.#get(image, group.registries);
      this.#begun.set(key, begun);
      begun.catch(() => this.#begun.delete(key));
      const fault = await Promise.race([begun.then(noFault, (error: unknown) => faultOf(image, error)), expired()]);
      if (fault) return fault;
    }
    return undefined;
  }

  /** The name to create containers of. Rejects with what the registry or the build said. */
  ensure(image: string, registries: readonly RegistrySpec[]): Promise<string> {
    const key = keyOf(image, registries);
    const begun = this.#begun.get(key);
    this.#begun.delete(key);
    return begun ?? this.#get(image, registries);
  }

  async #get(image: string, registries: readonly RegistrySpec[]): Promise<string> {
    const folder = await findFolder(this.#containersFolder, image);
    if (folder !== undefined) return this.#build(folder, image);
    const reference = withTag(image);
    const credential = registries.find(({ server }) => server.toLowerCase() === registryOf(reference).toLowerCase());
    if (!credential && (await this.#isHere(reference))) return reference;
    const { username = "", password = "", server = "" } = credential ?? {};
    const options = credential ? { authconfig: { username, password, serveraddress: server } } : {};
    // The types want callbacks here; without one the method resolves with the stream.
    const stream = await this.#api.docker.pull(reference, options);
    await progress(this.#api, stream);
    return reference;
  }

  async #build(folder: string, image: string): Promise<string> {
    const name = `localhost/aci-local/${imageName(image) ?? ""}:latest`;
    const src = await readdir(folder);
    const stream = await this.#api.docker.buildImage({ context: folder, src }, { t: name, rm: true, forcerm: true });
    await progress(this.#api, stream);
    return name;
  }

  async #isHere(reference: string): Promise<boolean> {
    try {
      await this.#api.docker.getImage(reference).inspect();
      return true;
    } catch {
      return false;
    }
  }
}

/** Without a tag, the API would pull every tag there is. */
export const withTag = (image: string): string => (/(:[^/]+|@[^/]+)$/.test(image) ? image : `${image}:latest`);

/** Docker's rule: the first part is a registry if it looks like a host. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

const noFault = (): undefined => undefined;

/** A registry that is busy or broken may be asked again; an image that it refuses, or a registry that does not exist, is inaccessible. */
export function faultOf(image: string, error: unknown): ImageFault {
  return /toomanyrequests|too many requests|status code:? 5\d\d|received unexpected HTTP status: 5|(429|5\d\d) /i.test(
    messageOf(error),
  )
    ? { code: "RegistryErrorResponse", server: registryOf(image) }
    : { code: "InaccessibleImage", image };
}

function expired(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, CHECK_FOR, undefined).unref();
  });
}

const keyOf = (image: string, registries: readonly RegistrySpec[]): string =>
  createHash("sha256")
    .update(JSON.stringify([image, registries]))
    .digest("hex");
