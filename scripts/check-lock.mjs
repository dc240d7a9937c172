// Checks what `npm ci` will install before it does: every package of the lock file has its hash and comes from npm's registry, none
// needs a script of its own to be installed, and scripts are off. Runs without any package.
// Usage: node scripts/check-lock.mjs [FOLDER]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const registry = "https://registry.npmjs.org/";

/** Packages that bring an install script and do without: native speed-ups of ssh2, esbuild's own check, protobufjs' version note. */
const scriptsNotNeeded = new Set(["cpu-features", "esbuild", "protobufjs", "ssh2"]);

const folder = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
const settings = readFileSync(join(folder, ".npmrc"), "utf8");
const faults = [];

if (lock.lockfileVersion !== 3) faults.push("The lock file's version is not 3.");
if (!/^ignore-scripts=true$/m.test(settings)) faults.push(".npmrc does not turn install scripts off.");
if (/^(@[\w-]+:)?registry=/m.test(settings) || /_auth|_password/i.test(settings))
  faults.push(".npmrc names a registry or credentials.");

for (const [place, entry] of Object.entries(lock.packages)) {
  if (place === "") continue;
  const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
  if (entry.link) faults.push(`${place} is a link.`);
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? ""))
    faults.push(`${place} has no SHA-512 of its contents.`);
  // npm may be told not to write where packages come from; then the registry of the one who installs is asked, and the hash decides.
  if (entry.resolved !== undefined && !entry.resolved.startsWith(registry))
    faults.push(`${place} comes from elsewhere.`);
  if (!/^\d+\.\d+\.\d+/.test(entry.version ?? "")) faults.push(`${place} has no version of the registry's.`);
  if (entry.hasInstallScript && !scriptsNotNeeded.has(name))
    faults.push(`${place} has an install script: look whether it works without.`);
}

for (const fault of faults) console.error(fault);
console.log(`${Object.keys(lock.packages).length - 1} packages, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
