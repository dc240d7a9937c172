import type { LocatedFault } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";
import {
  fillWithSamples,
  judgeSecrecy,
  limitsOf,
  parametersByPath,
  parseTemplate,
  pathsWithGaps,
  type Definition,
  type Template,
} from "../definition/index.ts";
import { definitionRules, judgeFilled, type Found, type Written } from "./judgement.ts";
import { allOptionNames, optionNamed } from "./options.ts";

/** All that can be said of a template before its values are known. */
export interface TemplateJudgement {
  /** Empty where everything is in order. */
  readonly found: readonly Found[];
  readonly warnings: readonly LocatedFault[];
  readonly template: Template | undefined;
  /** The definition with sample values, where it can be read, and where a path of it stands. */
  readonly sample: Sample | undefined;
}

export interface Sample {
  readonly definition: Definition;
  readonly place: (path: string) => { readonly line: number; readonly column: number };
  /** Whether what stands at a path depends on a parameter, or on an array's item, so that only a run can judge it. */
  readonly isOpen: (path: string) => boolean;
}

/** Reads a stored template's text. One that was good once is good always: what depends on settings is judged at each run. */
export function readTemplate(text: string, settings: Settings): Template | undefined {
  const parsed = parseTemplate(text, limitsOf(definitionRules(settings)));
  return parsed.ok ? parsed.value : undefined;
}

/**
 * Every fault of a template at once: of its text, declarations and references, of where its secrets stand, and of the definition and
 * options themselves, as far as they do not depend on a parameter. Pure.
 */
export function judgeTemplate(text: string, settings: Settings): TemplateJudgement {
  const rules = definitionRules(settings);
  const parsed = parseTemplate(text, limitsOf(rules));
  const refused = (errors: readonly LocatedFault[]): TemplateJudgement => ({
    found: [templateFaults(errors)],
    warnings: [],
    template: undefined,
    sample: undefined,
  });
  if (!parsed.ok) return refused(parsed.error);
  const template = parsed.value;
  const sample = fillWithSamples(template);
  if (!sample.ok) return refused(sample.error);
  const secrecy = judgeSecrecy(template, sample.value, rules.defaultApiVersion);
  const named = parametersByPath(sample.value);
  const withGaps = pathsWithGaps(sample.value);
  const isOpen = (path: string): boolean =>
    ancestorsOf(path.replace(/^array\[\d+\]\./, "")).some(
      (each) => named(each).length > 0 || named(`x-aciproxy.${each}`).length > 0 || withGaps.has(each),
    );
  const judged = judgeFilled(sample.value, writtenOf(template), settings);
  const unknown = template.allow
    .filter(({ option }) => optionNamed(option) === undefined)
    .map(({ line, column }) => {
      const message = `x-aciproxy-allow must name options; known are ${allOptionNames}.`;
      return { path: "x-aciproxy-allow", line, column, message };
    });
  const found = [templateFaults([...secrecy.faults, ...unknown])];
  for (const each of judged.found) found.push({ ...each, errors: each.errors.filter(({ path }) => !isOpen(path)) });
  const warnings = judged.warnings.filter(({ path }) => !isOpen(path));
  return {
    found: found.filter(({ errors }) => errors.length > 0),
    warnings: [...template.warnings, ...secrecy.warnings, ...warnings],
    template,
    sample: judged.definition && {
      definition: judged.definition.value,
      place: judged.definition.place,
      isOpen,
    },
  };
}

function templateFaults(errors: readonly LocatedFault[]): Found {
  return { code: "InvalidDefinition", what: "The template can't be taken", errors };
}

/** A job of the template of which nothing else was said. */
function writtenOf(template: Template): Written {
  const source = { kind: "template", template, parameters: {} } as const;
  return { source, query: {}, envelope: {}, unknown: [], callBackUri: undefined, via: "http" };
}

/** A path and what it lies in, lists' items and properties one by one: `a.b[0]`, `a.b`, `a`. */
function ancestorsOf(path: string): readonly string[] {
  const ends = Array.from(path.matchAll(/[.[]/g), ({ index }) => index);
  return [path, ...ends.map((end) => path.slice(0, end))];
}
