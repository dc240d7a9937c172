/**
 * How the service reads a request body: member names without regard to case, numbers and switches also as text, unknown and
 * read-only members passed over, a value of another type refused; and how it shows one: the published casing, no secrets.
 *
 * A shape is built from the combinators below, and its type follows from it.
 */
export interface Shape<T> {
  /** The value as the service keeps it, or `undefined` for what counts as not given. Throws {@link ShapeError}. */
  read(value: unknown, path: string): T | undefined;
  /** The value as a reply shows it. */
  show(value: T): unknown;
}

export type Read<S> = S extends Shape<infer T> ? T : never;

/** A value of the wrong type; the message names the path, never the value (it may be a secret). */
export class ShapeError extends Error {
  readonly path: string;

  constructor(path: string, expected: string) {
    super(`Error converting value to type '${expected}'. Path '${path}'`);
    this.path = path;
  }
}

type Members = Record<string, Shape<unknown>>;
type Optional<M extends Members> = { [K in keyof M]?: Read<M[K]> };

export function object<M extends Members>(members: M): Shape<Optional<M>> {
  const byName = new Map(Object.entries(members).map(([name, shape]) => [name.toLowerCase(), { name, shape }]));
  return {
    read(value, path) {
      if (value === null || value === undefined) return undefined;
      if (!isRecord(value)) throw new ShapeError(path, "object");
      const result: Record<string, unknown> = {};
      for (const [given, inner] of Object.entries(value)) {
        const member = byName.get(given.toLowerCase());
        const read = member?.shape.read(inner, path === "" ? member.name : `${path}.${member.name}`);
        if (member && read !== undefined) result[member.name] = read;
      }
      // Each member was put there by the shape of its own name.
      return result as Optional<M>;
    },
    show(value) {
      const result: Record<string, unknown> = {};
      for (const [name, shape] of Object.entries(members)) {
        const inner = value[name];
        if (inner === undefined) continue;
        const shown = shape.show(inner);
        if (shown !== undefined) result[name] = shown;
      }
      return result;
    },
  };
}

export const list = <T>(of: Shape<T>): Shape<T[]> => ({
  read(value, path) {
    if (value === null || value === undefined) return undefined;
    if (!Array.isArray(value)) throw new ShapeError(path, "array");
    return value.map((inner: unknown, index) => {
      const read = of.read(inner, `${path}[${index}]`);
      if (read === undefined) throw new ShapeError(`${path}[${index}]`, "non-null value");
      return read;
    });
  },
  show: (value) => value.map((inner) => of.show(inner)),
});

/** A dictionary: its keys are the caller's own, and keep their case. */
export const dictionary = <T>(of: Shape<T>): Shape<Record<string, T>> => ({
  read(value, path) {
    if (value === null || value === undefined) return undefined;
    if (!isRecord(value)) throw new ShapeError(path, "object");
    const result: Record<string, T> = {};
    for (const [key, inner] of Object.entries(value)) {
      const read = of.read(inner, `${path}.${key}`);
      if (read !== undefined) result[key] = read;
    }
    return result;
  },
  show: (value) => Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, of.show(inner)])),
});

export const text: Shape<string> = {
  read(value, path) {
    if (value === null || value === undefined) return undefined;
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    throw new ShapeError(path, "string");
  },
  show: (value) => value,
};

/** One of the published words in any case; an unknown word is kept for the rules to judge. */
export const word = (...words: string[]): Shape<string> => ({
  read(value, path) {
    const read = text.read(value, path);
    return words.find((known) => known.toLowerCase() === read?.toLowerCase()) ?? read;
  },
  show: (value) => value,
});

const numeric = (type: string, valid: (value: number) => boolean): Shape<number> => ({
  read(value, path) {
    if (value === null || value === undefined) return undefined;
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number !== "number" || !valid(number)) throw new ShapeError(path, type);
    return number;
  },
  show: (value) => value,
});

export const integer = numeric("integer", Number.isInteger);
export const decimal = numeric("number", Number.isFinite);

export const flag: Shape<boolean> = {
  read(value, path) {
    if (value === null || value === undefined) return undefined;
    if (typeof value === "boolean") return value;
    if (typeof value === "string" && /^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
    throw new ShapeError(path, "boolean");
  },
  show: (value) => value,
};

/** Published as `any`. */
export const anything: Shape<unknown> = { read: (value) => value ?? undefined, show: (value) => value };

/** Write-only: kept, never shown. */
export const secret = <T>(of: Shape<T>): Shape<T> => ({
  read: (value, path) => of.read(value, path),
  show: () => undefined,
});

/** Write-only contents: shown as an empty dictionary, which says that there is one. */
export const secretDictionary: Shape<Record<string, string>> = {
  read: (value, path) => dictionary(text).read(value, path),
  show: () => ({}),
};

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
