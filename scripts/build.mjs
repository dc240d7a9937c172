// Builds the app (dist/index.cjs, one file: a cold start reads one file) and the local stack (dist-local/, one file for each of its
// programs, for the same reason). Does nothing when nothing changed since the last build. What did not change is left alone and what
// did is renamed into place, so that a running stack never sees half a file.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";

/** Every file that the last build read or wrote, and when it was changed. */
const record = "dist-local/build.json";
/** npm's own list of what is installed stands for all of it. */
const installed = "node_modules/.package-lock.json";
const dashboard = "src/dashboard";
/** esbuild reads them beside what it bundles. */
const compilers = ["tsconfig.json", `${dashboard}/tsconfig.json`];

if (!isUpToDate()) await buildAll();

function isUpToDate() {
  if (!existsSync(record)) return false;
  const times = JSON.parse(readFileSync(record, "utf8"));
  return Object.entries(times).every(([path, time]) => changedAt(path) === time);
}

function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

async function buildAll() {
  const { build } = await import("esbuild");
  const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning" };
  const results = await Promise.all(
    [
      // The Functions worker injects @azure/functions-core by patching require, so the bundle is CommonJS and leaves it out.
      {
        entryPoints: ["src/index.ts"],
        outfile: "dist/index.cjs",
        format: "cjs",
        sourcemap: true,
        minifySyntax: true,
        legalComments: "none",
        external: ["@azure/functions-core"],
        // Some of Azure's libraries ask where they are, which a CommonJS file says in another way.
        banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
        define: { "import.meta.url": "bundleUrl" },
      },
      {
        entryPoints: {
          main: "local/main.ts",
          client: "client/main.ts",
          "client-module": "client/index.ts",
          func: "local/func/main.ts",
          host: "local/host/main.ts",
          "host-thread": "local/host/thread.ts",
          aci: "local/aci/main.ts",
          azurite: "local/azurite/main.ts",
          drills: "local/drills/main.ts",
        },
        outdir: "dist-local",
        outExtension: { ".js": ".mjs" },
        format: "esm",
        external: ["dockerode"], // has native parts
        alias: { applicationinsights: "./local/azurite/no-telemetry.ts" },
        // Packages that are CommonJS require what Node has.
        banner: {
          js: [
            'import { createRequire as requireOf } from "node:module";',
            "const require = requireOf(import.meta.url);",
          ].join("\n"),
        },
      },
    ].map((options) => build({ ...common, ...options, write: false, metafile: true })),
  );
  const page = await buildPage(build);
  const written = [...results.flatMap(({ outputFiles }) => outputFiles), ...page.written];
  for (const { path, contents } of written) put(path, contents);

  const read = results.flatMap(({ metafile }) =>
    Object.keys(metafile.inputs).filter((path) => !path.startsWith("node_modules/")),
  );
  read.push(...page.read, ...compilers, import.meta.filename, installed);
  const paths = [...read, ...written.map(({ path }) => path)];
  put(record, Buffer.from(JSON.stringify(Object.fromEntries(paths.map((path) => [path, changedAt(path)])))));
}

/** The operators' page: one file with its script and style, and the policy that lets in exactly these two, by their hashes. */
async function buildPage(build) {
  const { outputFiles, metafile } = await build({
    entryPoints: [`${dashboard}/main.tsx`, `${dashboard}/style.css`],
    outdir: "page",
    bundle: true,
    minify: true,
    platform: "browser",
    target: "es2022",
    format: "iife",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
    write: false,
    metafile: true,
  });
  const textOf = (end) => outputFiles.find(({ path }) => path.endsWith(end)).text.trim();
  // An end tag in a string would end the element.
  const script = textOf(".js").replaceAll("</script", "<\\/script");
  const style = textOf(".css");
  const source = `${dashboard}/index.html`;
  const html = readFileSync(source, "utf8")
    .replace("<!-- style -->", () => `<style>${style}</style>`)
    .replace("<!-- script -->", () => `<script>${script}</script>`);
  const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
  const bytes = Buffer.from(html);
  return {
    read: [source, ...Object.keys(metafile.inputs).filter((path) => !path.startsWith("node_modules/"))],
    written: [
      { path: "dist/dashboard/index.html", contents: bytes },
      { path: "dist/dashboard/index.html.gz", contents: gzipSync(bytes, { level: 9 }) },
      { path: "dist/dashboard/policy.txt", contents: Buffer.from(policy) },
    ],
  };
}

function put(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}
