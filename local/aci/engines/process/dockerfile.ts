/**
 * The part of a Dockerfile that the process engine can do: the last stage's ENV, WORKDIR, COPY and ADD of local files,
 * ENTRYPOINT and CMD. Source: Dockerfile reference (docs.docker.com), for forms and for how ENTRYPOINT and CMD combine.
 */
export interface ImagePlan {
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly copies: readonly Copy[];
  /** `RUN` is not executed, but one with `chmod` shows that what was copied should be executable. */
  readonly makesExecutable: boolean;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

interface Copy {
  readonly sources: readonly string[];
  /** Absolute; ends with a slash where the instruction's did. */
  readonly target: string;
}

type Stage = { -readonly [K in keyof ImagePlan]: ImagePlan[K] } & { args: Record<string, string> };

const emptyStage = (): Stage => ({
  env: {},
  args: {},
  workdir: "/",
  copies: [],
  makesExecutable: false,
  entrypoint: [],
  cmd: [],
});

export function parseDockerfile(source: string): ImagePlan {
  const stages = new Map<string, Stage>();
  let stage = emptyStage();
  for (const { keyword, rest } of instructions(source)) {
    if (keyword === "FROM") {
      const [base = "", as, alias] = rest.split(/\s+/).filter((part) => !part.startsWith("--"));
      const parent = stages.get(base.toLowerCase());
      stage = parent ? { ...parent, args: { ...parent.args } } : emptyStage();
      if (as?.toUpperCase() === "AS" && alias !== undefined) stages.set(alias.toLowerCase(), stage);
    } else apply(stage, keyword, rest);
  }
  return stage;
}

function apply(stage: Stage, keyword: string, rest: string): void {
  const expand = (value: string): string => expandVariables(value, { ...stage.args, ...stage.env });
  switch (keyword) {
    case "ARG": {
      const [name = "", ...value] = rest.split("=");
      stage.args[name.trim()] = expand(unquote(value.join("=")));
      return;
    }
    case "ENV":
      stage.env = { ...stage.env, ...pairs(rest, expand) };
      return;
    case "WORKDIR":
      stage.workdir = absolute(stage.workdir, expand(unquote(rest)));
      return;
    case "COPY":
    case "ADD": {
      if (/--from=/i.test(rest)) return;
      const words = (jsonList(rest) ?? rest.split(/\s+/)).filter((word) => !word.startsWith("--")).map(expand);
      const target = words.pop();
      if (target !== undefined && words.length > 0) {
        stage.copies = [...stage.copies, { sources: words, target: absolute(stage.workdir, target) }];
      }
      return;
    }
    case "RUN":
      stage.makesExecutable ||= /\bchmod\b/.test(rest);
      return;
    case "ENTRYPOINT":
      stage.entrypoint = jsonList(rest) ?? ["/bin/sh", "-c", rest];
      // As in Docker: a new ENTRYPOINT forgets an inherited CMD; one set after it counts.
      stage.cmd = [];
      return;
    case "CMD":
      stage.cmd = jsonList(rest) ?? ["/bin/sh", "-c", rest];
  }
}

/** Logical lines: comments out, continuations joined. */
function* instructions(source: string): Generator<{ keyword: string; rest: string }> {
  const lines = source
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => !/^\s*#/.test(line));
  let pending = "";
  for (const line of lines) {
    if (/\\\s*$/.test(line)) {
      pending += `${line.replace(/\\\s*$/, "")} `;
      continue;
    }
    const match = /^\s*([A-Za-z]+)\s+(.*\S)\s*$/.exec(pending + line);
    pending = "";
    if (match?.[1] !== undefined && match[2] !== undefined) yield { keyword: match[1].toUpperCase(), rest: match[2] };
  }
}

function jsonList(rest: string): string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  try {
    const parsed: unknown = JSON.parse(rest);
    if (Array.isArray(parsed) && parsed.every((item) => typeof item === "string")) return parsed;
  } catch {
    // Docker too takes a line that is no JSON as the shell form.
  }
  return undefined;
}

/** `A=1 B="two words"`, or the old form `A one value`. */
function pairs(rest: string, expand: (value: string) => string): Record<string, string> {
  if (!/^[^\s=]+=/.test(rest)) {
    const [name = "", ...value] = rest.split(/\s+/);
    return { [name]: expand(value.join(" ")) };
  }
  const result: Record<string, string> = {};
  for (const match of rest.matchAll(/([^\s=]+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:[^\s\\]|\\.)*)/g)) {
    if (match[1] !== undefined) result[match[1]] = expand(unquote(match[2] ?? ""));
  }
  return result;
}

const unquote = (value: string): string =>
  /^(".*"|'.*')$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;

const expandVariables = (value: string, variables: Record<string, string>): string =>
  value.replace(
    /\$(?:\{([A-Za-z_]\w*)(?::-([^}]*))?\}|([A-Za-z_]\w*))/g,
    (_, braced?: string, or?: string, bare?: string) => {
      const known = variables[braced ?? bare ?? ""];
      return known === undefined || known === "" ? (or ?? "") : known;
    },
  );

const absolute = (workdir: string, path: string): string =>
  path.startsWith("/") ? path : `${workdir === "/" ? "" : workdir}/${path.replace(/^(\.\/)+|^\.$/, "")}`;
