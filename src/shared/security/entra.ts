import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from "jose";
import { day, second } from "../base/duration.ts";
import { Unavailable } from "../base/errors.ts";
import type { Settings } from "../config/settings.ts";

/** What a caller may do: the app roles of the app registration (infra/app-roles.json). */
export const appRoles = ["Job.Read", "Job.Read.All", "Job.Run", "Job.Submit", "Job.Operate"] as const;
export type AppRole = (typeof appRoles)[number];

export type Identified =
  | {
      readonly kind: "caller";
      readonly appId: string;
      /** The object id of the person for whom the application calls; absent where it calls for itself. */
      readonly userId: string | undefined;
      /** Its application, its object, and the groups that the token names, in lower case. */
      readonly ids: readonly string[];
      readonly roles: readonly AppRole[];
    }
  /** No token, or one that can't be trusted. */
  | { readonly kind: "nobody" }
  /** A good token of somebody who is not on the list of callers. */
  | { readonly kind: "stranger" };

export type EntraSettings = Pick<
  Settings,
  "entraTenant" | "entraAudiences" | "entraCallers" | "entraPageClient" | "entraAuthority"
>;

/** Clocks may differ by this much. */
const tolerance = "60 seconds";
const keysTime = day;

/**
 * Reads from a bearer token of Microsoft Entra ID who calls. Signature, issuer, tenant, audience and times are checked here;
 * headers that the platform adds are not trusted. Both token versions are taken ("Access tokens in the Microsoft identity platform": the
 * caller is `appid` in version 1.0 and `azp` in 2.0, app roles are in `roles`).
 *
 * @returns a function that throws {@link Unavailable} when the tenant's keys can't be read
 */
export function entraId(
  { entraTenant: tenant, entraAudiences, entraCallers, entraPageClient, entraAuthority }: EntraSettings,
  now: () => number,
): (authorization: string | null) => Promise<Identified> {
  if (tenant === undefined || entraAuthority === undefined || entraAudiences.length === 0)
    return () => Promise.resolve({ kind: "nobody" });
  const keys = createRemoteJWKSet(new URL(`${entraAuthority}/${tenant}/discovery/v2.0/keys`), {
    cacheMaxAge: keysTime,
    timeoutDuration: 5 * second,
  });
  const allowed = new Set([...entraCallers.map((id) => id.toLowerCase()), entraPageClient]);
  return async (authorization) => {
    const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization?.trim() ?? "")?.[1];
    if (token === undefined) return { kind: "nobody" };
    const claims = await claimsOf(() =>
      jwtVerify(token, keys, {
        issuer: [`${entraAuthority}/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`],
        audience: [...entraAudiences],
        algorithms: ["RS256"],
        clockTolerance: tolerance,
        currentDate: new Date(now()),
        requiredClaims: ["exp"],
      }),
    );
    if (claims === undefined || claims["tid"] !== tenant) return { kind: "nobody" };
    const appId = claims["appid"] ?? claims["azp"];
    if (typeof appId !== "string" || !/^[0-9a-f-]{36}$/i.test(appId)) return { kind: "nobody" };
    if (!allowed.has("*") && !allowed.has(appId.toLowerCase())) return { kind: "stranger" };
    const roles: unknown = claims["roles"];
    return {
      kind: "caller",
      appId,
      userId: userOf(claims),
      ids: idsOf(appId, claims),
      roles: appRoles.filter((role) => Array.isArray(roles) && roles.includes(role)),
    };
  };
}

/** Only a token that a person asked for has scopes ("Access token claims reference", `scp`). */
function userOf({ scp, oid }: JWTPayload): string | undefined {
  return typeof scp === "string" && typeof oid === "string" && /^[0-9a-f-]{36}$/i.test(oid) ? oid : undefined;
}

/** A token of somebody in more than 200 groups names no group ("Configure group claims", overage). */
function idsOf(appId: string, { oid, groups }: JWTPayload): readonly string[] {
  const named: unknown[] = Array.isArray(groups) ? groups : [];
  return [appId, oid, ...named].filter((id) => typeof id === "string").map((id) => id.toLowerCase());
}

/** Why the keys could not be read; anything else that jose throws is the token's fault. */
const keyTrouble = new Set(["ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID", "ERR_JOSE_GENERIC"]);

async function claimsOf(verify: () => Promise<{ payload: JWTPayload }>): Promise<JWTPayload | undefined> {
  try {
    return (await verify()).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError && !keyTrouble.has(error.code)) return undefined;
    throw new Unavailable("identity", "The tenant's signing keys can't be read.", { cause: error });
  }
}
