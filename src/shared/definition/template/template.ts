import { foldName, type JsonObject } from "../../base/json.ts";
import { err, ok, type LocatedFault, type Result } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { Findings } from "../text/positions.ts";
import { type Positions } from "../text/positions.ts";
import { readYaml } from "../text/read.ts";
import { Trail } from "../text/trail.ts";
import type { Limits } from "../text/tree-builder.ts";
import type { Entry, MapNode, Node } from "../text/tree.ts";
import { fill, type Filled } from "./fill.ts";
import { parametersMember, readGiven, readParameters, type Parameter, type ParameterValue } from "./parameters.ts";
import { partsOf } from "./references.ts";

/** A stored definition with parameters, read: the values of each run are put into its tree, never into its text. */
export interface Template {
  readonly text: string;
  /** By their names in lower case. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** Options that a caller who may run templates only is free to set. */
  readonly allow: readonly Opened[];
  readonly warnings: readonly LocatedFault[];
  readonly tree: Tree;
}

/** An option that `x-aciproxy-allow` names, and where. */
interface Opened {
  readonly option: string;
  readonly line: number;
  readonly column: number;
}

/** The definition in it, without what declares the template. Used again for each run, so nothing here may be changed. */
interface Tree {
  readonly root: MapNode;
  readonly findings: Findings;
  readonly places: Positions;
  readonly source: string;
  readonly limits: Limits;
}

const allowMember = "x-aciproxy-allow";

/** Every fault of the text, its declarations and its references, each with its place. Of the definition itself a run can tell more. */
export function parseTemplate(text: string, limits: Limits): Result<Template, readonly LocatedFault[]> {
  const read = readYaml(text, limits);
  const { findings, places } = read;
  if (!read.ok) return err(findings.faults(places));
  const { root, source } = read;
  // Each run reports repetitions and the like again, from here.
  const ofText = findings.copy();
  const parameters = readParameters(root.entries.get(parametersMember), findings, places);
  const allow = readAllow(root.entries.get(allowMember), findings, places);
  const definition = new Map([...root.entries].filter(([key]) => key !== parametersMember && key !== allowMember));
  const own = definition.get("callBackUri");
  if (own !== undefined)
    findings.fault(Trail.top(0).to("callBackUri", own.at), "callBackUri belongs to the call that runs the template.");
  const node = { ...root, entries: definition };
  const used = new References(parameters, findings).judge(node);
  for (const [key, { name }] of parameters) {
    const declared = root.entries.get(parametersMember)?.at ?? 0;
    if (!used.has(key))
      findings.warn(Trail.top(0).to(parametersMember, declared).to(name, declared), `Parameter ${name} is not used.`);
  }
  if (findings.failed) return err(findings.faults(places));
  const tree = { root: node, findings: ofText, places, source, limits };
  return ok({ text, parameters, allow, warnings: findings.warnings(places), tree });
}

/** @returns the template with a run's values in their places, or every fault of the values */
export function fillTemplate(template: Template, given: JsonObject): Result<Filled, readonly LocatedFault[]> {
  const values = readGiven(template.parameters, given);
  return values.ok ? fillWith(template, values.value) : values;
}

/** The template with a value for each parameter: its default, or one of its type. To judge what does not depend on the values. */
export function fillWithSamples(template: Template): Result<Filled, readonly LocatedFault[]> {
  return fillWith(template, new Map(Array.from(template.parameters, ([key, each]) => [key, sampleOf(each)])));
}

function fillWith(
  { tree, parameters }: Template,
  values: ReadonlyMap<string, ParameterValue>,
): Result<Filled, readonly LocatedFault[]> {
  const filled = fill(tree.root, values, { limits: tree.limits, nameOf: (key) => parameters.get(key)?.name ?? key });
  if (filled !== undefined)
    return ok({ ...filled, findings: tree.findings.copy(), places: tree.places, source: tree.source });
  const message = "The definition is too large with these parameters; give shorter values.";
  return err([{ path: "parameters", line: 1, column: 1, message }]);
}

function sampleOf({ type, values, fallback }: Parameter): ParameterValue {
  const [first] = values ?? [];
  if (fallback !== undefined) return fallback;
  if (type === "list") return [typeof first === "string" ? first : "x"];
  return first ?? { string: "x", number: 1, boolean: true }[type];
}

function readAllow(entry: Entry | undefined, findings: Findings, places: Positions): readonly Opened[] {
  if (entry === undefined) return [];
  const { node, at } = entry;
  const here = Trail.top(0).to(allowMember, at);
  const items = node.kind === "list" ? node.items : undefined;
  if (items === undefined || items.some((item) => item.kind !== "scalar" || item.value === null)) {
    findings.fault(here, `${allowMember} must be a list of options.`);
    return [];
  }
  return items.flatMap((item) => (item.kind === "scalar" ? [{ option: item.text, ...places.at(item.at) }] : []));
}

/** Judges the references of a template in its own text, each node once however often aliases name it. */
class References {
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #findings: Findings;
  readonly #seen = new Set<Node>();
  readonly #used = new Set<string>();

  constructor(parameters: ReadonlyMap<string, Parameter>, findings: Findings) {
    this.#parameters = parameters;
    this.#findings = findings;
  }

  /** @returns the parameters that are used */
  judge(root: MapNode): ReadonlySet<string> {
    this.#visit(root, Trail.top(root.at), false);
    return this.#used;
  }

  #visit(node: Node, here: Trail, isItem: boolean): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    if (node.kind === "list") node.items.forEach((item, index) => this.#visit(item, here.to(index, item.at), true));
    else if (node.kind === "scalar") this.#text(node.text, here, isItem);
    else {
      for (const [key, entry] of node.entries) {
        const below = here.to(key, entry.at);
        if (partsOf(key).some(({ kind }) => kind === "parameter" || kind === "malformed"))
          this.#findings.fault(below, "A parameter may stand in a value only, not in a property's name.");
        this.#visit(entry.node, below, false);
      }
    }
  }

  #text(text: string, here: Trail, isItem: boolean): void {
    const parts = partsOf(text);
    parts.forEach((part, index) => {
      if (part.kind === "malformed") this.#findings.fault(here, "A reference to a parameter is written ${param:NAME}.");
      if (part.kind !== "parameter") return;
      const { name } = part;
      const parameter = this.#parameters.get(foldName(name));
      if (parameter === undefined) {
        this.#findings.fault(here, this.#undeclared(name));
        return;
      }
      this.#used.add(foldName(name));
      const before = parts[index - 1];
      if (before?.kind === "text" && /\$\{keyvault:[\w/-]*$/.test(before.text.slice(-200)))
        this.#findings.fault(here, `Parameter ${name} can't choose the secret of a vault reference; write its name.`);
      if (parameter.type === "list" && (isItem || parts.length > 1))
        this.#findings.fault(here, `Parameter ${name} is a list: it must stand alone, where a whole list belongs.`);
    });
  }

  #undeclared(name: string): string {
    const names = [...this.#parameters.values()].map((each) => each.name);
    const meant = nearest(name, names);
    return `Parameter ${name} is not declared in ${parametersMember}${meant === undefined ? "." : `; is ${meant} meant?`}`;
  }
}
