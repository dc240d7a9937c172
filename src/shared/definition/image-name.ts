/** An image's name, written out as Docker does it: `ubuntu` is `docker.io/library/ubuntu` (distribution/reference, "Grammar"). */
export interface ImageName {
  /** In lower case. */
  readonly registry: string;
  /** With its registry, without tag and digest. */
  readonly name: string;
  /** With both. */
  readonly tagged: string;
}

export function imageName(image: string): ImageName {
  const slash = image.indexOf("/");
  const host = slash < 0 ? "" : image.slice(0, slash);
  const named = host.includes(".") || host.includes(":") || host.toLowerCase() === "localhost";
  const registry = named ? host.toLowerCase().replace(/^(?:index|registry-1)\.docker\.io$/, "docker.io") : "docker.io";
  const path = named ? image.slice(slash + 1) : image;
  const full = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  const bare = full.replace(/@.*$/s, "").replace(/:[^/:]*$/, "");
  return { registry, name: `${registry}/${bare}`, tagged: `${registry}/${full}` };
}
