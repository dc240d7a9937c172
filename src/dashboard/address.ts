import { computed, signal } from "@preact/signals";
import { readRoute } from "./logic/route.ts";

/** Which view is open, from the address. */
const hash = signal(location.hash);
/** How far down this entry of the browser's history was scrolled when it was left, and the address that was left for it. */
let arrival = { y: 0, from: "" };
export const arrived = (): typeof arrival => arrival;

addEventListener("hashchange", ({ oldURL }) => {
  clearTimeout(noting);
  arrival = { y: placeIn(history.state), from: new URL(oldURL).hash };
  hash.value = location.hash;
});

let noting: ReturnType<typeof setTimeout> | undefined;
const note = (): void => {
  // Between a step back and its event the entry is another view's already.
  if (location.hash === hash.peek()) history.replaceState({ y: scrollY }, "");
};
// A link is followed after the click; the browser's own buttons give no sign.
addEventListener("click", note, true);
addEventListener("scroll", () => (clearTimeout(noting), (noting = setTimeout(note, 150))), { passive: true });

function placeIn(state: unknown): number {
  return typeof state === "object" && state !== null && "y" in state && typeof state.y === "number" ? state.y : 0;
}

export const route = computed(() => readRoute(hash.value));

/** Where what had the focus is gone, it goes on at the view's beginning. */
export function toMain(event?: Event): void {
  event?.preventDefault();
  document.getElementById("main")?.focus({ preventScroll: true });
}

export function go(address: string): void {
  location.hash = address.slice(1);
}

/** As `go`, without a new entry to go back to. */
export function replace(address: string): void {
  history.replaceState(history.state, "", address);
  hash.value = address;
}
