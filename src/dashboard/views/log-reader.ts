import { useEffect, useMemo, useState } from "preact/hooks";
import { readLog, type JobRecord } from "../api.ts";
import { isActive } from "../logic/grouping.ts";
import { session } from "../session.ts";
import { allOf, appended, emptyLog } from "../logic/log-text.ts";

/** This many of the last lines are asked for at first; the whole log by the download or on request. */
export const firstTail = 2000;
/** The service ends a follower now and then; one that it ends soon is not needed much longer. */
const [pause, longPause, soon] = [2000, 10_000, 20_000];

/** A log as it is read: live while its job runs, again after an interruption, and not in a hidden tab. */
export function useLog(
  { id, state, reason = "", attempt: newest }: JobRecord,
  container: string | undefined,
  attempt: number | undefined,
  isLive: boolean,
  isWhole: boolean,
  onEnd: () => void,
) {
  const [log, setLog] = useState({ text: emptyLog, isReading: true, error: undefined as string | undefined });
  const who = session.value;
  // What is not followed is read anew when it may have become another: a job may end between two looks.
  const moment = isLive ? "followed" : isActive(state) ? `${newest} ${state} ${reason}` : "ended";
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let reading: AbortController | undefined;
    let isDue = true;
    // A reader that comes again after an interruption reads from the beginning of what was asked for, and shows it in place of the old.
    const read = async (): Promise<void> => {
      clearTimeout(timer);
      isDue = true;
      // A hidden tab asks nothing.
      if (document.hidden) return;
      isDue = false;
      reading = new AbortController();
      const signal = AbortSignal.any([stop.signal, reading.signal]);
      let text = emptyLog;
      let waiting = "";
      let frame = 0;
      const began = performance.now();
      const show = (): void => {
        frame = 0;
        text = appended(text, waiting);
        waiting = "";
        if (!signal.aborted) setLog({ text, isReading: true, error: undefined });
      };
      const asked = { id, container, attempt, follow: isLive, tail: isWhole ? undefined : firstTail };
      const answer = await readLog(asked, signal, (chunk) => {
        waiting += chunk;
        frame ||= requestAnimationFrame(show);
      });
      cancelAnimationFrame(frame);
      if (signal.aborted) return;
      text = appended(text, waiting);
      const error = answer.ok ? undefined : answer.error;
      setLog((before) =>
        error ? { ...before, isReading: false, error: error.message } : { text, isReading: false, error: undefined },
      );
      if (isLive && answer.ok) onEnd();
      if (isLive || error?.kind === "away")
        timer = setTimeout(() => void read(), error || performance.now() - began < soon ? longPause : pause);
    };
    const turn = (): void => {
      if (!document.hidden && isDue) void read();
      if (!document.hidden || !isLive) return;
      reading?.abort();
      clearTimeout(timer);
      isDue = true;
    };
    setLog({ text: emptyLog, isReading: true, error: undefined });
    void read();
    document.addEventListener("visibilitychange", turn);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", turn);
    };
  }, [id, container, attempt, moment, isWhole, who]);
  const lines = useMemo(() => allOf(log.text), [log.text]);
  return { lines, dropped: log.text.dropped, isReading: log.isReading, error: log.error };
}
