import { join } from "node:path";
import { evaluated, resourceGroup, subscriptionId, type Evaluated } from "./bicep.ts";
import { said, type Compiler } from "./compiler.ts";

/**
 * What a deployment would make. What only Azure knows stays an expression, `[reference(...)...]`. What the file reads from the
 * environment is the compiler's own.
 *
 * @param file a parameter file, relative to `folder`
 * @returns the deployment, or the compiler's words where it refused
 */
export async function evaluate(compiler: Compiler, folder: string, file: string): Promise<Evaluated | string> {
  const path = join(folder, file);
  const compiled = await compiler.compile(path);
  if (!compiled.success || compiled.diagnostics.length > 0) return said(compiled);
  const scope = file === "azd.bicepparam" ? {} : { resourceGroup };
  const { text, refused } = await compiler.snapshot(path, { subscriptionId, location: "westeurope", ...scope });
  return refused ? text : evaluated.parse(JSON.parse(text));
}
