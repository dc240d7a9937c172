// The app as CommonJS files: index.cjs, and in parts/ what it loads only when it is needed (Key Vault, Event Grid, OpenTelemetry, the
// identity library, Container Instances). A cold start reads and compiles index.cjs and the parts that it requires, nothing else.
import { basename, relative } from "node:path";

/** zod's texts in other languages, a third of a megabyte, are never shown. */
export const englishOnly = {
  name: "english-only",
  setup: ({ onLoad }) =>
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    })),
};

/**
 * The Functions worker injects @azure/functions-core by patching require, so the files are CommonJS and leave it out. esbuild splits
 * ES modules alone: each file becomes CommonJS after that, one by one.
 */
export async function buildApp(build, transform, common) {
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: ["src/index.ts"],
    outdir: "dist",
    chunkNames: "parts/[name]-[hash]",
    outExtension: { ".js": ".cjs" },
    format: "esm",
    splitting: true,
    sourcemap: "inline",
    minifySyntax: true,
    legalComments: "none",
    external: ["@azure/functions-core"],
    write: false,
    metafile: true,
  });
  const files = await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const { code, map } = await transform(text, {
        format: "cjs",
        platform: "node",
        target: common.target,
        sourcemap: "external",
        legalComments: "none",
        // Some of Azure's libraries ask where they are, which a CommonJS file says in another way.
        banner: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;',
        define: { "import.meta.url": "bundleUrl" },
      });
      const name = basename(path);
      return [
        { path, contents: Buffer.from(`${code}//# sourceMappingURL=${name}.map\n`) },
        { path: `${path}.map`, contents: Buffer.from(map) },
      ];
    }),
  );
  return { outputFiles: files.flat(), metafile, parts: partsOf(metafile, files) };
}

/** Each file: its bytes, whether each start loads it, and the bytes of the packages in it. */
function partsOf({ outputs }, files) {
  const atStart = new Set();
  const add = (path) => {
    if (atStart.has(path) || outputs[path] === undefined) return;
    atStart.add(path);
    for (const { path: other, kind } of outputs[path].imports) if (kind === "import-statement") add(other);
  };
  add("dist/index.cjs");
  return files.map(([{ path: whole, contents }]) => {
    const path = relative(process.cwd(), whole);
    const packages = {};
    for (const [input, { bytesInOutput }] of Object.entries(outputs[path].inputs)) {
      const name = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? "aci-proxy";
      packages[name] = (packages[name] ?? 0) + bytesInOutput;
    }
    return { path, bytes: contents.length, atStart: atStart.has(path), packages };
  });
}
