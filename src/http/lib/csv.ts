/** RFC 4180, safe to open in a spreadsheet. Pure. */

/** A row, its line break included. */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/**
 * What begins a formula, in every width that a spreadsheet takes for one: `=` `+` `-` `@`, and their full-width, small and
 * mathematical forms. (OWASP, "CSV Injection")
 */
const signs = String.raw`=+\-@\u2212\uFE62\uFE63\uFE66\uFE6B\uFF0B\uFF0D\uFF1D\uFF20`;
/** Spreadsheets trim these, or don't show them. */
const blank = String.raw`[\s\p{Cc}\p{Cf}'"]`;
/**
 * A formula's sign at the cell's beginning, or behind what the spreadsheet of another locale takes for the end of a cell, inside
 * quotes or not. It looks back from a sign, so that it takes time in proportion to the text.
 */
const formula = new RegExp(`[${signs}](?<=(?:^|[;|\\t\\r\\n])${blank}*.)`, "gu");

function csvCell(value: unknown): string {
  const text = textOf(value);
  const safe = isText(value) ? text.replace(formula, "'$&").replace(/^[\t\r\n]/, "'$&") : text;
  return /[";,|\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (value instanceof Date) return value.toISOString();
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Numbers, truth values and times are ours: a number may be negative. */
function isText(value: unknown): boolean {
  return typeof value === "string" || (typeof value === "object" && !(value instanceof Date));
}
