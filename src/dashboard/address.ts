import { computed, signal } from "@preact/signals";
import { readRoute } from "./logic/route.ts";

/** Which view is open, from the address. */
const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export const route = computed(() => readRoute(hash.value));

export function go(address: string): void {
  location.hash = address.slice(1);
}

/** As `go`, without a new entry to go back to. */
export function replace(address: string): void {
  history.replaceState(null, "", address);
  hash.value = address;
}
