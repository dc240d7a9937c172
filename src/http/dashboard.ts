import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Deps } from "../shared/deps.ts";
import { handler } from "./lib/reply.ts";

/**
 * `GET /api/dashboard`: the operators' page. It is anonymous and empty; its data calls need the key, or a person's token. It is one
 * file, whose policy allows exactly the script and the style that the build put into it, and calls to this service. Where people sign
 * in, that script may load one more, `GET /api/dashboard/signin.js`, and call the tenant's authority.
 */
type PageDeps = Pick<Deps, "log"> & {
  readonly settings: Pick<
    Deps["settings"],
    "authMode" | "entraAuthority" | "entraTenant" | "entraAudiences" | "entraPageClient"
  >;
};

const folder = new URL("./dashboard/", import.meta.url);
const file = (name: string): Promise<Buffer> => readFile(new URL(name, folder));
const zipped = promisify(gzip);

export function dashboard({ log, settings }: PageDeps) {
  const signIn = signInOf(settings);
  return handler(log, async (request) => {
    const isZipped = takesZipped(request);
    const policy = await readFile(new URL("policy.txt", folder), "utf8");
    if (signIn === undefined)
      return reply(await file(isZipped ? "index.html.gz" : "index.html"), isZipped, "text/html", policy);
    const settings = `<meta name="sign-in" content="${attribute(JSON.stringify(signIn))}">`;
    const page = Buffer.from((await file("index.html")).toString("utf8").replace("<!-- sign-in -->", () => settings));
    const wider = policy
      .replace(/(script-src [^;]+)/, "$1 'strict-dynamic'")
      .replace("connect-src 'self'", `connect-src 'self' ${new URL(signIn.authority).origin}`);
    return reply(isZipped ? await zipped(page) : page, isZipped, "text/html", wider);
  });
}

/** The script that signs people in; nothing where nobody does. */
export function signInScript({ log, settings }: PageDeps) {
  const signIn = signInOf(settings);
  return handler(log, async (request) => {
    if (signIn === undefined) return { status: 404 };
    const isZipped = takesZipped(request);
    return reply(await file(isZipped ? "signin.js.gz" : "signin.js"), isZipped, "text/javascript");
  });
}

/** What the page needs to know of the tenant: nothing that is secret. */
function signInOf({ authMode, entraAuthority, entraTenant, entraAudiences, entraPageClient }: PageDeps["settings"]) {
  const [audience] = entraAudiences;
  if (authMode !== "entra" || entraPageClient === undefined || audience === undefined) return undefined;
  if (entraAuthority === undefined || entraTenant === undefined) return undefined;
  return {
    authority: `${entraAuthority}/${entraTenant}`,
    clientId: entraPageClient,
    scope: `${audience}/.default`,
  };
}

function takesZipped(request: HttpRequest): boolean {
  return /\bgzip\b/i.test(request.headers.get("accept-encoding") ?? "");
}

function reply(body: Buffer, isZipped: boolean, type: string, policy?: string): HttpResponseInit {
  return {
    status: 200,
    body,
    headers: {
      "content-type": `${type}; charset=utf-8`,
      ...(isZipped ? { "content-encoding": "gzip" } : {}),
      vary: "accept-encoding",
      ...(policy === undefined ? {} : { "content-security-policy": policy }),
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
    },
  };
}

function attribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
