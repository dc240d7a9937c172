import { createTwoFilesPatch } from "diff";
import { InvalidArgumentError, type Command } from "commander";
import type { Template, TemplateInfo } from "./api.ts";
import { contextOf, print, printJson, printReply, readDefinition, report } from "./context.ts";
import { Misuse, Refused } from "./errors.ts";
import { columns, located } from "./show.ts";

/** `template`: stored definitions with parameters. */
export function addTemplate(program: Command): void {
  const template = program.command("template").description("stored definitions with parameters");
  template
    .command("put")
    .argument("<name>", "of the template")
    .argument("<file>", "container group with parameters as YAML or JSON; - for stdin")
    .option(
      "--if-version <number>",
      "only while this version is the newest; 0: only where there is no such template",
      version,
    )
    .description("store a new version")
    .action(async (name: string, file: string, flags: { ifVersion?: number }, self: Command) => {
      const { service, json } = contextOf(self);
      const text = await readDefinition(file);
      const reply = await service.putTemplate(name, text, flags.ifVersion).catch((error: unknown) => {
        for (const fault of error instanceof Refused ? error.errors : []) report(located(file, fault));
        throw error;
      });
      for (const each of json ? [] : (reply.warnings ?? []))
        report(located(file, { ...each, message: `warning: ${each.message}` }));
      printReply(json, reply);
    });
  template
    .command("get")
    .argument("<name>", "of the template")
    .argument("[version]", "one that is kept; default the newest", version)
    .description("print its text as it was stored")
    .action(async (name: string, kept: number | undefined, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      const reply = await service.template(name, kept);
      if (json) printJson(reply);
      else process.stdout.write(reply.definition.endsWith("\n") ? reply.definition : `${reply.definition}\n`);
    });
  template
    .command("list")
    .argument("[name]", "its versions and parameters")
    .description("all templates, or what there is of one")
    .action(async (name: string | undefined, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      if (name === undefined) {
        const all: TemplateInfo[] = [];
        for await (const each of service.templates()) all.push(each);
        if (json) printJson(all);
        else if (all.length === 0) report("There are no templates.");
        else print(columns(all.map((each) => [each.name, `version ${each.version}`, each.createdAt ?? ""])));
        return;
      }
      const reply = await service.template(name);
      if (json) printJson(reply);
      else print(described(reply));
    });
  template
    .command("delete")
    .argument("<name>", "of the template")
    .description("delete it with all its versions; jobs that were accepted go on")
    .action(async (name: string, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      printReply(json, await service.deleteTemplate(name));
    });
  template
    .command("diff")
    .argument("<name>", "of the template")
    .argument("[from]", "a version; default the one before the newest", version)
    .argument("[to]", "a version; default the newest", version)
    .description("what changed between two versions")
    .action(async (name: string, from: number | undefined, to: number | undefined, _: object, self: Command) => {
      const { service } = contextOf(self);
      const newest = await service.template(name);
      const [, before] = newest.versions ?? [];
      const old = from ?? before?.version;
      if (old === undefined) throw new Misuse(`${name} has one version only`);
      const [first, last] = await Promise.all([
        service.template(name, old),
        to === undefined ? newest : service.template(name, to),
      ]);
      const label = (each: Template): string => `${each.name} version ${each.version}`;
      print(createTwoFilesPatch(label(first), label(last), first.definition, last.definition).trimEnd());
    });
}

function described({ name, version, parameters, versions = [] }: Template): string {
  const rows = Object.entries(parameters).map(([parameter, { type, required, secret, description, ...more }]) => [
    `  ${parameter}`,
    `${secret === true ? "secret " : ""}${type}`,
    required === true ? "required" : `default ${JSON.stringify(more.default)}`,
    description ?? (more.values === undefined ? (more.pattern ?? "") : `one of ${more.values.join(", ")}`),
  ]);
  return [
    `${name} version ${version}`,
    ...(rows.length === 0 ? ["No parameters."] : ["Parameters:", columns(rows)]),
    ...(versions.length === 0
      ? []
      : ["Versions:", columns(versions.map((each) => [`  ${each.version}`, each.createdAt ?? ""]))]),
  ].join("\n");
}

export function version(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}
