/** Times, durations, amounts and ids as people read them. Pure. */

const [minute, hour, day] = [60, 3600, 86_400];

/** `7 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`: two units at most. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === undefined || seconds === null || !Number.isFinite(seconds)) return "–";
  if (seconds < 9.95) return `${Number(Math.max(0, seconds).toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < minute) return `${whole} s`;
  if (whole < hour) return two(Math.floor(whole / minute), "min", whole % minute, "s");
  if (whole < day) return two(Math.floor(whole / hour), "h", Math.floor((whole % hour) / minute), "min");
  return two(Math.floor(whole / day), "d", Math.floor((whole % day) / hour), "h");
}

function two(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0 ? `${first} ${firstUnit}` : `${first} ${firstUnit} ${second} ${secondUnit}`;
}

/** How long ago, in one unit. */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < minute) return `${seconds} s ago`;
  if (seconds < hour) return `${Math.floor(seconds / minute)} min ago`;
  return seconds < day ? `${Math.floor(seconds / hour)} h ago` : `${Math.floor(seconds / day)} d ago`;
}

/** @param zone an IANA name; the reader's own by default */
export function localTime(iso: string, now: number, zone?: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const { date, time, dated, yeared } = formatsOf(zone);
  const [day, today] = [date.format(at), date.format(now)];
  if (day === today) return time.format(at);
  return `${(day.slice(0, 4) === today.slice(0, 4) ? dated : yeared).format(at)}, ${time.format(at)}`;
}

interface Formats {
  readonly date: Intl.DateTimeFormat;
  readonly time: Intl.DateTimeFormat;
  readonly dated: Intl.DateTimeFormat;
  readonly yeared: Intl.DateTimeFormat;
}

/** To make one takes longer than to show a row of the list. */
const formats = new Map<string, Formats>();

function formatsOf(zone = ""): Formats {
  const known = formats.get(zone);
  if (known) return known;
  const zoned = zone === "" ? {} : { timeZone: zone };
  const short = { ...zoned, day: "numeric", month: "short" } as const;
  const made = {
    date: new Intl.DateTimeFormat("en-CA", { ...zoned, year: "numeric", month: "2-digit", day: "2-digit" }),
    time: new Intl.DateTimeFormat("en-GB", { ...zoned, timeStyle: "medium" }),
    dated: new Intl.DateTimeFormat("en-GB", short),
    yeared: new Intl.DateTimeFormat("en-GB", { ...short, year: "numeric" }),
  };
  formats.set(zone, made);
  return made;
}

/** `2026-11-24 07:19:43 UTC` */
export function utcTime(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Small amounts keep two digits that say something. */
export function money(amount: number | null | undefined, currency = ""): string {
  if (amount === undefined || amount === null) return "–";
  const digits = amount === 0 || amount >= 1 ? 2 : Math.min(6, 1 - Math.floor(Math.log10(amount)));
  return `${amount.toFixed(Math.max(2, digits))} ${currency}`.trim();
}

export function percent(share: number | undefined): string {
  if (share === undefined || Number.isNaN(share)) return "–";
  const value = share * 100;
  // 99.96 % is not all.
  return `${value > 99 && value < 100 ? Math.floor(value * 10) / 10 : Math.round(value)} %`;
}

/** Characters that turn the direction of text, by their numbers: with them a name or a definition looks like another one. */
export const visible = (text: string): string =>
  text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (each) => `[U+${each.charCodeAt(0).toString(16).toUpperCase()}]`);

/** A job's tags; the cell of a row that somebody edited may be any text. */
export const tagTexts = (tags: string | Readonly<Record<string, unknown>>): readonly string[] =>
  typeof tags === "string"
    ? [visible(tags)]
    : Object.entries(tags).map(([key, value]) => visible(`${key}=${String(value)}`));

/** The end of an id: ids made in the same hour begin alike. */
export const shortId = (id: string): string => id.slice(-6);

/** `demo.azurecr.io/team/sample:1` is `sample:1`. */
export const shortImage = (image: string): string => image.slice(image.lastIndexOf("/") + 1);

/** @param isLeast there may be more */
export const plural = (count: number, one: string, many = `${one}s`, isLeast = false): string =>
  `${count.toLocaleString("en-GB")}${isLeast ? "+" : ""} ${count === 1 && !isLeast ? one : many}`;
