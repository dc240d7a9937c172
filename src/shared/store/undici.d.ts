/**
 * The two parts of undici that are used here. The package's own entry loads fetch, WebSocket, caches and mocks as well, which would
 * make the app a fifth larger and each cold start some hundredths of a second longer.
 */
declare module "undici/lib/dispatcher/agent.js" {
  import { Agent } from "undici";
  export default Agent;
}

declare module "undici/lib/core/errors.js" {
  import { errors } from "undici";
  export default errors;
}
