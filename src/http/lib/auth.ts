import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Deps } from "../../shared/deps.ts";
import { entraId, type AppRole } from "../../shared/security/entra.ts";
import type { Secret } from "../../shared/base/errors.ts";
import { handler, refuse } from "./reply.ts";

/**
 * Who gets in. With `AUTH_MODE=key` the Functions host lets in whoever has one of its keys. With `AUTH_MODE=entra` the host lets
 * everybody through to here, where a bearer token of the tenant must grant the door's role.
 */
const guardRoles = {
  /** Submit and Operate imply Read. */
  read: ["Job.Read", "Job.Submit", "Job.Operate"],
  submit: ["Job.Submit"],
  steer: ["Job.Submit", "Job.Operate"],
  operate: ["Job.Operate"],
} as const satisfies Record<string, readonly AppRole[]>;

export type Guard = keyof typeof guardRoles;

/** What `app.http` needs to know of a guarded handler. */
export interface Guarded {
  readonly authLevel: "anonymous" | "function";
  readonly handler: HttpHandler;
}

type OnUnavailable = (request: HttpRequest) => HttpResponseInit | undefined;

const callers = new WeakMap<InvocationContext, string>();

/** The application id of who made a request; known with `AUTH_MODE=entra` only. */
export function callerOf(context: InvocationContext): string | undefined {
  return callers.get(context);
}

/** @param onUnavailable what the guard answers when it can't check a token now; by default a 503 */
export function guards({
  settings,
  log,
  now,
}: Pick<Deps, "settings" | "log" | "now">): (
  guard: Guard,
  handle: HttpHandler,
  onUnavailable?: OnUnavailable,
) => Guarded {
  if (settings.authMode === "key") return (_guard, handle) => ({ authLevel: "function", handler: handle });
  const identify = entraId(settings, now);
  return (guard, handle, onUnavailable) => {
    const check = handler(
      log,
      async (request, context) => {
        const who = await identify(request.headers.get("authorization"));
        if (who.kind === "nobody") return unauthorized({ "www-authenticate": "Bearer" });
        const roles: readonly AppRole[] = guardRoles[guard];
        if (who.kind === "stranger" || !who.roles.some((role) => roles.includes(role))) {
          const message = `Forbidden: the caller needs the app role ${roles.join(" or ")} and, if ENTRA_CALLERS is set, must be listed in it.`;
          return refuse({ code: "Forbidden", message }, context);
        }
        callers.set(context, who.appId);
        return open;
      },
      onUnavailable,
    );
    return {
      authLevel: "anonymous",
      handler: async (request, context) => {
        const reply = await check(request, context);
        return reply === open ? handle(request, context) : reply;
      },
    };
  };
}

/** What a guard returns for a caller that may pass. */
const open: HttpResponseInit = {};

/** A guard for one key of our own, which the host does not know; sent like a key of the host, the header first. */
export function openedBy(key: Secret, handle: HttpHandler): Guarded {
  const expected = digest(key.reveal());
  return {
    authLevel: "anonymous",
    handler: async (request, context) => {
      const shown = request.headers.get("x-functions-key") ?? request.query.get("code") ?? "";
      return timingSafeEqual(digest(shown), expected) ? handle(request, context) : unauthorized({});
    },
  };
}

/** As the host answers: 401 without a body. */
function unauthorized(headers: Readonly<Record<string, string>>): HttpResponseInit {
  return { status: 401, headers: { "cache-control": "no-store", ...headers } };
}

/** Comparing digests hides where two keys differ, and how long they are. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
