import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { clock } from "../clock.ts";
import { ago, localTime, utcTime } from "../logic/format.ts";
import type { Polled } from "../polled.ts";
import { useNow } from "../polled.ts";

/** What several views show. */

const signs: Readonly<Record<string, string>> = {
  Succeeded: "✓",
  Failed: "✕",
  TimedOut: "◷",
  Stopped: "■",
  Canceled: "⊘",
  Running: "▶",
  Queued: "…",
  Provisioning: "…",
  Pending: "…",
  // Of an array's indexes that have no job.
  "Not started": "·",
  "Left out": "–",
};

export const signOf = (state: string): string => signs[state] ?? "?";

/** The tone of a state: a class of the style sheet, never a word from outside. */
export function toneOf(state: string): string {
  if (state === "Succeeded") return "good";
  if (state === "Failed" || state === "TimedOut" || state === "Stopped") return "bad";
  if (state === "Running") return "live";
  return ["Canceled", "Not started", "Left out"].includes(state) ? "quiet" : "wait";
}

export function StateMark({ state }: { readonly state: string }) {
  return (
    <span class={`state ${toneOf(state)}`}>
      <span aria-hidden="true" class="sign">
        {signOf(state)}
      </span>
      {state}
    </span>
  );
}

/** In the reader's time zone, with UTC on hover. */
export function Time({ at }: { readonly at: string | undefined }) {
  if (at === undefined) return <>–</>;
  return (
    <time dateTime={at} title={utcTime(at)}>
      {localTime(at, clock())}
    </time>
  );
}

/** A button that may not be pressed while it is busy. It keeps the focus then, which a disabled one would lose. */
export function ActionButton({
  look,
  isBusy,
  onPress,
  children,
}: {
  readonly look?: "small" | "primary" | "danger";
  readonly isBusy: boolean;
  readonly onPress: () => void;
  readonly children: ComponentChildren;
}) {
  return (
    <button type="button" class={look} aria-disabled={isBusy} onClick={() => isBusy || onPress()}>
      {children}
    </button>
  );
}

/** When it was last read, and a button to read it now. */
export function Freshness({ polled, every }: { readonly polled: Polled<unknown>; readonly every: string }) {
  const now = useNow();
  const { at, isLoading, refresh } = polled;
  return (
    <div class="fresh">
      <span class="muted" title={`Refreshes ${every}; not while this tab is hidden.`}>
        {at === undefined ? "Loading…" : `Updated ${ago(at, now)}`}
      </span>
      <ActionButton look="small" isBusy={isLoading} onPress={refresh}>
        Refresh
      </ActionButton>
    </div>
  );
}

/** The service is away, or refuses: what is shown is old, and it goes on by its own. */
export function Trouble({ polled }: { readonly polled: Polled<unknown> }) {
  const { error, at } = polled;
  if (error === undefined || error.kind === "signed out") return null;
  const kept = at === undefined ? "" : ` What you see was read at ${new Date(at).toLocaleTimeString("en-GB")}.`;
  return (
    <div class="notice bad" role="alert">
      <strong>{error.kind === "away" ? "The service can’t answer now." : "The service refused this."}</strong>{" "}
      {error.message}
      {kept} {error.kind === "away" ? "The page keeps trying." : ""}
    </div>
  );
}

export function Section({
  title,
  children,
  aside,
  wide = false,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly aside?: ComponentChildren;
  readonly wide?: boolean;
}) {
  const id = `s-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return (
    <section class={wide ? "card wide" : "card"} aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Asks before something is done. The dialog keeps the focus, and Escape closes it. */
export function Ask({
  title,
  text,
  yes,
  isDanger = false,
  children,
  onYes,
  onNo,
}: {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly isDanger?: boolean;
  /** Fields, where something has to be said as well. */
  readonly children?: ComponentChildren;
  readonly onYes: (said: FormData) => void;
  readonly onNo: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    // Closed, it gives the focus back; taken away, it would not.
    return () => current?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="ask-title" onClose={onNo}>
      <h2 id="ask-title">{title}</h2>
      <p>{text}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onYes(new FormData(event.currentTarget));
        }}
      >
        {children}
        <div class="buttons">
          <button type="button" onClick={onNo}>
            Keep as it is
          </button>
          <button type="submit" class={isDanger ? "danger" : "primary"}>
            {yes}
          </button>
        </div>
      </form>
    </dialog>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSaid(""), 3000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("The browser does not allow it: mark the text"); // it wants https, or asks the reader
    }
  };
  return (
    <>
      <button type="button" class="small" onClick={() => void copy()} aria-label={`Copy ${what}`}>
        Copy
      </button>{" "}
      <span role="status" class="muted">
        {said}
      </span>
    </>
  );
}
