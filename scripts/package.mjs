// Packs what was built into the one zip that deploys: the same input gives the same bytes, whoever packs it, where and when.
//
//   node scripts/package.mjs [--from FOLDER] [--out FOLDER]
//
// OUT (.local/package) gets aci-proxy.zip and its content as a folder, app/, for azd. Prints size, SHA-256 and cold start.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { zipSync } from "fflate";

const { values } = parseArgs({
  options: { from: { type: "string", default: "." }, out: { type: "string", default: ".local/package" } },
});
const from = resolve(values.from);
const out = resolve(values.out);

/** Production files only: the bundle holds every module that it needs, so there are no node_modules, and source maps stay here. */
function files() {
  const { name, version, license, main } = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
  const manifest = `${JSON.stringify({ name, version, license, private: true, main }, undefined, 2)}\n`;
  const built = readdirSync(join(from, "dist"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.|\.(?:map|zip)$/.test(entry.name))
    .map((entry) => relative(from, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return [
    ["host.json", readFileSync(join(from, "host.json"))],
    ["package.json", Buffer.from(manifest)],
    ...built.map((path) => [path, readFileSync(join(from, path))]),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Zip's earliest date, in local time as zip has it: the same bytes in every time zone. */
const entry = { level: 9, mtime: new Date(1980, 0, 1), os: 3, attrs: (0o100644 << 16) >>> 0 };

/** How long the runtime takes to load the code in a fresh process: what a cold start adds to the platform's own. Median of three. */
function coldStart(folder) {
  const load =
    "const t = performance.now(); require('./dist/index.cjs'); process.stderr.write(`${performance.now() - t}`); process.exit()";
  const env = { ...process.env, AzureWebJobsStorage: "UseDevelopmentStorage=true", WEBSITE_HOSTNAME: "localhost" };
  const times = Array.from({ length: 3 }, () => {
    const { stderr } = spawnSync(process.execPath, ["-e", load], { cwd: folder, env, encoding: "utf8" });
    return Number(/([\d.]+)$/.exec(stderr)?.[1]);
  });
  return Math.round(times.sort((a, b) => a - b)[1]);
}

const packed = files();
const zip = zipSync(Object.fromEntries(packed.map(([path, bytes]) => [path, [bytes, entry]])));
const app = join(out, "app");
rmSync(app, { recursive: true, force: true });
for (const [path, bytes] of packed) {
  mkdirSync(dirname(join(app, path)), { recursive: true });
  writeFileSync(join(app, path), bytes);
}
writeFileSync(join(out, "aci-proxy.zip"), zip);

const kilobytes = (bytes) => `${Math.round(bytes / 1024)} KiB`;
const unpacked = packed.reduce((sum, [, bytes]) => sum + bytes.length, 0);
console.log(
  `${join(out, "aci-proxy.zip")}: ${kilobytes(zip.length)}, unpacked ${kilobytes(unpacked)}, ${packed.length} files`,
);
console.log(`sha256 ${createHash("sha256").update(zip).digest("hex")}`);
console.log(`cold start: the code loads in ${coldStart(app)} ms (median of 3, Node ${process.version})`);
