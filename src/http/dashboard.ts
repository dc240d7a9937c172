import { readFile } from "node:fs/promises";
import type { Log } from "../shared/base/log.ts";
import { handler } from "./lib/reply.ts";

/**
 * `GET /api/dashboard`: the ops page. The page is anonymous and empty; its data calls need the key. No inline script, nothing from
 * elsewhere.
 */
const assets = {
  "": { file: "index.html", type: "text/html; charset=utf-8" },
  "style.css": { file: "style.css", type: "text/css; charset=utf-8" },
  "app.js": { file: "app.js", type: "text/javascript; charset=utf-8" },
} as const;

const folder = new URL("./dashboard/", import.meta.url);

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function dashboard({ log }: { readonly log: Log }) {
  return handler(log, async (request) => {
    const asset = Object.entries(assets).find(([name]) => name === (request.params["asset"] ?? ""))?.[1];
    if (asset === undefined) return { status: 404 };
    return {
      status: 200,
      body: await readFile(new URL(asset.file, folder)),
      headers: {
        "content-type": asset.type,
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
      },
    };
  });
}
