import { foldName } from "./json.ts";

/**
 * Where the value of a member stands in the text of a JSON object: `JSON.parse` gives a number's value, but not how it was written
 * (`1.10`, or more digits than a double has). Of a name that is there twice, in any letter case, the last counts.
 *
 * @param text an object that `JSON.parse` takes
 */
export function memberSpan(text: string, name: string): { readonly start: number; readonly end: number } | undefined {
  const wanted = foldName(name);
  let found: { start: number; end: number } | undefined;
  let [depth, key, start] = [0, "", -1];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && start < 0) key = text.slice(at, end);
      at = end - 1;
    } else if (sign === "{" || sign === "[") depth++;
    else if (depth === 1 && sign === ":") start = at + 1;
    else if (sign === "}" || sign === "]" || sign === ",") {
      if (depth === 1 && start >= 0) {
        if (foldName(String(JSON.parse(key))) === wanted) found = { start, end: at };
        start = -1;
      }
      if (sign !== ",") depth--;
    }
  }
  return found;
}

/**
 * Whether an object has a member twice, spelt the same: `JSON.parse` keeps the last of them alone.
 *
 * @param text what `JSON.parse` takes
 */
export function repeatsName(text: string): boolean {
  const open: Set<unknown>[] = [];
  let last = "";
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') {
      const end = endOfString(text, at);
      last = text.slice(at, end);
      at = end - 1;
    } else if (sign === "{" || sign === "[") open.push(new Set());
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === ":") {
      const names = open.at(-1);
      const name: unknown = JSON.parse(last);
      if (names?.has(name)) return true;
      names?.add(name);
    }
  }
  return false;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
