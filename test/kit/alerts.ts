/** The alerts of infra/alerts.json, as Azure Monitor evaluates them. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { parseDuration } from "../../src/shared/base/duration.ts";
import type { LogLevel } from "../../src/shared/base/log.ts";
import { runQuery, type Row } from "./kql.ts";

export const alerts = z
  .array(
    z.object({
      name: z.string(),
      description: z.string(),
      query: z.string(),
      window: z.string(),
      operator: z.enum(["GreaterThan", "LessThan"]),
      threshold: z.number(),
      dimension: z.string().optional(),
    }),
  )
  .parse(JSON.parse(readFileSync(new URL("../../infra/alerts.json", import.meta.url), "utf8")));
type Alert = (typeof alerts)[number];

/** What Application Insights has of the app: the tables of the workspace. */
export type Tables = Readonly<Record<"AppTraces" | "AppRequests" | "_LogOperation", Row[]>>;

const severities: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export const traceOf = (at: number, level: LogLevel, line: string): Row => ({
  TimeGenerated: new Date(at),
  Message: line,
  SeverityLevel: severities[level],
  ItemCount: 1,
});

/** The service looks at the rows of the window, each five minutes. */
export function fires({ query, window, operator, threshold, dimension }: Alert, tables: Tables, now: number): boolean {
  const from = now - (parseDuration(window) ?? 0);
  const isRecent = ({ TimeGenerated: at }: Row): boolean =>
    at instanceof Date && at.getTime() > from && at.getTime() <= now;
  const recent = Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, rows.filter(isRecent)]));
  const rows = runQuery(query, recent);
  const isOver = (value: number): boolean => (operator === "GreaterThan" ? value > threshold : value < threshold);
  if (!query.includes("found =")) return isOver(rows.length);
  const values = rows.map(({ found }) => Number(found));
  return dimension === undefined ? isOver(values.reduce((sum, value) => sum + value, 0)) : values.some(isOver);
}
