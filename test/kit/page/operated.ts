import type { Request } from "playwright-core";
import type { Reply } from "../../../src/http/openapi/replies.ts";
import type { JobRow } from "./data.ts";

type Template = Reply<"Template">;
type Group = Reply<"Group">;

const [minute, day] = [60_000, 86_400_000];

const invoices = (image: string, memory: number, more = ""): string => `x-aciproxy-parameters:
  day: { type: string, pattern: '\\d{4}-\\d{2}-\\d{2}', description: the day to load }
  memory: { type: number, default: ${memory}, values: [2, 4, 8, 16] }
${more}x-aciproxy: { runTimeout: PT2H }
name: nightly-invoices
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: app
      properties:
        image: contoso.azurecr.io/data/${image}
        resources: { requests: { cpu: 2, memoryInGB: '\${param:memory}' } }
        environmentVariables:
          - { name: DAY, value: '\${param:day}' }
`;

const dayParameter = {
  type: "string",
  secret: false,
  required: true,
  description: "the day to load",
  pattern: "\\d{4}-\\d{2}-\\d{2}",
} as const;
const choice = (fallback: number): Template["parameters"][string] => {
  return { type: "number", secret: false, required: false, default: fallback, values: [2, 4, 8, 16] };
};

function template(
  name: string,
  version: number,
  at: number,
  more: Pick<Template, "definition" | "parameters">,
): Template {
  return {
    name,
    version,
    createdAt: new Date(at).toISOString(),
    createdBy: "olga@contoso.com",
    parameterNames: Object.keys(more.parameters),
    allow: [],
    ...more,
  };
}

function templatesOf(now: number): Map<string, readonly Template[]> {
  const two = (memory: number) => ({ day: dayParameter, memory: choice(memory) });
  const versions = [
    template("nightly-invoices", 3, now - 2 * day, { definition: invoices("invoices:4.2", 4), parameters: two(4) }),
    template("nightly-invoices", 2, now - 9 * day, { definition: invoices("invoices:4.1", 4), parameters: two(4) }),
    template("nightly-invoices", 1, now - 30 * day, { definition: invoices("invoices:4.1", 2), parameters: two(2) }),
  ];
  const every: Template["parameters"] = {
    stores: {
      type: "list",
      secret: false,
      required: false,
      default: ["north", "south"],
      values: ["north", "south", "west"],
    },
    arguments: { type: "list", secret: false, required: false, default: ["--full"], description: "of the program" },
    full: { type: "boolean", secret: false, required: false, default: false },
    share: { type: "number", secret: false, required: true },
    elements: { type: "string", secret: false, required: false, default: "" },
    password: { type: "string", secret: true, required: true },
  };
  const forecast = template("forecast-score", 7, now - 3 * 3600_000, {
    definition: "name: forecast-score\n",
    parameters: every,
  });
  const plain = template("reindex-search", 1, now - 40 * day, { definition: "name: reindex-search\n", parameters: {} });
  return new Map([
    ["forecast-score", [forecast]],
    ["nightly-invoices", versions],
    ["reindex-search", [plain]],
  ]);
}

function groupsOf(jobs: readonly JobRow[], now: number): readonly Group[] {
  const since = (ago: number): string => new Date(now - ago).toISOString();
  const running = jobs.filter(({ state }) => state === "Running");
  const waiting = jobs.filter(({ state }) => state === "Queued");
  const slot = ({ id, name }: JobRow, ago: number) => ({ id, name, since: since(ago) });
  return [
    {
      group: "gpu",
      held: 2,
      limit: 2,
      paused: false,
      slots: running.map((job) => slot(job, 17 * minute)),
      waiting: waiting.map((job) => slot(job, 9 * minute)),
      more: false,
    },
    { group: "team/crm", held: 0, limit: null, paused: true, slots: [], waiting: [], more: false },
    {
      group: "warehouse",
      held: 1,
      limit: null,
      paused: false,
      slots: jobs.slice(0, 1).map((job) => ({ ...slot(job, 3 * minute), leaked: true })),
      waiting: [],
      more: false,
    },
  ];
}

type Answered = readonly [status: number, body: object] | "lost";

/** Invented templates and groups for the page's tests and screenshots, and what the service answers about them. */
export class Operated {
  /** By name, each with its versions, newest first. */
  readonly templates: Map<string, readonly Template[]>;
  groups: readonly Group[];
  /** Runs of templates: what was sent, and under which idempotency key. */
  readonly runs: { readonly parameters: unknown; readonly options?: unknown; readonly key: string | undefined }[] = [];
  /** What the next run of a template is refused with. */
  refusal: Reply<"Problem"> | undefined;
  /** A run is taken in, and its answer does not reach the page. */
  loses = false;
  readonly #jobs: readonly JobRow[];

  constructor(jobs: readonly JobRow[], now: number) {
    this.#jobs = jobs;
    this.templates = templatesOf(now);
    this.groups = groupsOf(jobs, now);
  }

  /** @param path without `/api/` */
  answer(request: Request, path: string, query: URLSearchParams): Answered {
    const [first, ...rest] = path.split("/");
    const name = decodeURIComponent(rest.join("/"));
    const text = request.postData() ?? "null";
    if (first === "trigger") return this.#run(query.get("template") ?? "", text, request.headers()["idempotency-key"]);
    if (first === "groups") return [200, name === "" ? { groups: this.groups } : this.#steer(name, text)];
    if (name === "") {
      const newest = [...this.templates.values()].flatMap((versions) => versions[0] ?? []);
      return [200, { templates: newest.map(infoOf) }];
    }
    if (request.method() === "DELETE") {
      this.templates.delete(name.toLowerCase());
      return [200, { message: `Template ${name} is deleted.` }];
    }
    if (request.method() === "PUT") return this.#store(name, text, request.headers()["if-match"]);
    return this.#template(name, query.get("version"));
  }

  #store(name: string, definition: string, match: string | undefined): Answered {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) return [refusal.code === "VersionChanged" ? 412 : 400, refusal];
    const versions = this.templates.get(name.toLowerCase()) ?? [];
    const [newest] = versions;
    if ((match ?? '"0"') !== `"${newest?.version ?? 0}"`) throw new Error("The page names another newest version.");
    const version = (newest?.version ?? 0) + 1;
    const stored = template(name, version, Date.now(), { definition, parameters: newest?.parameters ?? {} });
    this.templates.set(name.toLowerCase(), [stored, ...versions]);
    return [200, { message: `Template ${name} is stored as version ${version}.`, name, version }];
  }

  #template(name: string, wanted: string | null): Answered {
    const versions = this.templates.get(name.toLowerCase()) ?? [];
    const found = wanted === null ? versions[0] : versions.find(({ version }) => version === Number(wanted));
    if (found === undefined)
      return [404, { message: `There is no template ${name}.`, code: "TemplateNotFound", requestId: "r" }];
    return [200, { ...found, ...(wanted === null ? { versions: versions.map(infoOf) } : {}) }];
  }

  #steer(name: string, text: string): Group {
    const found = this.groups.find(({ group }) => group === name);
    if (found === undefined) throw new Error(`There is no group ${name}.`);
    const group = { ...found, ...(JSON.parse(text) as Partial<Group>) }; // the page's own body
    this.groups = this.groups.map((each) => (each === found ? group : each));
    return group;
  }

  #run(template: string, text: string, key: string | undefined): Answered {
    const body = JSON.parse(text) as { parameters: unknown; options?: unknown }; // the page's own
    this.runs.push({ ...body, key });
    if (this.loses) return "lost";
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) return [refusal.code === "NameActive" ? 409 : 400, refusal];
    const [row] = this.#jobs;
    return [200, { message: `Container Group ${template} accepted`, name: template, state: "Queued", id: row?.id }];
  }
}

function infoOf({ name, version, createdAt, createdBy, parameterNames }: Template): Reply<"TemplateInfo"> {
  return { name, version, createdAt, ...(createdBy === undefined ? {} : { createdBy }), parameterNames };
}
