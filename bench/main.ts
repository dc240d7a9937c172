import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import type { Benchmark, Plan } from "./benchmark.ts";
import { calls } from "./calls.ts";
import { accept, status } from "./http.ts";
import { machineFacts } from "./machine.ts";
import { overhead } from "./overhead.ts";
import { script } from "./script.ts";

/** `npm run bench [-- NAME...]`: needs a build, prints what it finds, writes `bench/results/NAME.json`. */
const benchmarks: readonly Benchmark[] = [
  calls,
  accept,
  status,
  overhead,
  script("aci-simulated"),
  script("aci-podman", "podman"),
];
const results = new URL("results/", import.meta.url);

interface Flags {
  readonly rounds: string;
  readonly seconds: string;
  readonly connections: string;
  readonly profile?: true;
  readonly reference?: true;
}

await new Command("npm run bench --")
  .description("Measures the service on this machine.")
  .argument("[names...]", `which of ${benchmarks.map(({ name }) => name).join(", ")}; all unless named`)
  .option("--rounds <count>", "interleaved rounds, of which medians are taken", "5")
  .option("--seconds <count>", "seconds of load in a round", "5")
  .option("--connections <list>", "numbers of connections", "1,16,64")
  .option("--reference", "all results in bench/results/reference.json, which the repository keeps, instead")
  .option("--profile", "the measured host leaves CPU profiles in bench/results/profiles")
  .action(async (names: readonly string[], flags: Flags) => {
    const plan: Plan = {
      rounds: Number(flags.rounds),
      seconds: Number(flags.seconds),
      connections: flags.connections.split(",").map(Number),
      profileFolder: flags.profile ? fileURLToPath(new URL("profiles", results)) : undefined,
    };
    mkdirSync(results, { recursive: true });
    const save = (name: string, result: unknown): void =>
      writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(result, null, 2)}\n`);
    const all: unknown[] = [];
    for (const benchmark of benchmarks.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const { name } = benchmark;
      process.stdout.write(`${name}\n`);
      const machine = machineFacts();
      const result = await benchmark.run(plan, (line) => process.stdout.write(`  ${line}\n`));
      if (flags.reference) all.push({ name, machine, ...result });
      else save(name, { name, machine, ...result });
    }
    if (flags.reference) save("reference", all);
  })
  .parseAsync();
