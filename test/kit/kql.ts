/**
 * As much of the Kusto Query Language as the queries of alerts and workbook may use: where, extend, project, summarize (count, sum,
 * max, percentile; by columns and bin), top, render. Anything else is refused, so that no query passes that was not run.
 */
export type Row = Readonly<Record<string, unknown>>;
type Scope = Row;
type Expression = (row: Scope) => unknown;

export class NotSupported extends Error {}

/** What a query gives over these tables. */
export function runQuery(query: string, tables: Readonly<Record<string, readonly Row[]>>): readonly Row[] {
  const [source = "", ...steps] = split(query, "|");
  const rows = tables[source.trim()];
  if (rows === undefined) throw new NotSupported(`There is no table ${source.trim()}.`);
  return steps.reduce<readonly Row[]>((found, step) => apply(step.trim(), found), rows);
}

function apply(step: string, rows: readonly Row[]): readonly Row[] {
  const [, word = "", rest = ""] = /^(\w+)\s+([\s\S]*)$/.exec(step) ?? [];
  switch (word) {
    case "where": {
      const matches = parse(rest);
      return rows.filter((row) => matches(row) === true);
    }
    case "extend": {
      const columns = split(rest, ",").map(named);
      return rows.map((row) => columns.reduce<Row>((now, [name, value]) => ({ ...now, [name]: value(now) }), row));
    }
    case "project": {
      const columns = split(rest, ",").map(named);
      return rows.map((row) => Object.fromEntries(columns.map(([name, value]) => [name, value(row)])));
    }
    case "summarize":
      return summarize(rest, rows);
    case "top": {
      const [, count, by = ""] = /^(\d+) by ([\w]+)$/.exec(rest) ?? [];
      if (count === undefined) throw new NotSupported(step);
      return rows.toSorted((a, b) => numberOf(b[by]) - numberOf(a[by])).slice(0, Number(count));
    }
    case "render":
      if (!/^(timechart|columnchart|table)$/.test(rest)) throw new NotSupported(step);
      return rows;
    default:
      throw new NotSupported(`operator ${word || step}`);
  }
}

function summarize(text: string, rows: readonly Row[]): readonly Row[] {
  const [aggregates, by] = splitOnce(text, " by ");
  const keys = by === undefined ? [] : split(by, ",").map(named);
  const columns = split(aggregates, ",").map((each) => {
    const [, name, call = ""] = /^\s*(?:(\w+)\s*=\s*)?(.*?)\s*$/s.exec(each) ?? [];
    const [, fn = "", inner = ""] = /^(\w+)\(([\s\S]*)\)$/.exec(call) ?? [];
    return { name: name ?? `${fn}_`, aggregate: aggregateOf(fn, inner) };
  });
  const groups = new Map<string, { readonly key: Row; readonly rows: Row[] }>();
  // Without a `by` there is one row, whatever was found.
  if (keys.length === 0) groups.set("", { key: {}, rows: [] });
  for (const row of rows) {
    const key = Object.fromEntries(keys.map(([name, value]) => [name, value(row)]));
    const text = keys.length === 0 ? "" : JSON.stringify(key);
    const group = groups.get(text) ?? { key, rows: [] };
    group.rows.push(row);
    groups.set(text, group);
  }
  return [...groups.values()].map(({ key, rows: grouped }) => ({
    ...key,
    ...Object.fromEntries(columns.map(({ name, aggregate }) => [name, aggregate(grouped)])),
  }));
}

function aggregateOf(fn: string, inner: string): (rows: readonly Row[]) => unknown {
  const [first = "", second] = split(inner, ",");
  const value = first.trim() === "" ? () => undefined : parse(first);
  const valuesOf = (rows: readonly Row[]): number[] =>
    rows.map(value).flatMap((each) => (each === undefined || each === null ? [] : [numberOf(each)]));
  switch (fn) {
    case "count":
      return (rows) => rows.length;
    case "sum":
      return (rows) => valuesOf(rows).reduce((sum, each) => sum + each, 0);
    case "max":
      return (rows) => (valuesOf(rows).length === 0 ? undefined : Math.max(...valuesOf(rows)));
    case "percentile": {
      const share = Number(second) / 100;
      return (rows) => {
        const sorted = valuesOf(rows).toSorted((a, b) => a - b);
        return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
      };
    }
    default:
      throw new NotSupported(`aggregate ${fn}`);
  }
}

/** `name = expression`, or an expression that names its column itself. */
function named(text: string): [string, Expression] {
  const [, name, rest = ""] = /^\s*(?:(\w+)\s*=(?!=|~)\s*)?([\s\S]*?)\s*$/.exec(text) ?? [];
  const bin = /^bin\((\w+),/.exec(rest)?.[1];
  const own = name ?? bin ?? (/^\w+$/.test(rest) ? rest : undefined);
  if (own === undefined) throw new NotSupported(`a column without a name: ${text}`);
  return [own, parse(rest)];
}

// ------------------------------------------------------------------------------------------------------- expressions

const token = /\s*(?:("[^"]*"|'[^']*')|(\d+(?:\.\d+)?[mhd]?)|([A-Za-z_]\w*)|(==|=~|!=|>=|<=|[-><()+*/,.[\]]))/y;

/** By precedence: or, and, comparison, sum, product, a value with its members. */
function parse(text: string): Expression {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text);
    if (match === null) throw new NotSupported(`expression ${text}`);
    tokens.push(match[0].trim());
  }
  let at = 0;
  const next = (): string => tokens[at++] ?? "";
  const take = (...words: string[]): string | undefined => (words.includes(tokens[at] ?? "") ? next() : undefined);
  const must = (word: string): void => {
    if (next() !== word) throw new NotSupported(`expression ${text}`);
  };
  const or = (): Expression => {
    let left = and();
    while (take("or")) left = both(left, and(), (a, b) => a === true || b === true);
    return left;
  };
  const and = (): Expression => {
    let left = comparison();
    while (take("and")) left = both(left, comparison(), (a, b) => a === true && b === true);
    return left;
  };
  const comparison = (): Expression => {
    const left = sum();
    const operator = take("==", "=~", "!=", ">", "<", ">=", "<=", "has", "contains", "startswith", "in");
    if (operator === undefined) return left;
    if (operator === "in") {
      const list = args();
      return (row) => list.some((each) => each(row) === left(row));
    }
    return both(left, sum(), comparisons[operator] ?? (() => undefined));
  };
  const sum = (): Expression => {
    let left = product();
    for (let sign = take("+", "-"); sign !== undefined; sign = take("+", "-")) {
      const plus = sign === "+";
      left = both(left, product(), (a, b) => numberOf(a) + (plus ? 1 : -1) * numberOf(b));
    }
    return left;
  };
  const product = (): Expression => {
    let left = value();
    for (let sign = take("*", "/"); sign !== undefined; sign = take("*", "/")) {
      const times = sign === "*";
      left = both(left, value(), (a, b) => (times ? numberOf(a) * numberOf(b) : numberOf(a) / numberOf(b)));
    }
    return left;
  };
  const args = (): Expression[] => {
    must("(");
    const list: Expression[] = [];
    if (take(")")) return list;
    do list.push(or());
    while (take(","));
    must(")");
    return list;
  };
  const value = (): Expression => {
    let found = primary();
    for (let sign = take(".", "["); sign !== undefined; sign = take(".", "[")) {
      const of = found;
      const name = sign === "." ? next() : next().slice(1, -1);
      if (sign === "[") must("]");
      found = (row) => memberOf(of(row), name);
    }
    return found;
  };
  const primary = (): Expression => {
    if (tokens[at] === "(") {
      const [inner] = args();
      if (inner !== undefined) return inner;
    }
    const word = next();
    if (/^["']/.test(word)) return () => word.slice(1, -1);
    if (/^\d/.test(word)) return () => literal(word);
    if (word === "true" || word === "false") return () => word === "true";
    if (!/^\w+$/.test(word)) throw new NotSupported(`expression ${text}`);
    if (tokens[at] !== "(") return (row) => row[word];
    const call = functions[word];
    if (call === undefined) throw new NotSupported(`function ${word}`);
    const given = args();
    return (row) => call(...given.map((each) => each(row)));
  };
  const result = or();
  if (at !== tokens.length) throw new NotSupported(`expression ${text}`);
  return result;
}

function both(left: Expression, right: Expression, combine: (a: unknown, b: unknown) => unknown): Expression {
  return (row) => combine(left(row), right(row));
}

/** A comparison with what is not there is not true. */
const ordered =
  (compare: (a: number, b: number) => boolean) =>
  (a: unknown, b: unknown): boolean =>
    a !== undefined && a !== null && b !== undefined && b !== null && compare(numberOf(a), numberOf(b));
function text(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
      return String(value);
    default:
      return value === undefined || value === null ? "" : JSON.stringify(value);
  }
}

const comparisons: Readonly<Record<string, (a: unknown, b: unknown) => boolean>> = {
  "==": (a, b) => a !== undefined && a === b,
  "=~": (a, b) => text(a).toLowerCase() === text(b).toLowerCase(),
  // As the service does: what is not there differs from nothing that can be named, except for text, which is empty then.
  "!=": (a, b) => (typeof b === "string" ? text(a) !== b : a !== undefined && a !== b),
  ">": ordered((a, b) => a > b),
  "<": ordered((a, b) => a < b),
  ">=": ordered((a, b) => a >= b),
  "<=": ordered((a, b) => a <= b),
  has: (a, b) => text(a).toLowerCase().includes(text(b).toLowerCase()),
  contains: (a, b) => text(a).toLowerCase().includes(text(b).toLowerCase()),
  startswith: (a, b) => text(a).toLowerCase().startsWith(text(b).toLowerCase()),
};

const functions: Readonly<Record<string, (...given: unknown[]) => unknown>> = {
  not: (value) => value !== true,
  parse_json: (value) => JSON.parse(text(value)) as unknown,
  tostring: (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : text(value)),
  todouble: (value) => (value === undefined || value === null ? undefined : numberOf(value)),
  toint: (value) => (value === undefined || value === null ? undefined : Math.trunc(numberOf(value))),
  tobool: (value) => (typeof value === "boolean" ? value : undefined),
  iff: (condition, yes, no) => (condition === true ? yes : no),
  isempty: (value) => text(value) === "",
  round: (value, digits) => Number(numberOf(value).toFixed(numberOf(digits))),
  bin: (value, size) => Math.floor(numberOf(value) / numberOf(size)) * numberOf(size),
};

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function literal(word: string): number {
  const unit = units[word.at(-1) ?? ""];
  return unit === undefined ? Number(word) : Number(word.slice(0, -1)) * unit;
}

function numberOf(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  return Number(value);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** At a separator that stands in no quotes and no brackets. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let [depth, quote, part] = [0, "", ""];
  for (const character of text) {
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "(" || character === "[") depth++;
    else if (character === ")" || character === "]") depth--;
    if (character === separator && quote === "" && depth === 0) {
      parts.push(part);
      part = "";
    } else part += character;
  }
  return part.trim() === "" && parts.length === 0 ? [] : [...parts, part];
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
