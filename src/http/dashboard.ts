import { readFile } from "node:fs/promises";
import type { Log } from "../shared/base/log.ts";
import { handler } from "./lib/reply.ts";

/**
 * `GET /api/dashboard`: the operators' page. It is anonymous and empty; its data calls need the key. It is one file, whose policy
 * allows exactly the script and the style that the build put into it, and calls to this service.
 */
const folder = new URL("./dashboard/", import.meta.url);

export function dashboard({ log }: { readonly log: Log }) {
  return handler(log, async (request) => {
    const isZipped = /\bgzip\b/i.test(request.headers.get("accept-encoding") ?? "");
    const [body, policy] = await Promise.all([
      readFile(new URL(isZipped ? "index.html.gz" : "index.html", folder)),
      readFile(new URL("policy.txt", folder), "utf8"),
    ]);
    return {
      status: 200,
      body,
      headers: {
        "content-type": "text/html; charset=utf-8",
        ...(isZipped ? { "content-encoding": "gzip" } : {}),
        vary: "accept-encoding",
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
      },
    };
  });
}
