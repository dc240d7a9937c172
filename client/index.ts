/** What `aci-proxy/client` exports. */
export { AciProxy, type JobFollowOptions } from "./aci-proxy.ts";
export { Misuse, Refused, Unreachable, type LocatedFault } from "./errors.ts";
export { hasEnded, type Accepted, type Job, type JobRecord, type Status } from "./replies.ts";
