/**
 * Data Factory's expression language ("Expressions and functions in Azure Data Factory"), as far as the pipelines use it: `@EXPRESSION`
 * as a whole string, `@{EXPRESSION}` within one (the result is text then), `@@` for a plain `@`; function calls, member access and text
 * in single quotes, where `''` is a quote. A function that is not here is an error that names it.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface Scope {
  /** What `pipeline()` gives. */
  readonly pipeline: Json;
  /** What `activity('NAME')` gives. Throws for one that has not run. */
  readonly activity: (name: string) => Json;
  /** What `item()` gives within a ForEach. */
  readonly item?: Json;
}

class ExpressionError extends Error {
  override readonly name = "ExpressionError";
}

/** Evaluates every text of a JSON value, and `{"type": "Expression", "value": TEXT}` to the value of its text. */
export function evaluate(value: Json, scope: Scope): Json {
  if (typeof value === "string") return evaluateText(value, scope);
  if (isList(value)) return value.map((item) => evaluate(item, scope));
  if (typeof value !== "object" || value === null) return value;
  if (value["type"] === "Expression" && typeof value["value"] === "string") return evaluateText(value["value"], scope);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, evaluate(item, scope)]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function evaluateText(text: string, scope: Scope): Json {
  if (text.startsWith("@") && !text.startsWith("@@") && !text.startsWith("@{")) {
    const reader = new Reader(text, 1, scope);
    const value = reader.expression();
    reader.end();
    return value;
  }
  let result = "";
  let at = 0;
  while (at < text.length) {
    if (text.startsWith("@@{", at) || (at === 0 && text.startsWith("@@"))) {
      result += "@";
      at += 2;
    } else if (text.startsWith("@{", at)) {
      const reader = new Reader(text, at + 2, scope);
      result += toText(reader.expression());
      at = reader.closing("}");
    } else {
      result += text[at] ?? "";
      at += 1;
    }
  }
  return result;
}

function toText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const functions: Readonly<Record<string, (...values: readonly Json[]) => Json>> = {
  concat: (...values) => values.map(toText).join(""),
  string: (value = null) => toText(value),
  formatDateTime: (time = null, format = null) => {
    if (format !== "yyyy-MM-dd")
      throw new ExpressionError(`formatDateTime knows yyyy-MM-dd here, not ${toText(format)}`);
    return new Date(toText(time)).toISOString().slice(0, 10);
  },
  replace: (within = null, old = null, by = null) => toText(within).replaceAll(toText(old), () => toText(by)),
};

class Reader {
  readonly #text: string;
  readonly #scope: Scope;
  #at: number;

  constructor(text: string, at: number, scope: Scope) {
    this.#text = text;
    this.#at = at;
    this.#scope = scope;
  }

  /** One value, with whatever is read from it: `pipeline().parameters.x`. */
  expression(): Json {
    let value = this.#primary();
    for (;;) {
      const member = this.#match(/\.([A-Za-z_]\w*)/y);
      if (member === undefined) return value;
      value = memberOf(value, member);
    }
  }

  #primary(): Json {
    this.#match(/(\s*)/y);
    const quoted = this.#match(/'((?:[^']|'')*)'/y);
    if (quoted !== undefined) return quoted.replaceAll("''", "'");
    const number = this.#match(/(-?\d+(?:\.\d+)?)/y);
    if (number !== undefined) return Number(number);
    const name = this.#match(/([A-Za-z_]\w*)\(/y);
    if (name === undefined) throw this.#fault("expected a value");
    return this.#call(name, this.#values());
  }

  #values(): readonly Json[] {
    const values: Json[] = [];
    if (this.#match(/\s*(\))/y) !== undefined) return values;
    for (;;) {
      values.push(this.expression());
      if (this.#match(/\s*(\))/y) !== undefined) return values;
      if (this.#match(/\s*(,)/y) === undefined) throw this.#fault("expected , or )");
    }
  }

  #call(name: string, values: readonly Json[]): Json {
    if (name === "pipeline") return this.#scope.pipeline;
    if (name === "activity" && typeof values[0] === "string") return this.#scope.activity(values[0]);
    if (name === "item") {
      if (this.#scope.item === undefined) throw this.#fault("item() is of a ForEach");
      return this.#scope.item;
    }
    const known = functions[name];
    if (known === undefined) throw this.#fault(`no function ${name}`);
    return known(...values);
  }

  closing(mark: string): number {
    this.#match(/(\s*)/y);
    if (!this.#text.startsWith(mark, this.#at)) throw this.#fault(`expected ${mark}`);
    return this.#at + mark.length;
  }

  end(): void {
    this.#match(/(\s*)/y);
    if (this.#at < this.#text.length) throw this.#fault("expected the end");
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[1] ?? "";
  }

  #fault(what: string): ExpressionError {
    return new ExpressionError(`${what} at ${this.#at}: ${this.#text.slice(0, 200)}`);
  }
}

function memberOf(value: Json, name: string): Json {
  if (typeof value === "object" && value !== null && !isList(value)) {
    const found = value[name];
    if (found !== undefined) return found;
    throw new ExpressionError(`property ${name} does not exist; there are ${Object.keys(value).join(", ")}`);
  }
  throw new ExpressionError(`property ${name} can't be read of ${JSON.stringify(value)}`);
}
