import { readFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { nodeTypes } from "./node-types.ts";
import { pythonClient } from "./python-client.ts";

/** The clients, and parts of clients, that are made from the API's description, by path. `npm run docs` writes them, a test compares. */
export async function generatedClients(): Promise<ReadonlyMap<string, string>> {
  const style = await resolveConfig(import.meta.filename);
  const python = "clients/python/aci_proxy.py";
  return new Map([
    ["client/api.ts", await format(nodeTypes(), { ...style, parser: "typescript" })],
    [python, pythonClient(readFileSync(join(import.meta.dirname, "..", python), "utf8"))],
  ]);
}
