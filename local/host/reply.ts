/** What the host answers, and how that goes on the wire. */
import type { ServerResponse } from "node:http";
import type { RpcCookie, RpcHttp } from "./core-api.ts";

export type Answer =
  /** A status and no body: all that the host itself has to say about an app's routes. */
  | { readonly kind: "empty"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "json"; readonly value: unknown }
  /** What the library made of a handler's result. */
  | { readonly kind: "reply"; readonly reply: RpcHttp }
  /** The library wrote it itself. */
  | { readonly kind: "written" };

export function empty(status: number): Answer {
  return { kind: "empty", status };
}

/** Headers of one connection, not of a reply: the host's own server sets them. */
const CONNECTION_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"]);

export function writeAnswer(response: ServerResponse, answer: Answer): void {
  switch (answer.kind) {
    case "empty":
      writeEmpty(response, answer.status, answer.headers ?? {});
      return;
    case "json": {
      const text = JSON.stringify(answer.value);
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      response.end(text);
      return;
    }
    case "reply":
      writeReply(response, answer.reply);
      return;
    case "written":
      return;
  }
}

function writeEmpty(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  if (response.headersSent) {
    // Once a reply has begun only the connection can tell that it failed.
    if (!response.writableEnded) response.destroy();
    return;
  }
  response.writeHead(status, status === 204 ? headers : { ...headers, "content-length": 0 });
  response.end();
}

function writeReply(response: ServerResponse, reply: RpcHttp): void {
  const status = Number(reply.statusCode ?? 200);
  const headers: Record<string, string | number | string[]> = {};
  for (const [name, value] of Object.entries(reply.headers ?? {}))
    if (typeof value === "string" && !CONNECTION_HEADERS.has(name)) headers[name] = value;
  const body = Buffer.from(reply.body?.string ?? reply.body?.bytes ?? "");
  if (status !== 204 && status !== 304) headers["content-length"] = body.length;
  const cookies = reply.cookies ?? [];
  if (cookies.length > 0) headers["set-cookie"] = cookies.map(cookieText);
  response.writeHead(status, headers);
  // A byte as a character: only text goes out in one write with the headers before it.
  response.end(body.toString("latin1"), "latin1");
}

const SAME_SITE = { none: undefined, lax: "Lax", strict: "Strict", explicitNone: "None" } as const;

/** `Set-Cookie` (RFC 6265). */
function cookieText(cookie: RpcCookie): string {
  const expires = cookie.expires?.value?.seconds;
  const attributes = [
    ["Max-Age", cookie.maxAge?.value],
    ["Domain", cookie.domain?.value],
    ["Path", cookie.path?.value],
    ["Expires", expires === undefined ? undefined : new Date(expires * 1000).toUTCString()],
    ["SameSite", cookie.sameSite === undefined ? undefined : SAME_SITE[cookie.sameSite]],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`; ${String(name)}=${String(value)}`]));
  if (cookie.httpOnly?.value === true) attributes.push("; HttpOnly");
  if (cookie.secure?.value === true) attributes.push("; Secure");
  return `${cookie.name ?? ""}=${encodeURIComponent(cookie.value ?? "")}${attributes.join("")}`;
}
