import { second } from "../base/duration.ts";
import { err, ok, Unavailable, type Refusal, type Result } from "../base/errors.ts";
import { foldName } from "../base/json.ts";
import { TtlCache } from "../base/ttl-cache.ts";
import type { Settings } from "../config/settings.ts";
import type { Template } from "../definition/index.ts";
import type { TemplateCall } from "../job/envelope.ts";
import { refusalOf, type Found } from "../job/judgement.ts";
import { judgeTemplate, readTemplate, type Sample, type TemplateJudgement } from "../job/template-judgement.ts";
import type { Sealer } from "../security/sealer.ts";
import type { Templates, TemplateInfo } from "../store/templates.ts";
import { notPermitted } from "./permitted.ts";
import type { SubmittedSource } from "./submission.ts";

/** Another instance's PUT or DELETE is noticed within this time: until then a run needs no read. */
const cacheTime = 10 * second;
const maxCached = 16;
const maxRounds = 5;

export interface FoundTemplate extends TemplateInfo {
  readonly template: Template;
}

/** Which version a caller believes to be the newest: `If-Match`, and `If-None-Match: *`. */
export type Expected =
  { readonly kind: "any" | "some" | "none" } | { readonly kind: "version"; readonly version: number };

/** The stored definitions with parameters: judged before they are stored, sealed, and remembered for a moment once they are read. */
export class StoredTemplates {
  readonly #store: Templates;
  readonly #sealer: Sealer;
  readonly #settings: Settings;
  readonly #cache: TtlCache<Result<FoundTemplate>>;

  constructor(store: Templates, sealer: Sealer, settings: Settings, now: () => number) {
    this.#store = store;
    this.#sealer = sealer;
    this.#settings = settings;
    this.#cache = new TtlCache({ time: cacheTime, max: maxCached, now });
  }

  /**
   * One read, or no read where this version was read a moment ago.
   *
   * @throws Unavailable when storage or the sealing key can't be reached
   */
  find({ name, version }: Pick<TemplateCall, "name" | "version">): Promise<Result<FoundTemplate>> {
    const key = `${foldName(name)} ${version ?? "newest"}`;
    return this.#cache.get(
      key,
      () => this.#find(name, version),
      ({ ok }) => ok,
    );
  }

  async #find(name: string, version: number | undefined): Promise<Result<FoundTemplate>> {
    const stored = await this.#store.read(name, version);
    if (stored === undefined) return err(notFound(name, version));
    const { sealed, ...info } = stored;
    const opened = await this.#sealer.open(sealed, boundTo(info.name, info.version));
    const template = opened.kind === "open" ? readTemplate(opened.text, this.#settings) : undefined;
    if (template !== undefined) return ok({ ...info, template });
    const why = opened.kind === "unknown key" ? "its sealing key does not exist any more" : "it is damaged";
    return err({ code: "TemplateNotFound", message: `Template ${name} can't be read: ${why}. Store it again.` });
  }

  /** Stores a new version. @throws Unavailable when storage or the sealing key can't be reached */
  async put(
    given: Omit<TemplateInfo, "version" | "parameters">,
    text: string,
    expected: Expected,
  ): Promise<
    Result<{ readonly name: string; readonly version: number; readonly warnings: TemplateJudgement["warnings"] }>
  > {
    const judged = judgeTemplate(text, this.#settings);
    const found = [...judged.found, ...forbidden(judged.sample, this.#settings)];
    if (found.length > 0) return err(refusalOf(found, judged.warnings));
    const info = { ...given, parameters: [...(judged.template?.parameters.values() ?? [])].map(({ name }) => name) };
    for (let round = 0; round < maxRounds; round++) {
      const head = await this.#store.head(info.name);
      const changed = changedSince(info.name, head, expected);
      if (changed) return err(changed);
      const saved = await this.#store.add(info, head, (version) =>
        this.#sealer.seal(text, boundTo(info.name, version)),
      );
      if (saved.kind === "too large")
        return err({ code: "BodyTooLarge", message: "The template is too large to be stored; make it smaller." });
      this.#cache.clear();
      if (saved.kind === "saved") return ok({ name: saved.name, version: saved.version, warnings: judged.warnings });
    }
    throw new Unavailable("storage", "Too many change this template at once.");
  }

  /** False for a template that was deleted before. @throws Unavailable when storage can't be reached */
  async remove(name: string, expected: Expected): Promise<Result<boolean>> {
    for (let round = 0; round < maxRounds; round++) {
      const head = await this.#store.head(name);
      if (head === undefined) return err(notFound(name, undefined));
      if (head.isDeleted) return ok(false);
      const changed = changedSince(name, head, expected);
      if (changed) return err(changed);
      const isRemoved = await this.#store.remove(head);
      this.#cache.clear();
      if (isRemoved) return ok(true);
    }
    throw new Unavailable("storage", "Too many change this template at once.");
  }

  /** A template's name in the letter case of its jobs' rows, also of a deleted template. */
  async nameOf(name: string): Promise<string> {
    return (await this.#store.head(name))?.name ?? name;
  }

  /** The versions that are kept, newest first. */
  versions(name: string): Promise<readonly TemplateInfo[]> {
    return this.#store.versions(name);
  }

  page(from: string | undefined, size: number): ReturnType<Templates["page"]> {
    return this.#store.page(from, size);
  }
}

/**
 * The template that a caller wants to run.
 *
 * @param only whether the caller may set only what the template opens
 */
export async function templateSource(
  templates: StoredTemplates,
  call: TemplateCall,
  only: boolean,
): Promise<Result<SubmittedSource>> {
  const found = await templates.find(call);
  if (!found.ok) return found;
  const { template, name, version } = found.value;
  return ok({ kind: "template", template, name, version, call, only });
}

/** What a version's sealed text is bound to. */
const boundTo = (name: string, version: number): string => `template/${foldName(name)}/${version}`;

function notFound(name: string, version: number | undefined): Refusal {
  const which = version === undefined ? "" : ` in version ${version}`;
  return { code: "TemplateNotFound", message: `There is no template ${name}${which}.` };
}

function changedSince(
  name: string,
  head: Awaited<ReturnType<Templates["head"]>>,
  expected: Expected,
): Refusal | undefined {
  const newest = head === undefined || head.isDeleted ? undefined : head.version;
  const isAsExpected =
    expected.kind === "any" ||
    ((expected.kind === "none" ? newest === undefined : newest !== undefined) &&
      (expected.kind !== "version" || expected.version === newest));
  if (isAsExpected) return undefined;
  const now = newest === undefined ? "There is no such template" : `Its newest version is ${newest}`;
  return { code: "VersionChanged", message: `Template ${name} is not as expected. ${now}; read it again.` };
}

/** What the operator's policy forbids whatever the parameters are. */
function forbidden(sample: Sample | undefined, settings: Settings): readonly Found[] {
  const refused = sample && notPermitted(sample.definition, sample.place, settings);
  const errors = refused?.errors.filter(({ path }) => !sample?.isOpen(path)) ?? [];
  return refused === undefined || errors.length === 0 ? [] : [{ ...refused, errors }];
}
