import type { Deps } from "../shared/deps.ts";
import { callerOf, ownTeamsOf, rightsOf } from "./lib/auth.ts";
import { handler, json } from "./lib/reply.ts";
import type { Reply } from "./openapi/replies.ts";

/** `GET /api/caller`: what the caller may do, so that a page offers nothing else. It reads no storage. */
export function caller({ log }: Pick<Deps, "log">) {
  return handler(log, (_request, context) => {
    const id = callerOf(context);
    const teams = ownTeamsOf(context);
    const told: Reply<"Caller"> = {
      ...(id === undefined ? {} : { id }),
      may: [...rightsOf(context)],
      ...(teams === undefined ? {} : { teams: [...teams] }),
    };
    return Promise.resolve(json(200, told));
  });
}
