import type { Deps } from "../shared/deps.ts";
import { handler, json } from "./lib/reply.ts";
import { describeApi } from "./openapi/document.ts";

/** `GET /api/openapi.json`: the calls, as OpenAPI 3.1; made when somebody asks for it. */
export function openapi({ log, settings }: Pick<Deps, "log" | "settings">) {
  return handler(log, () => Promise.resolve(json(200, describeApi(settings.publicUrl))));
}
