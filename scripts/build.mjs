// Builds the app (dist/index.cjs and the parts that it loads when they are needed), the local stack (dist-local/, one file for each of
// its programs), and the client with its types (dist-client/: what `npm pack` packs). Does nothing when nothing changed since the last
// build. What did not change is left alone and what did is renamed into place, so that a running stack never sees half a file.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import { gzipSync } from "node:zlib";
import { buildApp, englishOnly } from "./build-app.mjs";

/** Every file that the last build read or wrote, and when it was changed. */
const record = "dist-local/build.json";
/** The packages whose code is shipped, for scripts/shipped.mjs. */
const shipped = "dist-local/shipped.json";
/** What the app consists of, for bench/bundle.ts and the test of its size. */
const bundled = "dist-local/bundle.json";
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
  const { build, transform } = await import("esbuild");
  const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning", plugins: [englishOnly] };
  // Packages that are CommonJS require what Node has.
  const requires = {
    js: [
      'import { createRequire as requireOf } from "node:module";',
      "const require = requireOf(import.meta.url);",
    ].join("\n"),
  };
  const app = await buildApp(build, transform, common);
  const others = await Promise.all(
    [
      {
        entryPoints: {
          main: "local/main.ts",
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
        banner: requires,
      },
      {
        entryPoints: { main: "client/main.ts", index: "client/index.ts" },
        outdir: "dist-client",
        outExtension: { ".js": ".mjs" },
        format: "esm",
        minifySyntax: true,
        minifyWhitespace: true,
        banner: requires,
      },
    ].map((options) => build({ ...common, ...options, write: false, metafile: true })),
  );
  const results = [app, ...others];
  const page = await buildPage(build);
  const client = results.at(-1);
  const types = await declareTypes("client/index.ts");
  const written = [
    ...results.flatMap(({ outputFiles }) => outputFiles),
    ...page.written,
    ...types,
    // npm packs what "main" names, which is the app, unless this file keeps it out.
    { path: "dist/.npmignore", contents: Buffer.from("*\n") },
    { path: "dist-client/LICENSES.txt", contents: Buffer.from(licensesOf(client.metafile)) },
    {
      path: shipped,
      contents: Buffer.from(
        JSON.stringify(packagesIn([...results.map(({ metafile }) => metafile), ...page.metafiles])),
      ),
    },
  ];
  written.push({ path: bundled, contents: Buffer.from(JSON.stringify(app.parts)) });
  for (const { path, contents } of written) put(path, contents);
  removeOldParts(written);

  const read = results.flatMap(({ metafile }) =>
    Object.keys(metafile.inputs).filter((path) => !path.startsWith("node_modules/")),
  );
  read.push(...page.read, ...compilers, import.meta.filename, installed);
  const paths = [...read, ...written.map(({ path }) => path)];
  put(record, Buffer.from(JSON.stringify(Object.fromEntries(paths.map((path) => [path, changedAt(path)])))));
}

/** A running stack may load the parts of the build before this one yet; those of older builds go. */
function removeOldParts(written) {
  const before = existsSync(record) ? Object.keys(JSON.parse(readFileSync(record, "utf8"))) : [];
  const kept = new Set([...before, ...written.map(({ path }) => posix.relative(process.cwd(), path))]);
  for (const name of readdirSync("dist/parts")) if (!kept.has(`dist/parts/${name}`)) rmSync(`dist/parts/${name}`);
}

/** The folders of the packages whose code is in the app and in the client; what only the local stack has is left out. */
function packagesIn(metafiles) {
  const outputs = metafiles.flatMap((metafile) => Object.entries(metafile.outputs));
  const inputs = outputs
    .filter(([path]) => !path.startsWith("dist-local/"))
    .flatMap(([, { inputs }]) => Object.keys(inputs));
  return [
    ...new Set(inputs.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [])),
  ].sort();
}

/** The licenses of the packages whose code a bundle has: they ask to be passed on with it. */
function licensesOf(metafile) {
  const texts = packagesIn([metafile]).map((folder) => {
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    if (file === undefined) throw new Error(`${folder} has no license file`);
    return `${folder.replace("node_modules/", "")}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

/** The types of a module and of the files that they refer to. Exported names there have written types, so that no file needs another. */
async function declareTypes(entry) {
  const { default: ts } = await import("typescript");
  const compilerOptions = { target: ts.ScriptTarget.ES2022, isolatedDeclarations: true, strict: true };
  const files = [entry];
  const declared = [];
  for (const fileName of files) {
    const source = readFileSync(fileName, "utf8");
    const { outputText, diagnostics = [] } = ts.transpileDeclaration(source, {
      fileName,
      reportDiagnostics: true,
      compilerOptions,
    });
    if (diagnostics.length > 0)
      throw new Error(`${fileName}: ${ts.flattenDiagnosticMessageText(diagnostics[0].messageText, " ")}`);
    const imported = [...outputText.matchAll(/ from "(\.[^"]+)"/g)].map(([, path]) =>
      posix.join(dirname(fileName), path),
    );
    files.push(...imported.filter((path) => !files.includes(path)));
    const path = `dist-client/${posix.relative(dirname(entry), fileName).replace(/ts$/, "d.ts")}`;
    declared.push({ path, contents: Buffer.from(outputText.replaceAll(/( from "\.[^"]+)\.ts"/g, '$1.js"')) });
  }
  return declared;
}

/**
 * The operators' page: one file with its script and style, and the policy that lets in exactly these two, by their hashes. What signs
 * people in is a script of its own, which is loaded only where they do.
 */
async function buildPage(build) {
  const common = {
    outdir: "page",
    bundle: true,
    minify: true,
    platform: "browser",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
    write: false,
    metafile: true,
  };
  const [{ outputFiles, metafile }, signIn] = await Promise.all([
    build({ ...common, entryPoints: [`${dashboard}/main.tsx`, `${dashboard}/style.css`], format: "iife" }),
    build({ ...common, entryPoints: [`${dashboard}/sign-in.ts`], format: "iife", globalName: "signInScript" }),
  ]);
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
  const signInScript = Buffer.from(signIn.outputFiles[0].contents);
  return {
    metafiles: [metafile, signIn.metafile],
    read: [source, ...[metafile, signIn.metafile].flatMap(({ inputs }) => Object.keys(inputs))].filter(
      (path) => !path.startsWith("node_modules/"),
    ),
    written: [
      { path: "dist/dashboard/index.html", contents: bytes },
      { path: "dist/dashboard/index.html.gz", contents: gzipSync(bytes, { level: 9 }) },
      { path: "dist/dashboard/policy.txt", contents: Buffer.from(policy) },
      { path: "dist/dashboard/signin.js", contents: signInScript },
      { path: "dist/dashboard/signin.js.gz", contents: gzipSync(signInScript, { level: 9 }) },
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
