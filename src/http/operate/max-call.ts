import { second } from "../../shared/base/duration.ts";

/** A caller waits no longer; work that takes more is answered with what is done so far, and goes on. */
export const maxCall = 20 * second;
