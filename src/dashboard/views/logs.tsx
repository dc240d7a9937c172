import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { replace } from "../address.ts";
import { readLog, type JobRecord } from "../api.ts";
import { parseAnsi, withoutAnsi } from "../logic/ansi.ts";
import { plural } from "../logic/format.ts";
import { isActive } from "../logic/grouping.ts";
import { allOf, appended, emptyLog, matches, roundTo, type LoggedText } from "../logic/log-text.ts";
import { jobAddress, type JobRoute } from "../logic/route.ts";
import { Section } from "../parts/basics.tsx";

/** A job's logs: of one container or all, of any attempt, live while it runs. */

/** This many of the last lines are asked for at first; the whole log by the download or on request. */
const firstTail = 2000;
/** Lines in the page at once: the last ones, or those around what was found. */
const shownLines = 1000;
/** The service ends a follower now and then. */
const pauseBeforeNext = 2000;

export function Logs({ job, route }: { readonly job: JobRecord; readonly route: JobRoute }) {
  const names = Object.keys(job.containers);
  const container = route.container ?? (names.length === 1 ? names[0] : undefined);
  const isLive = isActive(job.state) && (route.attempt === undefined || route.attempt === job.attempt);
  const [follow, setFollow] = useState(true);
  const [isWhole, setWhole] = useState(false);
  const [wrap, setWrap] = useState(true);
  const isFollowing = follow && canFollow(job, isLive);
  const log = useLog(job.id, container, route.attempt, isFollowing, isWhole);
  const search = useSearch(log.lines);
  const end = search.at === undefined ? Infinity : Math.max(shownLines, search.at + shownLines / 2);
  const shown = log.lines.slice(0, end).slice(-shownLines);
  const current = search.at === undefined ? undefined : log.lines[search.at]?.number;
  const box = useBox(isFollowing, log.lines, current);
  const state = isFollowing && log.isReading ? "Following" : plural(log.lines.length, "line");
  return (
    <Section
      title="Logs"
      aside={
        <span class="muted" role="status">
          {log.error ?? state}
        </span>
      }
    >
      <div class="log-bar">
        <Choices job={job} route={route} names={names} container={container} />
        <SearchField search={search} />
        <Check label="Wrap" isOn={wrap} onChange={setWrap} />
        {isLive && <Check label="Follow" isOn={follow} onChange={setFollow} />}
        <Download job={job} container={container} attempt={route.attempt} />
      </div>
      {!isWhole && !isLive && log.lines.length >= firstTail && (
        <p class="muted">
          The last lines only.{" "}
          <button type="button" class="small" onClick={() => setWhole(true)}>
            Read all
          </button>
        </p>
      )}
      <div ref={box} class={wrap ? "log wrap" : "log"} tabIndex={0} role="log" aria-label="Log" aria-live="off">
        {shown.map((line) => (
          <Line key={line.number} line={line} wanted={search.wanted} isCurrent={line.number === current} />
        ))}
        {log.lines.length === 0 && (
          <span class="muted">{log.isReading && !isFollowing ? "Loading…" : "Nothing was written yet."}</span>
        )}
      </div>
    </Section>
  );
}

/** Before it runs there is nothing to follow but the job's state, which the view asks for anyway. */
const canFollow = ({ state }: JobRecord, isLive: boolean): boolean => isLive && state === "Running";

function Check({
  label,
  isOn,
  onChange,
}: {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={isOn} onChange={() => onChange(!isOn)} /> {label}
    </label>
  );
}

/** Which container and which attempt; both stand in the address. */
function Choices({
  job,
  route,
  names,
  container,
}: {
  readonly job: JobRecord;
  readonly route: JobRoute;
  readonly names: readonly string[];
  readonly container: string | undefined;
}) {
  const choose = (next: { container?: string | undefined; attempt?: number | undefined }): void =>
    replace(jobAddress(job.id, { container: route.container, attempt: route.attempt, ...next }));
  return (
    <>
      {names.length > 1 && (
        <label>
          Container
          <select
            value={container ?? ""}
            onChange={(event) => choose({ container: event.currentTarget.value || undefined })}
          >
            <option value="">All</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {job.attempt > 1 && (
        <label>
          Attempt
          <select
            value={String(route.attempt ?? "")}
            onChange={(event) => choose({ attempt: Number(event.currentTarget.value) || undefined })}
          >
            <option value="">Newest ({job.attempt})</option>
            {Array.from({ length: job.attempt }, (_, index) => (
              <option key={index} value={index + 1}>
                {index + 1}
              </option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}

interface Search {
  readonly wanted: string;
  readonly want: (text: string) => void;
  readonly step: (by: number) => void;
  readonly count: number;
  readonly hit: number;
  /** The line of the current hit, by its place in the list. */
  readonly at: number | undefined;
}

function useSearch(lines: readonly LoggedText[]): Search {
  const [{ wanted, turn }, set] = useState({ wanted: "", turn: 0 });
  const found = useMemo(() => matches(lines, wanted), [lines, wanted]);
  const hit = roundTo(turn, found.length);
  return {
    wanted,
    want: (text) => set({ wanted: text, turn: 0 }),
    step: (by) => set({ wanted, turn: turn + by }),
    count: found.length,
    hit,
    at: found[hit],
  };
}

/** Enter goes to the next line that was found, with Shift to the one before. */
function SearchField({ search: { wanted, want, step, count, hit } }: { readonly search: Search }) {
  return (
    <>
      <label class="grow">
        Search
        <input
          type="search"
          value={wanted}
          onInput={(event) => want(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && step(event.shiftKey ? -1 : 1)}
        />
      </label>
      {wanted !== "" && (
        <span class="hits" role="status">
          {count === 0 ? "Not found" : `${hit + 1} of ${count}`}
        </span>
      )}
    </>
  );
}

function Line({
  line: { text, isMark },
  wanted,
  isCurrent,
}: {
  readonly line: LoggedText;
  readonly wanted: string;
  readonly isCurrent: boolean;
}) {
  const name = `l${isMark ? " gap" : ""}${isCurrent ? " current" : ""}`;
  // The text that was found is marked in the plain line.
  const plain = wanted === "" ? "" : withoutAnsi(text);
  const at = wanted === "" ? -1 : plain.toLowerCase().indexOf(wanted.toLowerCase());
  return (
    <div class={name}>
      {at >= 0 ? (
        <>
          {plain.slice(0, at)}
          <mark>{plain.slice(at, at + wanted.length)}</mark>
          {plain.slice(at + wanted.length)}
        </>
      ) : (
        parseAnsi(text).map((part, index) =>
          part.style === "" ? (
            part.text
          ) : (
            <span key={index} class={part.style}>
              {part.text}
            </span>
          ),
        )
      )}
      {"\n"}
    </div>
  );
}

/** Stays at the end while lines come, unless the reader scrolled up; goes to what was found. */
function useBox(isFollowing: boolean, lines: readonly LoggedText[], current: number | undefined) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const note = (): void => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    };
    element.addEventListener("scroll", note, { passive: true });
    return () => element.removeEventListener("scroll", note);
  }, []);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const found = current === undefined ? null : element.querySelector<HTMLElement>(".current");
    if (found) element.scrollTop = found.offsetTop - element.offsetTop - element.clientHeight / 2;
    else if (isFollowing ? atEnd.current : true) element.scrollTop = element.scrollHeight;
  }, [lines, current, isFollowing]);
  return box;
}

function useLog(
  id: string,
  container: string | undefined,
  attempt: number | undefined,
  isLive: boolean,
  isWhole: boolean,
) {
  const [log, setLog] = useState({ text: emptyLog, isReading: true, error: undefined as string | undefined });
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pause: AbortController | undefined;
    // A reader that comes again after an interruption reads from the beginning of what was asked for, and shows it in place of the old.
    const read = async (): Promise<void> => {
      clearTimeout(timer);
      pause = new AbortController();
      let text = emptyLog;
      let waiting = "";
      let frame = 0;
      const show = (): void => {
        frame = 0;
        text = appended(text, waiting);
        waiting = "";
        if (!signal.aborted) setLog({ text, isReading: true, error: undefined });
      };
      const asked = { id, container, attempt, follow: isLive, tail: isWhole ? undefined : firstTail };
      const answer = await readLog(asked, AbortSignal.any([signal, pause.signal]), (chunk) => {
        waiting += chunk;
        frame ||= requestAnimationFrame(show);
      });
      cancelAnimationFrame(frame);
      if (signal.aborted || pause.signal.aborted) return;
      text = appended(text, waiting);
      const error = answer.ok ? undefined : answer.error;
      setLog((before) =>
        error ? { ...before, isReading: false, error: error.message } : { text, isReading: false, error: undefined },
      );
      if (isLive || error?.kind === "away")
        timer = setTimeout(() => void (document.hidden || read()), error ? 10_000 : pauseBeforeNext);
    };
    const turn = (): void => {
      // A hidden tab asks nothing.
      if (document.hidden && isLive) pause?.abort();
      else if (!document.hidden && isLive) void read();
    };
    setLog({ text: emptyLog, isReading: true, error: undefined });
    void read();
    document.addEventListener("visibilitychange", turn);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", turn);
    };
  }, [id, container, attempt, isLive, isWhole]);
  const lines = useMemo(() => allOf(log.text), [log.text]);
  return { lines, isReading: log.isReading, error: log.error };
}

function Download({
  job,
  container,
  attempt,
}: {
  readonly job: JobRecord;
  readonly container: string | undefined;
  readonly attempt: number | undefined;
}) {
  const [isBusy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    const parts: string[] = [];
    const answer = await readLog(
      { id: job.id, container, attempt, follow: false },
      AbortSignal.timeout(120_000),
      (text) => parts.push(text),
    );
    if (answer.ok) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(parts, { type: "text/plain" }));
      link.download = `${[job.name, container, attempt === undefined ? "" : `attempt-${attempt}`, job.id.slice(-6)].filter(Boolean).join("-")}.log`;
      link.click();
      URL.revokeObjectURL(link.href);
    }
    setBusy(false);
  };
  return (
    <button type="button" onClick={() => void save()} disabled={isBusy}>
      {isBusy ? "Reading…" : "Download"}
    </button>
  );
}
