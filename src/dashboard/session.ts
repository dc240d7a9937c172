import { signal } from "@preact/signals";
import type { Reply } from "../http/openapi/replies.ts";
import { replace } from "./address.ts";
import type { openSignIn, Person, SignIn, SignInSettings } from "./sign-in.ts";

/**
 * Who the reader is: somebody with a key, or with `AUTH_MODE=entra` a person who signed in. A key and a person's tokens stay in this
 * tab's own store: never in an address, never in a cookie. The service says what the caller may do.
 */
export type Right = Reply<"Caller">["may"][number];

export interface Open {
  readonly kind: "open";
  readonly may: readonly Right[];
  /** Of the person, as jobs name who asked for them; absent with a key. */
  readonly id: string | undefined;
  /** The name of the person; absent with a key. */
  readonly name: string | undefined;
  /** What stands between the API's address and a call's. */
  readonly path: "" | "read/";
  /** What a call is sent with; `undefined` when the sign-in has ended. Throws when that can't be found out now. */
  readonly headers: () => Promise<Readonly<Record<string, string>> | undefined>;
  /** What to say when the service lets the caller in no more. */
  readonly over: string;
  readonly leave: () => void;
}
interface SignedOut {
  readonly kind: "signed-out";
  readonly why: string | undefined;
  /** Whose key or sign-in is no longer accepted: the view waits for another one, and goes on. */
  readonly was: Open | undefined;
}
export type Session = SignedOut | Open;

const storedKey = "key";

export const session = signal<Session>({ kind: "signed-out", why: undefined, was: undefined });
/** Whether a key or a sign-in is being tried: one that the tab kept, or one that the reader gave. */
export const opening = signal<"nothing" | "kept" | "given">("nothing");

/** The app's address; a gateway may put a path in front of it. */
export const apiBase = location.pathname.replace(/\/dashboard\/?$/i, "");

/** For whom the view is shown. */
const reader = (): Open | undefined => (session.value.kind === "open" ? session.value : session.value.was);

export const may = (right: Right): boolean => reader()?.may.includes(right) === true;

/** Who may run templates alone may cancel what they asked for themselves. */
export const mayCancel = (requestedBy: string | undefined): boolean => {
  const id = reader()?.id;
  return may("steer") || (may("cancel") && id !== undefined && id === requestedBy);
};

/** The read key opens jobs, logs and health. */
export const opensAll = (): boolean => reader()?.path === "";

export function signOut(why?: string, was?: Open): void {
  sessionStorage.removeItem(storedKey);
  session.value = { kind: "signed-out", why, was };
}

const away = "The service can't be reached. Check the connection and try again.";
const stillAway = "The service can't be reached. The page keeps trying with the key that this tab has.";
/** Milliseconds between two tries with what the tab kept. */
const retry = 10_000;

/** At the page's start: goes on with what this tab keeps. */
export async function resume(): Promise<void> {
  const key = sessionStorage.getItem(storedKey);
  if (key !== null) return openBy("kept", () => tryKey(key));
  if (signInSettings !== undefined) return openBy("kept", resumePerson);
}

export const openByKey = (key: string): Promise<void> => openBy("given", () => tryKey(key));

async function openBy(what: "kept" | "given", attempt: () => Promise<void>): Promise<void> {
  opening.value = what;
  try {
    await attempt();
  } catch {
    session.value = { kind: "signed-out", why: what === "kept" ? stillAway : away, was: reader() };
    if (what === "kept") setTimeout(() => void again(attempt), retry);
  } finally {
    opening.value = "nothing";
  }
}

/** Until it works, or the reader gives another key. */
async function again(attempt: () => Promise<void>): Promise<void> {
  if (session.value.kind === "open" || session.value.why !== stillAway) return;
  try {
    if (!document.hidden) {
      await attempt();
      return;
    }
  } catch {
    // It is still away.
  }
  setTimeout(() => void again(attempt), retry);
}

const askWhoIAm = (path: Open["path"], headers: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(`${apiBase}/${path}caller`, { headers, cache: "no-store", signal: AbortSignal.timeout(30_000) });

/** First as one of the host's keys, then as the one that only reads. */
async function tryKey(key: string): Promise<void> {
  const headers = { "x-functions-key": key };
  for (const path of ["", "read/"] as const) {
    const response = await askWhoIAm(path, headers);
    // Without the setting READ_KEY there is no such route.
    if ([401, 403, 404].includes(response.status)) continue;
    if (!response.ok) throw new Error(`The service answered ${response.status}.`);
    const caller = (await response.json()) as Reply<"Caller">; // typed by the service's own description
    sessionStorage.setItem(storedKey, key);
    session.value = {
      kind: "open",
      may: caller.may,
      id: undefined,
      name: undefined,
      path,
      headers: () => Promise.resolve(headers),
      over: "The key is no longer accepted. Enter a valid one to go on where you were.",
      leave: () => signOut(),
    };
    return;
  }
  signOut("The key is not accepted.", reader());
}

// ------------------------------------------------------------------------------------------------------------------ Entra ID

export const signInSettings: SignInSettings | undefined = readSettings();

/** With `AUTH_MODE=entra` the service writes them into the page. */
function readSettings(): SignInSettings | undefined {
  const text = document.querySelector<HTMLMetaElement>("meta[name=sign-in]")?.content;
  return text === undefined ? undefined : (JSON.parse(text) as SignInSettings); // the service's own (dashboard.ts)
}

/** What the script that signs people in leaves behind, and what browsers that check addresses of scripts want. */
declare const signInScript: { readonly openSignIn: typeof openSignIn };
type TrustedAddress = (address: string) => string;
interface Checking {
  readonly trustedTypes?: {
    createPolicy(name: string, rules: { createScriptURL: TrustedAddress }): { createScriptURL: TrustedAddress };
  };
}

/** The one address that is trusted. The page's policy lets in what its own script loads, and nothing else. */
const scriptAddress = `${apiBase}/dashboard/signin.js`;
const trusted = (globalThis as Checking).trustedTypes?.createPolicy("sign-in", {
  createScriptURL: () => scriptAddress,
});

let loading: Promise<SignIn> | undefined;

/** The script is loaded only where people sign in. */
function load(settings: SignInSettings): Promise<SignIn> {
  loading ??= loadScript().then(() => signInScript.openSignIn(settings, `${location.origin}${apiBase}/dashboard`));
  loading.catch(() => (loading = undefined));
  return loading;
}

function loadScript(): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = () => resolve();
    script.onerror = () => reject(new Error("The script that signs people in can't be loaded."));
    script.src = trusted?.createScriptURL(scriptAddress) ?? scriptAddress;
    document.head.append(script);
  });
}

async function resumePerson(): Promise<void> {
  if (signInSettings === undefined) return;
  const { person, returnTo, why } = await load(signInSettings);
  if (returnTo !== undefined) replace(returnTo);
  if (person) await openFor(person);
  else signOut(why);
}

async function openFor(person: Person): Promise<void> {
  const headers = async () => {
    const token = await person.token();
    return token === undefined ? undefined : { authorization: `Bearer ${token}` };
  };
  const sent = await headers();
  const response = sent && (await askWhoIAm("", sent));
  if (response === undefined || response.status === 401) {
    signOut(response && "The service does not accept this sign-in.");
    return;
  }
  if (response.status === 403) {
    signOut(`${person.name} may not use this page: an administrator can assign the app role Job.Read.`);
    return;
  }
  if (!response.ok) throw new Error(`The service answered ${response.status}.`);
  const caller = (await response.json()) as Reply<"Caller">; // typed by the service's own description
  session.value = {
    kind: "open",
    may: caller.may,
    id: caller.id,
    name: person.name,
    path: "",
    headers,
    over: "Your sign-in has ended. Sign in again to go on where you were.",
    leave: () => void person.leave(),
  };
}

/** Goes to the tenant's own page, and comes back to this view. */
export const signInPerson = (): Promise<void> =>
  openBy("given", async () => {
    if (signInSettings !== undefined) await (await load(signInSettings)).begin(location.hash);
  });
