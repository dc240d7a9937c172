#!/usr/bin/env node
// The client as it was built; in a clone that was not built yet, straight from its sources.
import { existsSync } from "node:fs";

const built = new URL("../dist-client/main.mjs", import.meta.url);
const source = new URL("../client/main.ts", import.meta.url);

if (existsSync(built)) {
  await import(built.href);
} else if (existsSync(source)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(source.href);
} else {
  console.error("This package was packed before it was built: npm run build, then npm pack.");
  process.exitCode = 1;
}
