// npm's own tools, asked about what is shipped alone: the packages whose code is in the app, its page and the client. The manifest can't
// say which these are: everything is bundled, so whoever installs the package `aci-proxy` needs no other, and it lists no dependencies.
//
//   node scripts/shipped.mjs sbom        CycloneDX on stdout
//   node scripts/shipped.mjs audit       fails for a known fault of high severity
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const commands = {
  sbom: ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"],
  audit: ["audit", "--audit-level", "high"],
};

const command = commands[process.argv[2]];
if (command === undefined) throw new Error(`Give one of ${Object.keys(commands).join(", ")}.`);
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const { name, version, license } = read("package.json");
const locked = read("package-lock.json").packages;
const folder = ".local/shipped/aci-proxy";
const dependencies = read("dist-local/shipped.json")
  .filter((path) => path.lastIndexOf("node_modules/") === 0)
  .map((path) => [path.replace("node_modules/", ""), locked[path].version]);
mkdirSync(folder, { recursive: true });
writeFileSync(
  `${folder}/package.json`,
  JSON.stringify({ name, version, license, dependencies: Object.fromEntries(dependencies) }),
);
copyFileSync("package-lock.json", `${folder}/package-lock.json`);
// The lock file without the rest.
npm(["prune", "--package-lock-only", "--silent"], "ignore");
npm(command, "inherit");

function npm(words, stdout) {
  const { status } = spawnSync("npm", words, {
    cwd: folder,
    stdio: ["ignore", stdout, "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}
