/** A tenant where people sign in: discovery, authorize (code flow with PKCE), token and logout, over TLS on this machine. */
import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { audience, startAuthority, tenant, type Authority } from "./authority.ts";

export const pageClient = "99999999-aaaa-bbbb-cccc-000000000009";

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
}

export interface SignInAuthority {
  readonly authority: Authority;
  /** The file of its certificate, for who is to trust it. */
  readonly certificate: string;
  /** While false a refresh token is refused. */
  renews: boolean;
  /** How often a token was renewed. */
  renewals(): number;
  /** Addresses that people are sent back to. */
  readonly redirects: string[];
}

/** No program of Node makes a certificate. */
function madeCertificate(): { readonly file: string; readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const files = ["-keyout", key, "-out", cert];
  execFileSync("openssl", ["req", "-x509", ...kind, ...files, "-subj", "/CN=localhost", "-addext", names], {
    stdio: "ignore",
  });
  return { file: cert, key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

interface Grant {
  readonly person: Person;
  readonly nonce: string;
  readonly challenge: string;
  readonly redirect: string;
}

export async function startSignIn(people: readonly Person[]): Promise<SignInAuthority> {
  const { file, ...certificate } = madeCertificate();
  const grants = new Map<string, Grant>();
  const refreshes = new Map<string, Person>();
  let renewals = 0;

  async function answer(authority: Authority, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", authority.url);
    const base = `${authority.url}/${tenant}`;
    const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
    const json = (status: number, body: object): void => {
      response.writeHead(status, { ...headers, "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (request.method === "OPTIONS") {
      response.writeHead(204, headers).end();
      return;
    }
    switch (url.pathname.replace(`/${tenant}`, "")) {
      case "/v2.0/.well-known/openid-configuration":
        json(200, {
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          end_session_endpoint: `${base}/oauth2/v2.0/logout`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
        });
        return;
      case "/oauth2/v2.0/authorize":
        authorize(url.searchParams, response);
        return;
      case "/oauth2/v2.0/token":
        json(...(await token(authority, new URLSearchParams(await text(request)))));
        return;
      case "/oauth2/v2.0/logout":
        response.writeHead(302, { location: url.searchParams.get("post_logout_redirect_uri") ?? "/" }).end();
        return;
      default:
        json(404, {});
    }
  }

  /** A page with a link for each person, and one for who changes their mind. */
  function authorize(query: URLSearchParams, response: ServerResponse): void {
    const redirect = query.get("redirect_uri") ?? "";
    const right =
      query.get("client_id") === pageClient &&
      query.get("response_type") === "code" &&
      query.get("response_mode") === "fragment" &&
      query.get("code_challenge_method") === "S256" &&
      query.get("scope")?.split(" ").includes(`${audience}/.default`);
    if (!right) {
      response.writeHead(400).end("The request is wrong.");
      return;
    }
    signIn.redirects.push(redirect);
    const back = (values: Record<string, string>): string => {
      const fragment = new URLSearchParams({ ...values, state: query.get("state") ?? "" });
      return `${redirect}#${fragment.toString().replaceAll("&", "&amp;")}`;
    };
    const links = people.map((person) => {
      const code = randomUUID();
      const [nonce, challenge] = [query.get("nonce") ?? "", query.get("code_challenge") ?? ""];
      grants.set(code, { person, nonce, challenge, redirect });
      return `<a href="${back({ code })}">${person.name}</a>`;
    });
    const refused = back({ error: "access_denied", error_description: "The person changed their mind." });
    response.writeHead(200, { "content-type": "text/html" });
    response.end(
      `<link rel="icon" href="data:,"><h1>Who are you?</h1>${links.join(" ")} <a href="${refused}">Nobody at all</a>`,
    );
  }

  async function token(authority: Authority, form: URLSearchParams): Promise<[number, object]> {
    const refused: [number, object] = [400, { error: "invalid_grant", error_description: "Not valid, or not now." }];
    if (form.get("client_id") !== pageClient) return refused;
    if (form.get("grant_type") === "refresh_token") {
      const person = refreshes.get(form.get("refresh_token") ?? "");
      if (person === undefined || !signIn.renews) return refused;
      renewals++;
      return [200, await tokensFor(authority, person, undefined)];
    }
    const code = form.get("code") ?? "";
    const grant = grants.get(code);
    grants.delete(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (grant?.challenge !== challenge || grant.redirect !== form.get("redirect_uri")) return refused;
    return [200, await tokensFor(authority, grant.person, grant.nonce)];
  }

  /** Good for an hour, but said to be so short of their end that the page renews them for every call. */
  async function tokensFor(authority: Authority, { id, name, roles }: Person, nonce: string | undefined) {
    const now = Math.floor(Date.now() / 1000);
    const both = { iss: `${authority.url}/${tenant}/v2.0`, tid: tenant, oid: id, sub: id, ver: "2.0" };
    const times = { iat: now, nbf: now - 60, exp: now + 3600 };
    const refresh = randomUUID();
    refreshes.set(refresh, { id, name, roles });
    const access = { ...both, ...times, aud: audience, azp: pageClient, scp: "access", roles };
    const identity = { ...both, ...times, aud: pageClient, nonce, name, preferred_username: `${name}@example.org` };
    return {
      token_type: "Bearer",
      scope: `${audience}/.default openid profile offline_access`,
      expires_in: 60,
      access_token: await authority.sign(access),
      id_token: await authority.sign(identity),
      refresh_token: refresh,
      client_info: Buffer.from(JSON.stringify({ uid: id, utid: tenant })).toString("base64url"),
    };
  }

  const signIn: SignInAuthority = {
    authority: await startAuthority({ certificate, answer }),
    certificate: file,
    renews: true,
    renewals: () => renewals,
    redirects: [],
  };
  return signIn;
}
