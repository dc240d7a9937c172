import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/**
 * A command of a container, made to run on this machine. The container's own files lie under `root`: a path in the command that the
 * image copied, or where a volume is mounted, is replaced by its place there; every other path is this machine's.
 */
export function localCommand(command: readonly string[], root: string, paths: readonly string[]): string[] {
  const known = [...new Set(paths)].filter((path) => path !== "/").sort((a, b) => b.length - a.length);
  if (known.length === 0) return [...command];
  const before = String.raw`(^|[\s"'=;|&(<>:,])`;
  const after = String.raw`(?=$|[\s"'/;|&)<>:,])`;
  const pattern = new RegExp(`${before}(${known.map(escaped).join("|")})${after}`, "g");
  return command.map((word) => word.replace(pattern, (_, lead: string, path: string) => lead + join(root, path)));
}

/** The container's own programs come first. */
export const searchPath = (root: string, own: string | undefined): string =>
  [...(own ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").split(delimiter)]
    .filter((folder) => existsSync(join(root, folder)))
    .map((folder) => join(root, folder))
    .concat((process.env["PATH"] ?? "/usr/bin:/bin").split(delimiter))
    .join(delimiter);

/** Why a program can't be started, in the words of the OCI runtimes; `undefined` if it can. */
export function cannotStart(program: string, cwd: string, path: string): string | undefined {
  const places = program.includes("/")
    ? [isAbsolute(program) ? program : join(cwd, program)]
    : path.split(delimiter).map((folder) => join(folder, program));
  const found = places.find((place) => existsSync(place) && statSync(place).isFile());
  const prefix = `failed to create containerd task: failed to create shim task: OCI runtime create failed: exec: "${program}": `;
  if (found === undefined) {
    return (
      prefix +
      (program.includes("/") ? `stat ${program}: no such file or directory` : "executable file not found in $PATH")
    );
  }
  try {
    accessSync(found, constants.X_OK);
    return undefined;
  } catch {
    return `${prefix}permission denied`;
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
