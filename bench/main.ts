import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { all } from "./all.ts";
import { isMet, type Plan } from "./benchmark.ts";
import { benchmarksPage, readResults, type Result } from "./document.ts";
import { parts } from "./texts.ts";
import { loadNow, machineFacts } from "./machine.ts";

/** `npm run bench [-- NAME...]`: needs a build, prints what it finds, writes `bench/results/NAME.json` and docs/benchmarks.md. */
const results = new URL("results/", import.meta.url);
const page = new URL("../docs/benchmarks.md", import.meta.url);

interface Flags {
  readonly rounds: string;
  readonly seconds: string;
  readonly connections: string;
  readonly profile?: true;
}

await new Command("npm run bench --")
  .description("Measures the service on this machine.")
  .argument("[names...]", `which of ${parts.map(({ name }) => name).join(", ")}; all unless named`)
  .option("--rounds <count>", "interleaved rounds, of which medians are taken", "5")
  .option("--seconds <count>", "seconds of load in a round", "5")
  .option("--connections <list>", "numbers of connections", "1,16,64")
  .option("--profile", "the measured host leaves CPU profiles in bench/results/profiles")
  .action(async (names: readonly string[], flags: Flags) => {
    const unknown = names.filter((name) => !parts.some((part) => part.name === name));
    if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(", ")}: see --help.`);
    const plan: Plan = {
      rounds: Number(flags.rounds),
      seconds: Number(flags.seconds),
      connections: flags.connections.split(",").map(Number),
      profileFolder: flags.profile ? fileURLToPath(new URL("profiles", results)) : undefined,
    };
    mkdirSync(results, { recursive: true });
    for (const benchmark of all.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const { name } = benchmark;
      process.stdout.write(`${name}\n`);
      const say = (line: string): void => void process.stdout.write(`  ${line}\n`);
      const machine = machineFacts();
      const { figures, detail } = await benchmark.run(plan, say);
      for (const figure of figures)
        say(`${figure.name}: ${figure.value} ${figure.unit}${isMet(figure) ? "" : " (misses its goal)"}`);
      const measured = { ...machine, loadAfter: loadNow() };
      const result: Result = {
        name,
        machine: measured,
        figures: [...figures],
        ...(detail === undefined ? {} : { detail }),
      };
      writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(result, null, 2)}\n`);
      writeFileSync(page, benchmarksPage(readResults()));
    }
  })
  .parseAsync();
