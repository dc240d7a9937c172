import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { safePost } from "../../../src/shared/security/safe-post.ts";
import { serve } from "../../kit/serve.ts";

interface Listening {
  readonly url: string;
  readonly received: { method: string; path: string; body: string; type: string | undefined }[];
}

/** A server on this machine that gives this answer, and with more than anybody should wait for. */
async function listen(status: number, headers: Record<string, string> = {}): Promise<Listening> {
  const received: Listening["received"] = [];
  const port = await serve((request, response) => {
    void text(request).then((body) => {
      received.push({
        method: request.method ?? "",
        path: request.url ?? "",
        body,
        type: request.headers["content-type"],
      });
      response.writeHead(status, headers);
      response.write("an answer that does not end");
    });
  });
  return { url: `http://localhost:${port}`, received };
}

test("a callback is one POST of JSON, and its answer's status is returned without reading the rest", async () => {
  const { url, received } = await listen(200);
  expect(await safePost(["localhost"])(`${url}/callback?token=1`, '{"StatusCode":"200"}')).toBe(200);
  expect(received).toEqual([
    { method: "POST", path: "/callback?token=1", body: '{"StatusCode":"200"}', type: "application/json" },
  ]);
});

test("a redirect is an answer, and is not followed", async () => {
  const target = await listen(200);
  const { url } = await listen(307, { location: target.url });
  expect(await safePost(["localhost"])(url, "{}")).toBe(307);
  expect(target.received).toEqual([]);
});

test("this machine is called only where the list allows it", async () => {
  const { url, received } = await listen(200);
  await expect(safePost(["*.azure.com"])(url, "{}")).rejects.toThrow("not on an allowed host");
  expect(received).toEqual([]);
});
