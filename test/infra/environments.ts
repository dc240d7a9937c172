import { readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluated, infra, type Evaluated, type Resource } from "./bicep.ts";

/** The environments whose deployments are evaluated: one parameter file and one committed snapshot each. */
export interface Environment {
  readonly name: string;
  readonly file: string;
  readonly snapshot: string;
}

const names = ["dev", "test", "acc", "prod"];

export const environments: readonly Environment[] = [
  ...names.map((name) => ({ name, file: `environments/${name}.bicepparam`, snapshot: `${name}.json` })),
  { name: "azd", file: "azd.bicepparam", snapshot: "azd.json" },
];

/** The committed snapshot: needs no compiler, and templates.test.ts holds it to what the compiler says. */
export function deploymentOf(environment: Environment): Evaluated {
  return evaluated.parse(JSON.parse(readFileSync(join(infra, "snapshots", environment.snapshot), "utf8")));
}

export const ofType = ({ predictedResources }: Evaluated, type: string): readonly Resource[] =>
  predictedResources.filter((resource) => resource.type.toLowerCase() === type.toLowerCase());
