import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { replace } from "../address.ts";
import type { JobRecord } from "../api.ts";
import { maxShown, parseAnsi } from "../logic/ansi.ts";
import { plural } from "../logic/format.ts";
import { isActive } from "../logic/grouping.ts";
import { found, matches, roundTo, shownAtOnce, windowOf, type LoggedText } from "../logic/log-text.ts";
import { jobAddress, type JobRoute } from "../logic/route.ts";
import { Download } from "./log-download.tsx";
import { firstTail, useLog } from "./log-reader.ts";
import { Section } from "../parts/basics.tsx";

/** A job's logs: of one container or all, of any attempt, live while it runs. */

export function Logs({
  job,
  route,
  onEnd,
}: {
  readonly job: JobRecord;
  readonly route: JobRoute;
  /** The service has ended a log that was followed: the job may have ended. */
  readonly onEnd: () => void;
}) {
  const names = Object.keys(job.containers);
  const container = route.container ?? (names.length === 1 ? names[0] : undefined);
  const isLive = isActive(job.state) && (route.attempt === undefined || route.attempt === job.attempt);
  const [follow, setFollow] = useState(true);
  const [isWhole, setWhole] = useState(false);
  const [wrap, setWrap] = useState(true);
  const isFollowing = follow && canFollow(job, isLive);
  const log = useLog(job, container, route.attempt, isFollowing, isWhole, onEnd);
  const search = useSearch(log.lines);
  const box = useRef<HTMLDivElement>(null);
  const [earlier, showEarlier] = useEarlier(box, `${container ?? ""} ${route.attempt ?? ""}`);
  const { from, to } = windowOf(log.lines.length, search.at, earlier);
  const shown = log.lines.slice(from, to);
  const current = search.at === undefined ? undefined : log.lines[search.at]?.number;
  useEnd(box, isFollowing, log.lines, current);
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
      {!isWhole && log.lines.length >= firstTail && <LastOnly onAll={() => setWhole(true)} />}
      <div
        ref={box}
        id="log"
        class={wrap ? "log wrap" : "log"}
        tabIndex={0}
        role="log"
        aria-label="Log"
        aria-live="off"
      >
        <Above count={from} dropped={log.dropped} onMore={showEarlier} />
        {shown.map((line) => (
          <Line key={line.number} line={line} wanted={search.wanted} isCurrent={line.number === current} />
        ))}
        {log.lines.length === 0 && (
          <span class="muted">{log.error ?? nothing(log.isReading && !isFollowing, isLive)}</span>
        )}
      </div>
    </Section>
  );
}

function LastOnly({ onAll }: { readonly onAll: () => void }) {
  return (
    <p class="muted">
      The last lines only.{" "}
      <button type="button" class="small" onClick={onAll}>
        Read all
      </button>
    </p>
  );
}

/** What comes before the lines that are in the page. */
function Above({
  count,
  dropped,
  onMore,
}: {
  readonly count: number;
  readonly dropped: number;
  readonly onMore: () => void;
}) {
  if (count > 0)
    return (
      <button type="button" class="small" onClick={onMore}>
        {plural(Math.min(count, shownAtOnce), "earlier line")}
      </button>
    );
  return dropped > 0 ? (
    <span class="muted">{plural(dropped, "earlier line")} not kept in the page; the download has them.</span>
  ) : null;
}

const nothing = (isReading: boolean, isLive: boolean): string =>
  isReading ? "Loading…" : isLive ? "Nothing was written yet." : "Nothing was written.";

/** The log has the focus then: its arrow keys scroll. */
export function toLogs(): void {
  document.querySelector(".log-bar")?.scrollIntoView();
  document.getElementById("log")?.focus({ preventScroll: true });
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
  const hit = found(text, wanted);
  return (
    <div class={name}>
      {hit ? (
        <>
          {hit.before}
          <mark>{hit.match}</mark>
          {hit.after}
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
      {text.length > maxShown && <span class="muted"> … a part of the line; the download has all of it</span>}
      {"\n"}
    </div>
  );
}

/** Stays at the end while lines come, unless the reader scrolled up; goes to what was found. */
function useEnd(
  box: RefObject<HTMLDivElement | null>,
  isFollowing: boolean,
  lines: readonly LoggedText[],
  current: number | undefined,
): void {
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
}

/** How many lines above the usual ones are in the page, and how to have more; those that are read stay where they are. */
function useEarlier(box: RefObject<HTMLDivElement | null>, log: string): readonly [number, () => void] {
  const [earlier, setEarlier] = useState(0);
  const place = useRef({ top: 0, height: 0 });
  useEffect(() => setEarlier(0), [log]);
  useLayoutEffect(() => {
    const { top, height } = place.current;
    if (box.current && earlier > 0) box.current.scrollTop = top + box.current.scrollHeight - height;
  }, [earlier]);
  const show = (): void => {
    if (box.current) place.current = { top: box.current.scrollTop, height: box.current.scrollHeight };
    setEarlier(earlier + shownAtOnce);
  };
  return [earlier, show];
}
