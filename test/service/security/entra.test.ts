import { HttpRequest, InvocationContext, type HttpResponseInit } from "@azure/functions";
import { generateKeyPair, SignJWT, type CryptoKey } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { callerOf, guards, openedBy, type Guard } from "../../../src/http/lib/auth.ts";
import { json } from "../../../src/http/lib/reply.ts";
import { Secret } from "../../../src/shared/base/errors.ts";
import { audience, claimsOf, startAuthority, tenant, type Authority, type Claims } from "../../kit/authority.ts";
import { settings } from "../../kit/kit.ts";

const app = "11111111-aaaa-bbbb-cccc-000000000001";
const stranger = "11111111-aaaa-bbbb-cccc-000000000002";
const now = Date.UTC(2026, 10, 24, 8);

let authority: Authority;
let foreign: CryptoKey;
beforeAll(async () => {
  authority = await startAuthority();
  foreign = (await generateKeyPair("RS256")).privateKey;
});
afterAll(() => authority.stop());
beforeEach(() => (authority.up = true));

const claims = (changes: Claims = {}): Claims => ({ ...claimsOf(app, "Job.Read", now), ...changes });

const entra = (more: Record<string, string> = {}) =>
  settings({
    AUTH_MODE: "entra",
    ENTRA_TENANT_ID: tenant,
    ENTRA_AUDIENCE: `${audience},22222222-0000-0000-0000-000000000000`,
    ENTRA_AUTHORITY: authority.url,
    ...more,
  });

/** What a door answers to a request with those headers. */
async function knock(
  door: Guard,
  headers: Record<string, string>,
  by = entra(),
  onUnavailable?: () => HttpResponseInit,
): Promise<{ status: number; body: unknown; headers: Headers; caller: string | undefined }> {
  const allow = guards({ settings: by, log: () => undefined, now: () => now });
  const guarded = allow(
    door,
    (_request, context) => Promise.resolve(json(200, { caller: callerOf(context) ?? null })),
    onUnavailable,
  );
  const request = new HttpRequest({ method: "GET", url: "http://localhost/api/jobs", headers });
  const given = await guarded.handler(request, new InvocationContext());
  const response = new Response(given.body as string | undefined, given); // JSON text, or nothing
  const text = await response.text();
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  const caller = typeof body === "object" && body !== null && "caller" in body ? String(body.caller) : undefined;
  return { status: response.status, body, headers: response.headers, caller };
}

const bearer = async (changes: Claims = {}, key?: CryptoKey, kid?: string): Promise<Record<string, string>> => ({
  authorization: `Bearer ${await authority.sign(claims(changes), key, kid)}`,
});

describe("with AUTH_MODE=entra a bearer token takes the key's place", () => {
  test("the host lets everybody through to the app, which asks for the token", () => {
    expect(guards({ settings: entra(), log: () => undefined, now: () => now })("read", () => ({})).authLevel).toBe(
      "anonymous",
    );
    expect(guards({ settings: settings(), log: () => undefined, now: () => now })("read", () => ({})).authLevel).toBe(
      "function",
    );
  });

  test.each<[string, Claims]>([
    ["version 1.0", {}],
    ["version 2.0", { iss: "", appid: undefined, azp: app, aud: "22222222-0000-0000-0000-000000000000" }],
  ])("a token of %s is taken, and its application is the caller", async (_, changes) => {
    const issued = changes["iss"] === "" ? { ...changes, iss: `${authority.url}/${tenant}/v2.0` } : changes;
    expect(await knock("read", await bearer(issued))).toMatchObject({ status: 200, caller: app });
  });

  test.each<[string, () => Promise<Record<string, string>>]>([
    ["no token", () => Promise.resolve({})],
    ["a function key", () => Promise.resolve({ "x-functions-key": "local" })],
    [
      "the platform's header alone",
      () => Promise.resolve({ "x-ms-client-principal": btoa('{"claims":[]}'), "x-ms-client-principal-id": app }),
    ],
    ["no JWT", () => Promise.resolve({ authorization: "Bearer abc" })],
    ["Basic credentials", () => Promise.resolve({ authorization: "Basic dTpw" })],
    ["another's signature", () => bearer({}, foreign)],
    ["an unknown key id", () => bearer({}, undefined, "k2")],
    ["another audience", () => bearer({ aud: "https://management.azure.com" })],
    ["another issuer", () => bearer({ iss: "https://sts.windows.net/00000000-0000-0000-0000-000000000000/" })],
    ["another tenant", () => bearer({ tid: "00000000-0000-0000-0000-000000000000" })],
    ["a time that is over", () => bearer({ exp: now / 1000 - 120 })],
    ["a time to come", () => bearer({ nbf: now / 1000 + 120 })],
    ["no end", () => bearer({ exp: undefined })],
    ["no application", () => bearer({ appid: undefined })],
    [
      "no signature at all",
      async () => {
        const [, payload = ""] = (await authority.sign(claims())).split(".");
        return { authorization: `Bearer ${btoa('{"alg":"none"}').replace(/=/g, "")}.${payload}.` };
      },
    ],
    [
      "a signature by the public key as if it were a shared one",
      async () => {
        const token = await new SignJWT({ ...claims() })
          .setProtectedHeader({ alg: "HS256", kid: "k1" })
          .sign(Buffer.alloc(32));
        return { authorization: `Bearer ${token}` };
      },
    ],
  ])("%s is a 401 without a body", async (_, headers) => {
    const reply = await knock("read", await headers());
    expect(reply).toMatchObject({ status: 401, body: undefined });
    expect(reply.headers.get("www-authenticate")).toBe("Bearer");
  });

  test.each<[Guard, string, number]>([
    ["read", "Job.Read", 200],
    ["read", "Job.Submit", 200],
    ["read", "Job.Operate", 200],
    ["submit", "Job.Submit", 200],
    ["submit", "Job.Read", 403],
    ["submit", "Job.Operate", 403],
    ["steer", "Job.Submit", 200],
    ["steer", "Job.Operate", 200],
    ["steer", "Job.Read", 403],
    ["operate", "Job.Operate", 200],
    ["operate", "Job.Submit", 403],
    ["operate", "Job.Read", 403],
    ["read", "Something.Else", 403],
  ])("the door %s answers %s with %s", async (door, role, status) => {
    expect(await knock(door, await bearer({ roles: [role] }))).toMatchObject({ status });
  });

  test.each<Claims>([{ roles: undefined }, { roles: "Job.Read" }, { roles: [] }])(
    "%j grants nothing",
    async (roles) => {
      expect(await knock("read", await bearer(roles))).toMatchObject({ status: 403, body: { code: "Forbidden" } });
    },
  );

  test("with a list of callers nobody else gets in, whatever role they have", async () => {
    const by = entra({ ENTRA_CALLERS: app.toUpperCase() });
    expect(await knock("read", await bearer(), by)).toMatchObject({ status: 200 });
    expect(await knock("read", await bearer({ appid: stranger }), by)).toMatchObject({ status: 403 });
  });

  test("without tenant and audience nobody gets in", async () => {
    const by = settings({ AUTH_MODE: "entra" });
    expect(by.faults.join(" ")).toContain("ENTRA_TENANT_ID");
    expect(await knock("read", await bearer(), by)).toMatchObject({ status: 401 });
  });

  test("keys that can't be read are our failure: a 503, or what the route says, and never a way in", async () => {
    authority.up = false;
    expect(await knock("read", await bearer())).toMatchObject({ status: 503 });
    expect(await knock("read", await bearer(), entra(), () => json(202, { state: "Unknown" }))).toMatchObject({
      status: 202,
    });
  });

  test("the keys are asked for once, not with each request", async () => {
    const allow = guards({ settings: entra(), log: () => undefined, now: () => now });
    const { handler } = allow("read", () => json(200, {}));
    const before = authority.asked();
    for (let n = 0; n < 5; n++) {
      const request = new HttpRequest({ method: "GET", url: "http://localhost/", headers: await bearer() });
      expect(await handler(request, new InvocationContext())).toMatchObject({ status: 200 });
    }
    expect(authority.asked()).toBe(before + 1);
  });
});

describe("READ_KEY opens routes of its own", () => {
  const key = "a-key-for-dashboards";
  const { authLevel, handler } = openedBy(new Secret(key), () => json(200, {}));
  const answer = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
    handler(new HttpRequest({ method: "GET", url: `http://localhost${path}`, headers }), new InvocationContext());

  test("shown in the header or in the address", async () => {
    expect(authLevel).toBe("anonymous");
    expect(await answer("/", { "x-functions-key": key })).toMatchObject({ status: 200 });
    expect(await answer(`/?code=${key}`)).toMatchObject({ status: 200 });
  });

  test.each<[string, Record<string, string>]>([
    ["/", {}],
    ["/?code=", {}],
    [`/?code=${key}x`, {}],
    [`/?code=${key}`, { "x-functions-key": "wrong" }],
    ["/", { "x-functions-key": `${key} `.trim().slice(1) }],
  ])("%s with %j is a 401 without a body", async (path, headers) => {
    const reply = await answer(path, headers);
    expect(reply).toMatchObject({ status: 401 });
    expect(reply).not.toHaveProperty("body");
  });

  test("a short key is a fault of the settings", () => {
    expect(settings({ READ_KEY: "short" }).faults).toEqual(["READ_KEY must have at least 16 characters."]);
  });

  test("the key is in no printed settings", () => {
    expect(JSON.stringify(settings({ READ_KEY: key }))).not.toContain(key);
  });
});
