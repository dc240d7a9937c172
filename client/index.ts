/** What `aci-proxy/client` exports. */
export { AciProxy, type JobFollowOptions } from "./aci-proxy.ts";
export type * from "./api.ts";
export { AciProxyError, Misuse, Refused, Unreachable } from "./errors.ts";
export { hasEnded } from "./status.ts";
export type { PollResult, SubmitOptions, Submitted } from "./service.ts";
