/** Addresses of the page's views, in the part after `#`: they can be shared, and hold no key. Pure. */

export const filterNames = [
  "state",
  "name",
  "reason",
  "fault",
  "pipeline",
  "factory",
  "activity",
  "runId",
  "group",
  "team",
  "template",
  "tag",
  "via",
  "since",
  "until",
] as const;
export type FilterName = (typeof filterNames)[number];
export type Filters = Readonly<Partial<Record<FilterName, string>>>;

export interface JobsRoute {
  readonly view: "jobs";
  readonly filters: Filters;
  readonly byRun: boolean;
}
export interface JobRoute {
  readonly view: "job";
  readonly id: string;
  readonly container: string | undefined;
  readonly attempt: number | undefined;
  /** Of an array's index: its own job is meant. */
  readonly index: number | undefined;
  /** The letter of an outcome: of an array, only these indexes. */
  readonly show: string | undefined;
}
/** A list that is read page by page: what stands behind one name. */
interface ListRoute {
  readonly view: "templates" | "groups";
  readonly after: string | undefined;
}
export interface TemplateRoute {
  readonly view: "template";
  readonly name: string;
  /** `undefined`: the newest. */
  readonly version: number | undefined;
  /** The version that it is compared with. */
  readonly against: number | undefined;
}
export type Route = { readonly view: "overview" } | JobsRoute | JobRoute | ListRoute | TemplateRoute;

export function readRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const values = new URLSearchParams(query);
  const [view, id] = path.split("/");
  const array = view === "jobs" && values.get("array");
  // The children of an array are shown where it is.
  if (array)
    return { view: "job", id: array, container: undefined, attempt: undefined, index: undefined, show: undefined };
  if (view === "jobs") return { view: "jobs", filters: readFilters(values), byRun: values.get("by") === "run" };
  if (view === "job" && id) {
    const container = values.get("container") ?? undefined;
    return {
      view: "job",
      id: decoded(id),
      container,
      attempt: numberIn(values, "attempt"),
      index: numberIn(values, "index", 0),
      show: values.get("show") ?? undefined,
    };
  }
  if (view === "templates" || view === "groups") return { view, after: values.get("after") ?? undefined };
  if (view === "template" && id) {
    const [version, against] = [numberIn(values, "version"), numberIn(values, "against")];
    return { view: "template", name: decoded(id), version, against };
  }
  return { view: "overview" };
}

function numberIn(values: URLSearchParams, name: string, least = 1): number | undefined {
  const number = Number(values.get(name) || NaN);
  return Number.isInteger(number) && number >= least ? number : undefined;
}

function readFilters(values: URLSearchParams): Filters {
  const found: Partial<Record<FilterName, string>> = {};
  for (const name of filterNames) {
    const value = values.get(name)?.trim();
    if (value) found[name] = value;
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function jobsAddress(filters: Filters, byRun = false): string {
  const query = queryOf(filters);
  if (byRun) query.set("by", "run");
  return withQuery("#/jobs", query);
}

function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

export function jobAddress(
  id: string,
  log: {
    readonly container?: string | undefined;
    readonly attempt?: number | undefined;
    readonly show?: string | undefined;
  } = {},
): string {
  const query = new URLSearchParams();
  if (log.container !== undefined) query.set("container", log.container);
  if (log.attempt !== undefined) query.set("attempt", String(log.attempt));
  if (log.show !== undefined) query.set("show", log.show);
  return withQuery(`#/job/${encodeURIComponent(id)}`, query);
}

/** The job of an index of an array. */
export const indexAddress = (id: string, index: number): string => `${jobAddress(id)}?index=${index}`;

export function templateAddress(
  name: string,
  shown: { readonly version?: number | undefined; readonly against?: number | undefined } = {},
): string {
  const query = new URLSearchParams();
  if (shown.version !== undefined) query.set("version", String(shown.version));
  if (shown.against !== undefined) query.set("against", String(shown.against));
  return withQuery(`#/template/${encodeURIComponent(name)}`, query);
}

export const listAddress = (view: "templates" | "groups", after: string): string =>
  `#/${view}?${new URLSearchParams({ after }).toString()}`;

/** As `GET /api/jobs` takes them. */
export function queryOf(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of filterNames) if (filters[name]) query.set(name, filters[name]);
  return query;
}

/** Names of filters as people read them. */
export const filterLabels: Readonly<Record<FilterName, string>> = {
  state: "State",
  name: "Name",
  reason: "Reason",
  fault: "Fault",
  pipeline: "Pipeline",
  factory: "Data factory",
  activity: "Activity",
  runId: "Pipeline run id",
  group: "Group",
  team: "Team",
  template: "Template",
  tag: "Tag",
  via: "Came by",
  since: "Since",
  until: "Until",
};
