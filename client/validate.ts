import type { Command } from "commander";
import pc from "picocolors";
import { parseSettings } from "../src/shared/config/settings.ts";
import type { JsonValue } from "../src/shared/base/json.ts";
import { readJobMessage } from "../src/shared/job/envelope.ts";
import { parametersMember } from "../src/shared/definition/index.ts";
import { judgeJob } from "../src/shared/job/judgement.ts";
import { judgeTemplate } from "../src/shared/job/template-judgement.ts";
import type { Fault } from "./api.ts";
import { arrayFrom } from "./array.ts";
import { print, printJson, readBytes, report } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { located } from "./show.ts";

/** `validate FILE`: the service's own checks of a definition, here and offline, with its default settings. */
export function addValidate(program: Command): void {
  program
    .command("validate")
    .argument("<file>", "container group as YAML or JSON; - for stdin")
    .description("check a container group without any service")
    .option("--strict", "warnings are faults")
    .option("--array <items>", "as of run: every item is checked where it lands")
    .action(async (file: string, flags: { strict?: boolean; array?: string }, self: Command) => {
      const { json } = self.optsWithGlobals<{ json?: boolean }>();
      const { faults, warnings } = check(
        await readBytes(file),
        flags.array === undefined ? undefined : await arrayFrom(flags.array),
      );
      const valid = faults.length === 0 && !(flags.strict && warnings.length > 0);
      if (json) printJson({ valid, errors: faults, warnings });
      else {
        for (const fault of faults) print(located(file, fault));
        for (const warning of warnings) print(located(file, { ...warning, message: `warning: ${warning.message}` }));
        report(valid ? `${file} ${pc.green("is valid")}` : `${file} ${pc.red("is not valid")}`);
      }
      process.exitCode = valid ? exitCodes.done : exitCodes.faulty;
    });
}

/** A definition that declares parameters, in YAML or JSON. */
function isTemplate(text: string): boolean {
  return new RegExp(`^["' {]*${parametersMember}["']? *:`, "m").test(text);
}

/**
 * The faults and warnings of what `run` takes: a definition with its `x-aciproxy` block, or an envelope with one.
 *
 * @param array the option, where it is given beside them
 */
export function check(
  written: string | Uint8Array,
  array?: JsonValue,
): {
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
} {
  const settings = parseSettings({});
  const message = readJobMessage(written);
  const refused = (why: string, at = { line: 1, column: 1 }): ReturnType<typeof check> => ({
    faults: [{ path: "", line: at.line, column: at.column, message: why }],
    warnings: [],
  });
  switch (message.kind) {
    case "malformed":
      return refused(message.why, message.at);
    case "newer":
      return refused("This envelope's version is newer than this command; version 1 is known.");
    case "run":
    case "cancel":
      return refused("This envelope's op is for the queue; it has no definition.");
    case "submit": {
      const { definition, options, callBackUri, unknown } = message.submission;
      if (!("text" in definition))
        return refused("definitionBlob and template are read by the service only; give the definition itself.");
      const { text } = definition;
      const job = {
        query: {},
        envelope: array === undefined ? options : { ...options, array },
        unknown,
        callBackUri,
        via: "http",
      } as const;
      const { found, warnings } = isTemplate(text)
        ? judgeTemplate(text, settings)
        : judgeJob({ ...job, source: { kind: "text", text } }, settings);
      return { faults: found.flatMap(({ errors }) => errors), warnings };
    }
  }
}
