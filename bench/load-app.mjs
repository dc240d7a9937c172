// node load-app.mjs FOLDER: how many milliseconds `require` of a Functions app takes, with a host that takes every registration.
import Module, { createRequire } from "node:module";
import { join } from "node:path";

const registration = () => ({ dispose() {} });
const core = {
  version: "0",
  hostVersion: "4",
  registerFunction: registration,
  registerHook: registration,
  setProgrammingModel() {},
  getProgrammingModel() {},
  log() {},
};
const load = Module._load;
Module._load = (id, ...rest) => (id === "@azure/functions-core" ? core : load(id, ...rest));

const require = createRequire(import.meta.url);
const folder = process.argv[2];
const { main } = require(join(folder, "package.json"));
const began = performance.now();
require(join(folder, main));
process.stdout.write(`\n${JSON.stringify(performance.now() - began)}\n`, () => process.exit());
