import { effect, signal } from "@preact/signals";
import { toMain } from "../address.ts";
import type { Failure } from "../api.ts";
import { jobAddress } from "../logic/route.ts";
import { session } from "../session.ts";

/** What the service answered to something that the reader asked for: it stays until the reader takes it away. */
interface Told {
  readonly isGood: boolean;
  readonly text: string;
  /** Where to go on. */
  readonly next?: { readonly href: string; readonly text: string };
}

const told = signal<ReadonlyMap<string, Told>>(new Map());

// It is nothing for who comes next.
effect(() => {
  if (session.value.kind === "signed-out" && !session.value.was) told.value = new Map();
});

/** @param about of what it was asked: a view shows the answers about what it shows */
export function tell(about: string, answer: Told | undefined): void {
  const next = new Map(told.value);
  if (answer) next.set(about, answer);
  else next.delete(about);
  told.value = next;
}

/** @param what `Not canceled`: where the answer is lost, it may have been done all the same */
export const notDone = (what: string, { kind, message }: Failure): Told => ({
  isGood: false,
  text: `${what}${kind === "away" ? ", as far as is known" : ""}: ${message}`,
});

export const aboutTemplate = (name: string): string => `template ${name.toLowerCase()}`;

export const newJob = (id: string): NonNullable<Told["next"]> => ({ href: jobAddress(id), text: "Open the new job" });

export function Answered({ about }: { readonly about: string }) {
  const answer = told.value.get(about);
  const dismiss = (): void => {
    tell(about, undefined);
    toMain();
  };
  // What comes into a region that is there already is read out.
  return (
    <div class="told" role="status">
      {answer && <Notice {...answer} onDismiss={dismiss} />}
    </div>
  );
}

function Notice({ isGood, text, next, onDismiss }: Told & { readonly onDismiss: () => void }) {
  return (
    <div class={`notice ${isGood ? "good" : "bad"}`}>
      <span>
        {text} {next !== undefined && <a href={next.href}>{next.text}</a>}
      </span>
      <button type="button" class="small" onClick={onDismiss}>
        Dismiss
      </button>
    </div>
  );
}
