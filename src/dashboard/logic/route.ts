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
}
export type Route = { readonly view: "overview" } | JobsRoute | JobRoute;

export function readRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const values = new URLSearchParams(query);
  const [view, id] = path.split("/");
  if (view === "jobs") return { view: "jobs", filters: readFilters(values), byRun: values.get("by") === "run" };
  if (view === "job" && id) {
    const attempt = Number(values.get("attempt"));
    return {
      view: "job",
      id: decoded(id),
      container: values.get("container") ?? undefined,
      attempt: Number.isInteger(attempt) && attempt > 0 ? attempt : undefined,
    };
  }
  return { view: "overview" };
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
  const text = query.toString();
  return text === "" ? "#/jobs" : `#/jobs?${text}`;
}

export function jobAddress(
  id: string,
  log: { readonly container?: string | undefined; readonly attempt?: number | undefined } = {},
): string {
  const query = new URLSearchParams();
  if (log.container !== undefined) query.set("container", log.container);
  if (log.attempt !== undefined) query.set("attempt", String(log.attempt));
  const text = query.toString();
  return `#/job/${encodeURIComponent(id)}${text === "" ? "" : `?${text}`}`;
}

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
