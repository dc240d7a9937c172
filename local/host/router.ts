/**
 * Route templates of HTTP triggers, compiled once and matched as ASP.NET Core's routing does for the Functions host: without
 * regard to case, literals before parameters, parameters percent-decoded except `%2F`. Pure.
 */
export interface Route<T> {
  /** The template behind the prefix, such as `jobs/{id}/{*rest}`. */
  readonly template: string;
  /** Upper case. */
  readonly methods: readonly string[];
  readonly target: T;
}

export interface Match<T> {
  readonly target: T;
  readonly params: Record<string, string>;
}

interface Parameter {
  readonly name: string;
  readonly fallback: string | undefined;
}

export interface CompiledTemplate {
  readonly pattern: RegExp;
  readonly parameters: readonly Parameter[];
  /** Lower sorts first: one digit for each segment, as ASP.NET Core's inbound route precedence. */
  readonly precedence: string;
}

/** @throws {Error} for a template that the real host, or this one, can't map; the message is for the function's error. */
export function compileTemplate(template: string): CompiledTemplate {
  const segments = template
    .split("/")
    .filter((segment) => segment !== "")
    .map((segment) => compileSegment(segment, template));
  const parameters = segments.flatMap((segment) => segment.parameters);
  const names = parameters.map((parameter) => parameter.name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined)
    throw new Error(`The route parameter name '${twice}' appears more than one time in '${template}'.`);
  if (segments.slice(0, -1).some((segment) => segment.catchAll))
    throw new Error(`A catch-all parameter can only appear as the last segment of the route template '${template}'.`);
  return {
    pattern: new RegExp(`^${segments.map((segment) => segment.source).join("")}/?$`, "is"),
    parameters,
    precedence: segments.map((segment) => segment.rank).join(""),
  };
}

interface Segment {
  readonly source: string;
  readonly rank: number;
  readonly parameters: readonly Parameter[];
  readonly catchAll: boolean;
}

function compileSegment(segment: string, template: string): Segment {
  const pieces = segment.split(/(\{[^{}]*\})/).filter((piece) => piece !== "");
  const [only] = pieces;
  if (pieces.length === 1 && only?.startsWith("{")) return parameterSegment(readParameter(only, template));
  const parameters: Parameter[] = [];
  const sources = pieces.map((piece) => {
    if (!piece.startsWith("{")) {
      if (/[{}?*]/.test(piece)) throw new Error(`The route template '${template}' is not valid near '${piece}'.`);
      return piece.replace(/[\\^$.+()[\]|]/g, "\\$&");
    }
    const { parameter, catchAll } = readParameter(piece, template);
    if (catchAll) throw new Error(`A catch-all parameter can't share its segment in the route template '${template}'.`);
    parameters.push(parameter);
    return "([^/]+?)";
  });
  return { source: `/${sources.join("")}`, rank: parameters.length > 0 ? 2 : 1, parameters, catchAll: false };
}

function parameterSegment({ parameter, catchAll, optional }: ReadParameter): Segment {
  const body = catchAll ? "(.*)" : "([^/]+)";
  const mayBeAbsent = catchAll || optional || parameter.fallback !== undefined;
  return {
    source: mayBeAbsent ? `(?:/${body})?` : `/${body}`,
    rank: catchAll ? 6 : 4,
    parameters: [parameter],
    catchAll,
  };
}

interface ReadParameter {
  readonly parameter: Parameter;
  readonly catchAll: boolean;
  readonly optional: boolean;
}

function readParameter(piece: string, template: string): ReadParameter {
  const parsed = /^\{(\*{0,2})([^:=?]+)((?::[^:=?]+)*)(?:=([^?]*))?(\??)\}$/.exec(piece);
  const name = parsed?.[2];
  if (parsed === null || name === undefined)
    throw new Error(`The route parameter '${piece}' of '${template}' is not valid.`);
  if (parsed[3] !== "") throw new Error(`This host knows no route constraints such as '${parsed[3] ?? ""}'.`);
  return {
    parameter: { name, fallback: parsed[4] },
    catchAll: parsed[1] !== "",
    optional: parsed[5] === "?",
  };
}

export class Router<T> {
  readonly #prefix: string;
  readonly #byMethod = new Map<string, { readonly compiled: CompiledTemplate; readonly target: T }[]>();

  /** @param prefix the route prefix without slashes, possibly empty. */
  constructor(prefix: string, routes: readonly Route<T>[]) {
    this.#prefix = prefix === "" ? "" : `/${prefix.toLowerCase()}`;
    const compiled = routes.map((route) => ({ route, compiled: compileTemplate(route.template) }));
    // The sort is stable: of equal templates the one registered first wins.
    compiled.sort((a, b) => compare(a.compiled.precedence, b.compiled.precedence));
    for (const { route, compiled: template } of compiled) {
      for (const method of route.methods) {
        const list = this.#byMethod.get(method) ?? [];
        list.push({ compiled: template, target: route.target });
        this.#byMethod.set(method, list);
      }
    }
  }

  /** @param path the raw path of the request line, without its query. */
  match(method: string, path: string): Match<T> | undefined {
    const candidates = this.#byMethod.get(method);
    if (candidates === undefined) return undefined;
    const decoded = decodePath(path);
    if (decoded.length < this.#prefix.length) return undefined;
    if (decoded.slice(0, this.#prefix.length).toLowerCase() !== this.#prefix) return undefined;
    const rest = decoded.slice(this.#prefix.length);
    for (const { compiled, target } of candidates) {
      const found = compiled.pattern.exec(rest);
      if (found !== null) return { target, params: readParams(compiled.parameters, found) };
    }
    return undefined;
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function readParams(parameters: readonly Parameter[], found: RegExpExecArray): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [index, parameter] of parameters.entries()) {
    const captured = found[index + 1];
    const value = captured === undefined || captured === "" ? parameter.fallback : captured;
    if (value === undefined) continue;
    params[parameter.name] = value;
  }
  return params;
}

/** Percent-decoding as Kestrel does it: `%2F` stays as written, and so does what is no valid UTF-8. */
export function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    run
      .split(/(%2f)/i)
      .map((part) => (/^%2f$/i.test(part) ? part : decodeRun(part)))
      .join(""),
  );
}

function decodeRun(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    return run; // not UTF-8: handed on undecoded
  }
}
