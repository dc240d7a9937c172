import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * Makes a Functions app of one file, bundled as ours is.
 *
 * @param folder where to
 * @param source TypeScript whose imports are relative to this folder
 */
export async function bundleApp(folder: string, source: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    outfile: join(folder, "index.cjs"),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["@azure/functions-core"],
    // Packages ask where they are.
    banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    define: { "import.meta.url": "bundleUrl" },
  });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "bench", main: "index.cjs" }));
  await writeFile(join(folder, "host.json"), JSON.stringify({ version: "2.0" }));
}
