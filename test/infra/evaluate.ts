import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { evaluated, inCopy, resourceGroup, subscriptionId, type Evaluated } from "./bicep.ts";
import { said, type Compiler } from "./compiler.ts";

/**
 * What a deployment would make. What only Azure knows stays an expression, `[reference(...)...]`. What the file reads from the
 * environment is the compiler's own.
 *
 * @param file a parameter file, relative to `folder`
 * @returns the deployment, or the compiler's words where it refused
 */
export async function evaluate(compiler: Compiler, folder: string, file: string): Promise<Evaluated | string> {
  const compiled = await compiler.compile(join(folder, file));
  if (!compiled.success || compiled.diagnostics.length > 0) return said(compiled);
  return evaluateCompiled(compiler, folder, file);
}

/** As `evaluate`, without the compiler's warnings: in half the time. */
async function evaluateCompiled(compiler: Compiler, folder: string, file: string): Promise<Evaluated | string> {
  const scope = file === "azd.bicepparam" ? {} : { resourceGroup };
  const place = { subscriptionId, location: "westeurope", ...scope };
  const { text, refused } = await compiler.snapshot(join(folder, file), place);
  return refused ? text : evaluated.parse(JSON.parse(text));
}

/** main.bicep with these parameters. */
export const evaluateWith = (
  compiler: Compiler,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Evaluated | string> =>
  inCopy(async (folder) => {
    const lines = Object.entries(parameters).map(
      ([name, value]) => `param ${name} = json('${JSON.stringify(value).replaceAll("'", String.raw`\'`)}')\n`,
    );
    await writeFile(join(folder, "own.bicepparam"), `using 'main.bicep'\n${lines.join("")}`);
    return evaluateCompiled(compiler, folder, "own.bicepparam");
  });
