import type { HttpRequest } from "@azure/functions";
import type { Deps } from "../../shared/deps.ts";
import { err, ok, type Result } from "../../shared/base/errors.ts";
import { parseJson } from "../../shared/base/json.ts";
import { openText } from "../../shared/base/written-text.ts";
import type { Parameter } from "../../shared/definition/index.ts";
import type { Expected } from "../../shared/intake/stored-templates.ts";
import { mustBeTemplateName, templateName } from "../../shared/job/envelope.ts";
import type { TemplateInfo } from "../../shared/store/templates.ts";
import { audit } from "../lib/audit.ts";
import { callerOf } from "../lib/auth.ts";
import { readWritten } from "../lib/body.ts";
import { continuation, readQuery, whole } from "../lib/query.ts";
import { faulty, handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";

/** `/api/templates`: stored definitions with parameters. */
type TemplateDeps = Pick<Deps, "log" | "now" | "settings" | "templates">;

export const templateParameters = {
  version: whole(1, 9_999_999_999, "One of the versions that are kept; default the newest."),
};

export const templateListParameters = {
  top: whole(1, 1000, "How many at most; default 100."),
  continuation: continuation("Where the page before ended, unchanged."),
};

/** `PUT /api/templates/{name}`: a new version. */
export function putTemplate({ log, now, settings, templates, control }: TemplateDeps & Pick<Deps, "control">) {
  return handler(log, async (request, context) => {
    const given = nameOf(request);
    if (!given.ok) return refuse(given.error, context);
    const expected = expectedBy(request);
    if (!expected.ok) return refuse(expected.error, context);
    const text = await readTemplateText(request, settings.maxBodyBytes);
    if (!text.ok) return refuse(text.error, context);
    await control.installation();
    const info = { name: given.value, at: now(), by: callerOf(context) };
    const put = await templates.put(info, text.value, expected.value);
    if (!put.ok) return refuse(put.error, context);
    const { name, version, warnings } = put.value;
    audit(log, context, "template put", { template: name, version });
    const reply: Reply<"TemplateStored"> = {
      message: `Template ${name} is stored as version ${version}.`,
      name,
      version,
      ...(warnings.length > 0 ? { warnings: [...warnings] } : {}),
    };
    return json(200, reply, etagOf(version));
  });
}

/** `GET /api/templates/{name}`: its text as it was stored, with its parameters. */
export function getTemplate({ log, now, settings, templates }: TemplateDeps) {
  return handler(log, async (request, context) => {
    const name = nameOf(request);
    const asked = readQuery(request.query, templateParameters, settings, now());
    if (!name.ok) return refuse(name.error, context);
    if (!asked.ok) return refuse(asked.error, context);
    const { version } = asked.value;
    const found = await templates.find({ name: name.value, version });
    if (!found.ok) return refuse(found.error, context);
    const { template, ...info } = found.value;
    const versions = version === undefined ? await templates.versions(name.value) : undefined;
    const reply: Reply<"Template"> = {
      ...shown(info),
      definition: template.text,
      parameters: Object.fromEntries(Array.from(template.parameters.values(), (each) => [each.name, described(each)])),
      allow: template.allow.map(({ option }) => option),
      ...(versions === undefined ? {} : { versions: versions.map(shown) }),
    };
    return json(200, reply, etagOf(info.version));
  });
}

/** `GET /api/templates`: by name. */
export function listTemplates({ log, now, settings, templates }: TemplateDeps) {
  return handler(log, async (request, context) => {
    const asked = readQuery(request.query, templateListParameters, settings, now());
    if (!asked.ok) return refuse(asked.error, context);
    const { top = 100, continuation } = asked.value;
    if (continuation !== undefined && !templateName.test(continuation))
      return refuse(faulty("continuation", "must be what the page before gave"), context);
    const page = await templates.page(continuation, top);
    const last = page.templates.at(-1)?.name;
    const reply: Reply<"TemplatePage"> = {
      templates: page.templates.map(shown),
      ...(page.more && last !== undefined ? { continuation: last } : {}),
    };
    return json(200, reply);
  });
}

/** `DELETE /api/templates/{name}`: all its versions. Jobs that were accepted go on. */
export function deleteTemplate({ log, templates }: TemplateDeps) {
  return handler(log, async (request, context) => {
    const name = nameOf(request);
    if (!name.ok) return refuse(name.error, context);
    const expected = expectedBy(request);
    if (!expected.ok) return refuse(expected.error, context);
    const removed = await templates.remove(name.value, expected.value);
    if (!removed.ok) return refuse(removed.error, context);
    if (removed.value) audit(log, context, "template delete", { template: name.value });
    const reply: Reply<"TemplateDeleted"> = {
      message: removed.value ? `Template ${name.value} is deleted.` : `Template ${name.value} was deleted before.`,
    };
    return json(200, reply);
  });
}

function nameOf(request: HttpRequest): Result<string> {
  const name = request.params["name"] ?? "";
  return templateName.test(name) ? ok(name) : err(faulty("name", mustBeTemplateName));
}

/** `If-Match` and `If-None-Match` (RFC 9110, 13.1); a version's ETag is its number. */
function expectedBy(request: HttpRequest): Result<Expected> {
  const match = request.headers.get("if-match")?.trim();
  const noneMatch = request.headers.get("if-none-match")?.trim();
  if (match !== undefined && noneMatch !== undefined)
    return err({ code: "InvalidRequest", message: "If-Match and If-None-Match can't go together." });
  if (noneMatch !== undefined) {
    if (noneMatch === "*") return ok({ kind: "none" });
    return err({ code: "InvalidRequest", message: "If-None-Match must be *." });
  }
  if (match === undefined) return ok({ kind: "any" });
  if (match === "*") return ok({ kind: "some" });
  const [, version] = /^(?:W\/)?"?(\d{1,10})"?$/.exec(match) ?? [];
  if (version !== undefined) return ok({ kind: "version", version: Number(version) });
  return err({ code: "InvalidRequest", message: 'If-Match must be * or an ETag that this service gave, like "3".' });
}

function etagOf(version: number): { readonly etag: string } {
  return { etag: `"${version}"` };
}

/** A template's text; or what `GET` replied, edited, with the text in it. */
async function readTemplateText(request: HttpRequest, max: number): Promise<Result<string>> {
  const read = await readWritten(request, max, `A template may have ${max} bytes.`);
  if (!read.ok) return read;
  const opened = openText(read.value);
  if (!opened.ok) {
    const errors = [{ path: "", ...opened.error }];
    return err({ code: "InvalidDefinition", message: opened.error.message, errors });
  }
  const value = parseJson(opened.value);
  const isReply = typeof value === "object" && value !== null && !("properties" in value) && "definition" in value;
  return ok(isReply && typeof value.definition === "string" ? value.definition : opened.value);
}

function shown({ name, version, at, by, parameters }: TemplateInfo): Reply<"TemplateInfo"> {
  return {
    name,
    version,
    createdAt: new Date(at).toISOString(),
    ...(by === undefined ? {} : { createdBy: by }),
    parameterNames: [...parameters],
  };
}

function described({ type, description, fallback, values, pattern, secret }: Parameter): Reply<"TemplateParameter"> {
  return {
    type,
    secret,
    required: fallback === undefined,
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: typeof fallback === "object" ? [...fallback] : fallback }),
    ...(values === undefined ? {} : { values: [...values] }),
    ...(pattern === undefined ? {} : { pattern }),
  };
}
