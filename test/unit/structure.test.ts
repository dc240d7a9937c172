import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { globSync } from "tinyglobby";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Which module may import which: itself, and what stands in its row. A row names only modules above it, so the table itself has no
 * circle. Types count as imports.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "src/shared/base": [],
  "src/shared/config": ["src/shared/base"],
  "src/shared/definition": ["src/shared/base"],
  "src/shared/job": ["src/shared/base", "src/shared/config", "src/shared/definition"],
  "src/shared/store": ["src/shared/base", "src/shared/config", "src/shared/job"],
  "src/shared/security": [
    "src/shared/base",
    "src/shared/config",
    "src/shared/definition",
    "src/shared/job",
    "src/shared/store",
  ],
  "src/shared/limits": ["src/shared/base", "src/shared/config", "src/shared/job", "src/shared/store"],
  "src/shared/aci": [
    "src/shared/base",
    "src/shared/config",
    "src/shared/definition",
    "src/shared/job",
    "src/shared/store",
    "src/shared/security",
    "src/shared/limits",
  ],
  "src/shared/intake": [
    "src/shared/base",
    "src/shared/config",
    "src/shared/definition",
    "src/shared/job",
    "src/shared/store",
    "src/shared/security",
    "src/shared/limits",
  ],
  "src/shared/notify": ["src/shared/base", "src/shared/config", "src/shared/job", "src/shared/store"],
  "src/shared/health": ["src/shared/base", "src/shared/config", "src/shared/job", "src/shared/store", "src/shared/aci"],
  "src/shared/telemetry": ["src/shared/base", "src/shared/config"],
  "src/shared/deps.ts": ["src/shared"],
  "src/http": ["src/shared"],
  "src/workers": ["src/shared"],
  "src/index.ts": ["src/shared", "src/http", "src/workers"],
  "src/dashboard": ["src/http/openapi"],
  client: ["src/shared/base", "src/shared/config", "src/shared/definition", "src/shared/job", "src/http/openapi"],
  local: ["client", "src/shared"],
};

const files = globSync(["src/**/*.{ts,tsx}", "client/**/*.ts", "local/**/*.ts"], { cwd: root })
  .filter((file) => !file.endsWith(".d.ts"))
  .toSorted();

const isWithin = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);

function moduleOf(file: string): string | undefined {
  return Object.keys(mayImport).find((name) => isWithin(file, name));
}

/** The repository's own files that a file imports, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+\.tsx?)"/g)].map(([, path = ""]) =>
    posix.join(dirname(file), path),
  );
}

test("every source file belongs to a module", () => {
  expect(files.filter((file) => moduleOf(file) === undefined)).toEqual([]);
  expect(files.length).toBeGreaterThan(100);
});

test("a module imports only the modules that its row in the table names", () => {
  const wrong = files.flatMap((file) => {
    const own = moduleOf(file) ?? "";
    const allowed = [own, ...(mayImport[own] ?? [])];
    return importsOf(file)
      .filter((target) => !allowed.some((name) => isWithin(target, name)))
      .map((target) => `${file} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test("no row of the table names a module below it", () => {
  const order = Object.keys(mayImport);
  const wrong = Object.entries(mayImport).flatMap(([name, allowed]) =>
    allowed
      .filter((other) => order.includes(other) && order.indexOf(other) >= order.indexOf(name))
      .map((other) => `${name} may import ${other}`),
  );
  expect(wrong).toEqual([]);
});

test("no files import each other in a circle", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    if (done.has(file)) return;
    for (const target of importsOf(file)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files.filter((path) => !isWithin(path, "local"))) visit(file, []);
  expect(circles).toEqual([]);
});

test("only deps.ts and what stands above it imports the type Deps", () => {
  const users = files.filter((file) => importsOf(file).includes("src/shared/deps.ts"));
  expect(users.filter((file) => !/^src\/(?:http|workers)\/|^src\/index\.ts$/.test(file))).toEqual([]);
});

test("src/shared holds modules and deps.ts alone", () => {
  const loose = files.filter((file) => /^src\/shared\/[^/]+$/.test(file));
  expect(loose).toEqual(["src/shared/deps.ts"]);
});

test("the page takes from the service the types of its replies and nothing that runs", () => {
  const taken = files
    .filter((file) => isWithin(file, "src/dashboard"))
    .flatMap((file) => [...readFileSync(join(root, file), "utf8").matchAll(/^import (.*) from "[./]+\/http\//gm)]);
  expect(taken.map(([, what = ""]) => what).filter((what) => !what.startsWith("type "))).toEqual([]);
  expect(taken.length).toBeGreaterThan(0);
});

test("a file has at most 350 lines, or says in its first line why it is longer", () => {
  const all = globSync(["{src,client,local,test,bench,scripts}/**/*.{ts,tsx,mjs,js}"], { cwd: root });
  const tooLong = all.filter((file) => {
    const lines = readFileSync(join(root, file), "utf8").trimEnd().split("\n");
    return lines.length > 350 && !/^\/\/ Longer than 350 lines: .{20}/.test(lines[0] ?? "");
  });
  expect(tooLong).toEqual([]);
});
