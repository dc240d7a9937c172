/**
 * The part of OData's filters that our stores use: comparisons of a column with a text, time, number or boolean, joined by `and` and
 * `or`, in brackets ("Querying tables and entities").
 */
type Value = string | number | boolean;
export type Filter = (entity: Readonly<Record<string, unknown>>) => boolean;

const token = /\s*(?:(\(|\))|(datetime)?'((?:[^']|'')*)'|([A-Za-z_][A-Za-z0-9_]*)|(-?\d+(?:\.\d+)?))/y;

type Token =
  | { readonly kind: "bracket"; readonly text: string }
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "word"; readonly text: string };

const known = new Map<string, Filter>();

/** @throws Error for a filter that is not in that part: then this file must learn it */
export function filterOf(text: string): Filter {
  const before = known.get(text);
  if (before) return before;
  const filter = new Parser(text).parse();
  if (known.size > 5000) known.clear();
  known.set(text, filter);
  return filter;
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  parse(): Filter {
    const filter = this.#or();
    if (this.#at < this.#tokens.length) throw new Error("The filter goes on after its end.");
    return filter;
  }

  #or(): Filter {
    const parts = [this.#and()];
    while (this.#word("or")) parts.push(this.#and());
    return parts.length === 1 ? this.#only(parts) : (entity) => parts.some((part) => part(entity));
  }

  #and(): Filter {
    const parts = [this.#comparison()];
    while (this.#word("and")) parts.push(this.#comparison());
    return parts.length === 1 ? this.#only(parts) : (entity) => parts.every((part) => part(entity));
  }

  #only([part]: readonly Filter[]): Filter {
    if (part === undefined) throw new Error("An empty filter.");
    return part;
  }

  #comparison(): Filter {
    const first = this.#tokens[this.#at++];
    if (first?.kind === "bracket" && first.text === "(") {
      const inner = this.#or();
      this.#at++;
      return inner;
    }
    const operator = this.#tokens[this.#at++];
    const right = this.#tokens[this.#at++];
    if (first?.kind !== "word" || operator?.kind !== "word" || right === undefined) throw new Error("No comparison.");
    const value = right.kind === "value" ? right.value : right.text === "true";
    const test = tests[operator.text];
    if (test === undefined) throw new Error(`The operator ${operator.text} is not known.`);
    const column = columnOf(first.text);
    return (entity) => {
      const own = entity[column];
      const left = own instanceof Date ? own.getTime() : own;
      // A property that an entity does not have never compares.
      return typeof left === typeof value && test(left as Value, value); // of one type, and the right one is a value
    };
  }

  #word(text: string): boolean {
    const next = this.#tokens[this.#at];
    const found = next?.kind === "word" && next.text === text;
    if (found) this.#at++;
    return found;
  }
}

const tests: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

/** What the SDK calls a column. */
export function columnOf(name: string): string {
  return name === "PartitionKey" ? "partitionKey" : name === "RowKey" ? "rowKey" : name;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text);
    if (match === null) throw new Error("The filter has something that is not known.");
    const [, bracket, datetime, quoted, word, number] = match;
    if (bracket !== undefined) tokens.push({ kind: "bracket", text: bracket });
    else if (quoted !== undefined) {
      const plain = quoted.replaceAll("''", "'");
      tokens.push({ kind: "value", value: datetime === undefined ? plain : Date.parse(plain) });
    } else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else tokens.push({ kind: "value", value: Number(number) });
  }
  return tokens;
}
