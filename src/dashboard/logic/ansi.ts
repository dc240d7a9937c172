/** Colours that programs write into their output: SGR sequences become styles, all other control sequences are left out. Pure. */
export interface Styled {
  readonly text: string;
  /** Names of CSS classes, separated by spaces. */
  readonly style: string;
}

interface Pen {
  readonly colour: string;
  readonly background: string;
  readonly marks: ReadonlySet<string>;
}

const plainPen: Pen = { colour: "", background: "", marks: new Set() };
const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

/**
 * CSI and OSC sequences, other escapes, control characters but tab, and those that turn the direction of text: with them a line can look
 * like another one.
 */
const control =
  /(?:\u001b\[|\u009b)([0-9;:?<=>]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[()*+].|\u001b.?|[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** More than this of one line is cut: a browser can't lay out lines of megabytes. */
export const maxShown = 20_000;

export function parseAnsi(line: string): readonly Styled[] {
  const parts: Styled[] = [];
  let pen = plainPen;
  let end = 0;
  const add = (text: string): void => {
    if (text !== "") parts.push({ text, style: styleOf(pen) });
  };
  const shown = line.length > maxShown ? line.slice(0, maxShown) : line;
  for (const match of shown.matchAll(control)) {
    add(shown.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[2] === "m") pen = apply(pen, match[1] ?? "");
  }
  add(shown.slice(end));
  return parts;
}

/** The text alone, as a search sees it. */
export function withoutAnsi(line: string): string {
  return line.replace(control, "");
}

function apply(pen: Pen, parameters: string): Pen {
  const codes = parameters.split(/[;:]/).map((text) => Number(text === "" ? 0 : text));
  let next = pen;
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) {
      const width = codes[index + 1] === 5 ? 2 : codes[index + 1] === 2 ? 4 : 0;
      const colour = width === 2 ? indexed(codes[index + 2] ?? 0) : "";
      next = code === 38 ? { ...next, colour } : { ...next, background: colour };
      index += width;
    } else next = applyCode(next, code);
  }
  return next;
}

function applyCode(pen: Pen, code: number): Pen {
  const mark = marks[code];
  if (code === 0) return plainPen;
  if (mark !== undefined) return { ...pen, marks: new Set([...pen.marks, mark]) };
  if (code === 22) return { ...pen, marks: without(pen.marks, "bold", "dim") };
  if (code === 23) return { ...pen, marks: without(pen.marks, "italic") };
  if (code === 24) return { ...pen, marks: without(pen.marks, "underline") };
  if (code === 39) return { ...pen, colour: "" };
  if (code === 49) return { ...pen, background: "" };
  if (code >= 30 && code <= 37) return { ...pen, colour: colours[code - 30] ?? "" };
  if (code >= 90 && code <= 97) return { ...pen, colour: colours[code - 90] ?? "" };
  if (code >= 40 && code <= 47) return { ...pen, background: colours[code - 40] ?? "" };
  if (code >= 100 && code <= 107) return { ...pen, background: colours[code - 100] ?? "" };
  return pen;
}

const marks: Readonly<Record<number, string>> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };

/** Of the 256 colours the first 16 are the named ones; of the others only the tone is kept, so that contrast is. */
function indexed(code: number): string {
  return code < 16 ? (colours[code % 8] ?? "") : "";
}

const without = (set: ReadonlySet<string>, ...gone: readonly string[]): ReadonlySet<string> =>
  new Set([...set].filter((each) => !gone.includes(each)));

function styleOf({ colour, background, marks: set }: Pen): string {
  const names = [...set].map((mark) => `a-${mark}`);
  // Text on a coloured ground has the ground's own text colour.
  if (background !== "") names.push(`a-on-${background}`);
  else if (colour !== "") names.push(`a-${colour}`);
  return names.join(" ");
}
