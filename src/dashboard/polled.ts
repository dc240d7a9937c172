import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Answer, Failure } from "./api.ts";
import { clock } from "./clock.ts";
import { session } from "./session.ts";

/**
 * An answer of the service that is asked for again and again, while somebody looks: a hidden tab asks nothing, and asks at once when
 * it is shown again and its time is over.
 */
export interface Polled<T> {
  /** The last good answer; it stays while the service is away. */
  readonly value: T | undefined;
  /** Milliseconds since 1970. */
  readonly at: number | undefined;
  readonly error: Failure | undefined;
  readonly isLoading: boolean;
  readonly refresh: () => void;
}

interface State<T> {
  readonly key: string;
  readonly value: T | undefined;
  readonly at: number | undefined;
  readonly error: Failure | undefined;
  readonly isLoading: boolean;
}

const blank = <T>(key: string): State<T> => ({
  key,
  value: undefined,
  at: undefined,
  error: undefined,
  isLoading: true,
});
/** After a failure: sooner than usual, slower each time. */
const [firstRetry, lastRetry] = [5_000, 60_000];

/**
 * @param key what is asked for: another key begins anew
 * @param every milliseconds, or by the last answer; `undefined`: never again
 */
export function usePolled<T>(
  key: string,
  ask: (signal: AbortSignal, last: T | undefined) => Promise<Answer<T>>,
  every: number | ((value: T) => number | undefined),
): Polled<T> {
  const [held, setHeld] = useState<State<T>>(() => blank(key));
  const state = held.key === key ? held : blank<T>(key);
  const [turn, setTurn] = useState(0);
  // Who signs in again goes on here.
  const who = session.value;
  const current = useRef({ ask, every });
  current.current = { ask, every };
  const last = useRef<State<T>>(state);
  last.current = state;

  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let dueAt: number | undefined = 0;
    let isAsking = false;
    const plan = (): void => {
      clearTimeout(timer);
      if (dueAt === undefined || document.hidden || isAsking || stop.signal.aborted) return;
      timer = setTimeout(() => void run(), Math.max(0, dueAt - performance.now()));
    };
    const run = async (): Promise<void> => {
      isAsking = true;
      setHeld((before) => ({ ...(before.key === key ? before : blank<T>(key)), isLoading: true }));
      const answer = await current.current.ask(stop.signal, last.current.key === key ? last.current.value : undefined);
      if (stop.signal.aborted) return;
      isAsking = false;
      if (answer.ok) {
        failures = 0;
        const { every: pause } = current.current;
        const wait = typeof pause === "number" ? pause : pause(answer.value);
        dueAt = wait === undefined ? undefined : performance.now() + wait;
        setHeld({ key, value: answer.value, at: clock(), error: undefined, isLoading: false });
      } else {
        const wait = Math.max(answer.error.wait ?? 0, Math.min(lastRetry, firstRetry * 2 ** failures++));
        dueAt = answer.error.kind === "away" ? performance.now() + wait : undefined;
        setHeld((before) => ({
          ...(before.key === key ? before : blank<T>(key)),
          error: answer.error,
          isLoading: false,
        }));
      }
      plan();
    };
    plan();
    document.addEventListener("visibilitychange", plan);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", plan);
    };
  }, [key, turn, who]);

  const refresh = useCallback(() => setTurn((count) => count + 1), []);
  return { ...state, refresh };
}

/** The time, for `3 min ago`; stands still in a hidden tab. */
export function useNow(every = 5_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, every);
    return () => clearInterval(timer);
  }, [every]);
  return clock(now);
}
