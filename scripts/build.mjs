// Builds the app (dist/index.cjs, one file: a cold start reads one file) and the local stack (dist-local/). What did not change is
// left alone and what did is renamed into place, so that a running stack never sees half a file.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { build } from "esbuild";

const common = { bundle: true, platform: "node", target: "node20", sourcemap: true, logLevel: "warning", write: false };

const results = await Promise.all([
  // The Functions worker injects @azure/functions-core by patching require, so the bundle is CommonJS and leaves it out.
  build({
    ...common,
    entryPoints: ["src/index.ts"],
    outfile: "dist/index.cjs",
    format: "cjs",
    minifySyntax: true,
    legalComments: "none",
    external: ["@azure/functions-core"],
    // Some of Azure's libraries ask where they are, which a CommonJS file says in another way.
    banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    define: { "import.meta.url": "bundleUrl" },
  }),
  build({
    ...common,
    entryPoints: {
      main: "local/main.ts",
      host: "local/host/main.ts",
      aci: "local/aci/main.ts",
      azurite: "local/azurite/main.ts",
      func: "local/func/main.ts",
      client: "local/client/main.ts",
    },
    outdir: "dist-local",
    outExtension: { ".js": ".mjs" },
    format: "esm",
    packages: "external",
  }),
]);

for (const { path, contents } of results.flatMap(({ outputFiles }) => outputFiles)) {
  if (existsSync(path) && readFileSync(path).equals(contents)) continue;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}
cpSync("src/http/dashboard", "dist/dashboard", { recursive: true });
