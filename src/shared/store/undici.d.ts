/** undici by its parts: the whole has a `fetch`, WebSockets and caches, which would be loaded at each start. */
declare module "undici/lib/dispatcher/agent.js" {
  export { Agent as default } from "undici";
}
declare module "undici/lib/core/errors.js" {
  import { errors } from "undici";
  export = errors;
}
