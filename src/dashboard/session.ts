import { signal } from "@preact/signals";

/**
 * Who the reader is. The key stays in this tab's own store: never in an address, never in a cookie. Which routes accept it says what
 * it may do.
 */
export type Session =
  | { readonly kind: "signed-out"; readonly why: string | undefined }
  | { readonly kind: "open"; readonly key: string; readonly mayChange: boolean };

const storedKey = "key";

export const session = signal<Session>({ kind: "signed-out", why: undefined });
/** Whether a key is being tried. */
export const isOpening = signal(false);

/** The app's address; a gateway may put a path in front of it. */
export const apiBase = location.pathname.replace(/\/dashboard\/?$/i, "");

export const keptKey = (): string | undefined => sessionStorage.getItem(storedKey) ?? undefined;

/** Tries a key: first as one of the host's keys, then as the one that only reads. */
export async function signIn(key: string): Promise<void> {
  isOpening.value = true;
  try {
    for (const mayChange of [true, false]) {
      const response = await fetch(`${apiBase}/${mayChange ? "" : "read/"}jobs?top=1`, {
        headers: { "x-functions-key": key },
        cache: "no-store",
      });
      // Without the setting READ_KEY there is no such route.
      if (response.status === 401 || response.status === 403 || (!mayChange && response.status === 404)) continue;
      sessionStorage.setItem(storedKey, key);
      session.value = { kind: "open", key, mayChange };
      return;
    }
    signOut("The key is not accepted.");
  } catch {
    session.value = { kind: "signed-out", why: "The service can't be reached. Check the connection and try again." };
  } finally {
    isOpening.value = false;
  }
}

export function signOut(why?: string): void {
  sessionStorage.removeItem(storedKey);
  session.value = { kind: "signed-out", why };
}
