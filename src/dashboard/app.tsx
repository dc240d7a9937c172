import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { arrived, route, toMain } from "./address.ts";
import { visible } from "./logic/format.ts";
import { ActionButton } from "./parts/basics.tsx";
import { openByKey, opening, opensAll, session, signInPerson, signInSettings } from "./session.ts";
import { Groups } from "./views/groups.tsx";
import { JobView } from "./views/job.tsx";
import { Jobs } from "./views/jobs.tsx";
import { Overview } from "./views/overview.tsx";
import { TemplateView } from "./views/template.tsx";
import { Templates } from "./views/templates.tsx";

/** What stands in the bar on top, and which views belong to it. */
const places = [
  { view: "overview", href: "#/", title: "Overview", also: "" },
  { view: "jobs", href: "#/jobs", title: "Jobs", also: "job" },
  { view: "templates", href: "#/templates", title: "Templates", also: "template" },
  { view: "groups", href: "#/groups", title: "Groups", also: "" },
] as const;
const titles = {
  overview: "Overview",
  jobs: "Jobs",
  job: "Job",
  templates: "Templates",
  template: "Template",
  groups: "Groups",
};

/** The read key has no calls for these. */
const isBeyondReadKey = (view: keyof typeof titles): boolean => /^(?:template|group)/.test(view);

export function App() {
  const who = session.value;
  const { value: now } = route;
  const { view } = now;
  const main = useRef<HTMLElement>(null);
  const shown = now.view === "job" ? `job ${now.id}` : now.view === "template" ? `template ${now.name}` : view;
  const first = useRef(true);
  useEffect(() => {
    const title = now.view === "template" ? visible(now.name.slice(0, 80)) : titles[view];
    document.title = `${title} · ACI Proxy`;
    if (!first.current) {
      // A screen reader goes on at the new view's beginning.
      main.current?.focus({ preventScroll: true });
      return toPlace(main.current);
    }
    first.current = false;
    return undefined;
  }, [shown]);
  const isAsked = who.kind === "signed-out" && opening.value !== "kept";
  const wasAsked = useRef(isAsked);
  useEffect(() => {
    if (who.kind === "open" && wasAsked.current) main.current?.focus({ preventScroll: true });
    wasAsked.current = isAsked;
  }, [isAsked, who.kind]);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href="#/">
          <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
            <path d="M12 2 21 7v10l-9 5-9-5V7z" fill="none" stroke="currentColor" stroke-width="2" />
            <path d="m3 7 9 5 9-5M12 12v10" fill="none" stroke="currentColor" stroke-width="2" />
          </svg>
          ACI Proxy
        </a>
        {who.kind === "open" && (
          <>
            <nav aria-label="Views">
              {places
                .filter((place) => opensAll() || !isBeyondReadKey(place.view))
                .map((place) => (
                  <a
                    key={place.view}
                    href={place.href}
                    aria-current={view === place.view || view === place.also ? "page" : undefined}
                  >
                    {place.title}
                  </a>
                ))}
            </nav>
            <div class="who">
              {who.name !== undefined && <span class="clip muted">{who.name}</span>}
              {who.may.every((right) => right === "read") && <span class="tag">Read only</span>}
              <button type="button" class="small" onClick={who.leave}>
                Sign out
              </button>
            </div>
          </>
        )}
      </header>
      {(who.kind === "open" || who.was) && (
        <main id={who.kind === "open" ? "main" : ""} ref={main} tabIndex={-1} hidden={who.kind !== "open"}>
          <View />
        </main>
      )}
      {who.kind === "signed-out" && (
        <main id="main" tabIndex={-1}>
          <SignIn why={who.why} />
        </main>
      )}
    </>
  );
}

/** A new view begins at its top. One that the reader goes back to is as it was, once it has been read again. */
function toPlace(view: HTMLElement | null): (() => void) | undefined {
  const { y, from } = arrived();
  scrollTo(0, y);
  if (y === 0 || view === null) return undefined;
  const watch = new ResizeObserver(() => scrollTo(0, y));
  // A slow service, or a busy device, may take half a minute; whatever the reader does ends it.
  let looks = 300;
  const timer = setInterval(() => {
    // The rows of a list are made once it is there.
    const link = scrollY === y ? view.querySelector<HTMLElement>(`a[href="${CSS.escape(from)}"]`) : null;
    link?.focus({ preventScroll: true });
    if (link || --looks === 0) stop();
  }, 100);
  const stop = (): void => {
    watch.disconnect();
    clearInterval(timer);
    for (const each of readersOwn) removeEventListener(each, stop);
  };
  for (const each of readersOwn) addEventListener(each, stop);
  watch.observe(view);
  return stop;
}
const readersOwn = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

function View() {
  const now = route.value;
  if (isBeyondReadKey(now.view) && !opensAll())
    return (
      <>
        <h1>{titles[now.view]}</h1>
        <p class="notice">
          The read key opens jobs, logs and health only. Templates and groups need a key of the Function App, or a
          sign-in.
        </p>
      </>
    );
  switch (now.view) {
    case "overview":
      return <Overview />;
    case "jobs":
      return <Jobs route={now} />;
    case "job":
      return <JobView key={now.id} route={now} />;
    case "templates":
      return <Templates after={now.after} />;
    case "template":
      return <TemplateView key={now.name} route={now} />;
    case "groups":
      return <Groups after={now.after} />;
  }
}

function SignIn({ why }: { readonly why: string | undefined }) {
  if (opening.value === "kept") return <p class="muted centre">Opening…</p>;
  return (
    <div class="sign-in card">
      <h1>Operators’ page</h1>
      {signInSettings === undefined ? (
        <KeyForm text="Enter a key of the Function App, or the read key. It stays in this tab and is gone when you close it." />
      ) : (
        <>
          <ActionButton look="primary" isBusy={opening.value !== "nothing"} onPress={() => void signInPerson()}>
            Sign in with Microsoft
          </ActionButton>
          <details>
            <summary>Use the read key</summary>
            <KeyForm text="It stays in this tab and is gone when you close it." />
          </details>
        </>
      )}
      <p role="alert" class="error">
        {why}
      </p>
    </div>
  );
}

function KeyForm({ text }: { readonly text: string }) {
  const key = useSignal("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (opening.value === "nothing") void openByKey(key.value);
      }}
    >
      <p class="muted">{text}</p>
      <label>
        Key
        <input
          id="key"
          ref={field}
          type="password"
          autocomplete="off"
          required
          value={key.value}
          onInput={(event) => (key.value = event.currentTarget.value)}
        />
      </label>
      <button
        type="submit"
        class={signInSettings === undefined ? "primary" : ""}
        aria-disabled={opening.value !== "nothing"}
      >
        Open
      </button>
    </form>
  );
}
