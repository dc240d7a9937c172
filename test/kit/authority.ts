/** Stands where Microsoft Entra ID stands: publishes a tenant's signing key on this machine, and signs tokens with it. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from "jose";

export const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
export const audience = "api://aci-proxy";

export type Claims = Readonly<Record<string, unknown>>;

export interface Authority {
  readonly url: string;
  /** While false it answers 503. */
  up: boolean;
  /** How often its keys were asked for. */
  asked(): number;
  /** A token that says just that. */
  sign(claims: Claims, key?: CryptoKey, kid?: string): Promise<string>;
  stop(): void;
}

/** The claims of an application's token, version 1.0, good for an hour. */
export function claimsOf(appId: string, role: string, now: number): Claims {
  return {
    iss: `https://sts.windows.net/${tenant}/`,
    aud: audience,
    tid: tenant,
    appid: appId,
    roles: [role],
    nbf: now / 1000 - 60,
    exp: now / 1000 + 3600,
  };
}

/** What an authority has beside its keys. */
export interface Beside {
  readonly certificate: { readonly key: string; readonly cert: string };
  answer(authority: Authority, request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export async function startAuthority(beside?: Beside): Promise<Authority> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", use: "sig", alg: "RS256" }] };
  let asked = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (beside && !request.url?.endsWith("/keys")) {
      beside.answer(authority, request, response).catch(() => response.destroy());
      return;
    }
    asked++;
    const right = request.url === `/${tenant}/discovery/v2.0/keys` && authority.up;
    response.writeHead(right ? 200 : 503, { "content-type": "application/json" });
    response.end(JSON.stringify(right ? keys : {}));
  };
  const server = beside ? createSecureServer(beside.certificate, answer) : createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const authority: Authority = {
    url: `${beside ? "https://localhost" : "http://127.0.0.1"}:${(server.address() as AddressInfo).port}`, // a server that listens on TCP has one
    up: true,
    asked: () => asked,
    sign: (claims, key = privateKey, kid = "k1") =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: "RS256", kid }).sign(key),
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
  return authority;
}
