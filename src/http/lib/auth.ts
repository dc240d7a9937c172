import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Deps } from "../../shared/deps.ts";
import { teamsOf } from "../../shared/intake/team.ts";
import { entraId, type AppRole } from "../../shared/security/entra.ts";
import type { Secret } from "../../shared/base/errors.ts";
import { handler, refuse } from "./reply.ts";

/**
 * Who gets in. With `AUTH_MODE=key` the Functions host lets in whoever has one of its keys. With `AUTH_MODE=entra` the host lets
 * everybody through to here, where a bearer token of the tenant must grant the door's role.
 */
const guardRoles = {
  /** Every other role implies Read. */
  read: ["Job.Read", "Job.Read.All", "Job.Run", "Job.Submit", "Job.Operate"],
  /** With Job.Run alone, templates only. */
  submit: ["Job.Run", "Job.Submit"],
  /** With Job.Run alone, the caller's own jobs only. */
  cancel: ["Job.Run", "Job.Submit", "Job.Operate"],
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

interface Caller {
  /** Absent where a key opened: the platform does not say whose it is. */
  readonly id?: string;
  readonly may: readonly Guard[];
  /** The teams that its token belongs to, where teams guard. */
  readonly teams?: readonly string[];
  /** The teams whose jobs it sees, and steers; absent for every team's. */
  readonly sees?: readonly string[];
  readonly steers?: readonly string[];
}

/** Whoever has a key of the host may do everything. */
const keyHolder: Caller = { may: ["read", "submit", "cancel", "steer", "operate"] };
const keyReader: Caller = { may: ["read"] };
const callers = new WeakMap<InvocationContext, Caller>();

/** Who made a request: a person's object id, else an application's id; known with `AUTH_MODE=entra` only. */
export function callerOf(context: InvocationContext): string | undefined {
  return callers.get(context)?.id;
}

/** The teams that a caller's token belongs to, where teams guard. */
export function ownTeamsOf(context: InvocationContext): readonly string[] | undefined {
  return callers.get(context)?.teams;
}

/** The teams whose jobs a caller sees, or steers; `undefined` for every team's. Asked by `visible.ts` alone. */
export function openTeamsOf(context: InvocationContext, what: "sees" | "steers"): readonly string[] | undefined {
  return callers.get(context)?.[what];
}

/** True for a caller who may run templates and not steer other jobs. A key of the host allows everything. */
export function runsTemplatesOnly(context: InvocationContext): boolean {
  return !rightsOf(context).includes("steer");
}

/** Which guards let the caller of a request pass. Whatever several callers share is shared among those alone who may do the same. */
export function rightsOf(context: InvocationContext): readonly Guard[] {
  return (callers.get(context) ?? keyHolder).may;
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
        if (who.kind === "stranger" || !mayPass(who.roles, guard)) {
          const message = `Forbidden: the caller needs the app role ${guardRoles[guard].join(" or ")} and, if ENTRA_CALLERS is set, must be listed in it.`;
          return refuse({ code: "Forbidden", message }, context);
        }
        const may = keyHolder.may.filter((each) => mayPass(who.roles, each));
        callers.set(context, { id: who.userId ?? who.appId, may, ...limitsOf(who.ids, who.roles, settings) });
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

/** Who reads everything steers its own team's jobs all the same; an operator steers all. */
function limitsOf(
  ids: readonly string[],
  roles: readonly AppRole[],
  settings: Deps["settings"],
): Pick<Caller, "teams" | "sees" | "steers"> {
  if (!settings.teamsGuard) return {};
  const teams = teamsOf(ids, settings);
  if (roles.includes("Job.Operate")) return { teams };
  return roles.includes("Job.Read.All") ? { teams, steers: teams } : { teams, steers: teams, sees: teams };
}

function mayPass(roles: readonly AppRole[], guard: Guard): boolean {
  const wanted: readonly AppRole[] = guardRoles[guard];
  return roles.some((role) => wanted.includes(role));
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
      if (!timingSafeEqual(digest(shown), expected)) return unauthorized({});
      callers.set(context, keyReader);
      return handle(request, context);
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
