import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { second } from "../../src/shared/base/duration.ts";
import { Aci } from "../../src/shared/aci/client.ts";
import type { ArmRemaining } from "../../src/shared/limits/windows.ts";
import { installationTag, target, start } from "../kit/kit.ts";

/** An ARM that gives this answer each time, and records what it was asked. */
async function arm(
  answer: (response: ServerResponse) => void,
  now: () => number = () => start,
): Promise<{ aci: Aci; asked: string[]; remaining: ArmRemaining[] }> {
  const asked: string[] = [];
  const remaining: ArmRemaining[] = [];
  const server = createServer((request, response) => {
    asked.push(request.method ?? "");
    request.resume();
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const credential = { getToken: () => Promise.reject(new Error("A loopback wants no token.")) };
  const endpoint = `http://127.0.0.1:${port}`;
  const limits = (told: ArmRemaining): unknown => remaining.push(told);
  const aci = new Aci({ endpoint, credential, tag: installationTag, now, limits });
  return { aci, asked, remaining };
}

const error = (status: number) => (response: ServerResponse) =>
  response
    .writeHead(status, { "retry-after": "1", "content-type": "application/json" })
    .end(JSON.stringify({ error: { code: "Trouble", message: "Not now." } }));

describe("what changes something in ACI is sent once, whatever the answer: only an observation may show whether it was done", () => {
  const answers: readonly [string, (response: ServerResponse) => void][] = [
    ["429", error(429)],
    ["500", error(500)],
    ["502", error(502)],
    ["503", error(503)],
    ["504", error(504)],
    ["a connection that is cut", (response) => response.socket?.destroy()],
  ];

  it.each(answers)("%s", async (_, answer) => {
    const { aci, asked } = await arm(answer);
    await aci.create(target, "job", "2023-05-01", { location: "westeurope" }, (text) => text);
    await aci.remove(target, "job");
    await aci.stop(target, "job");
    expect(asked).toEqual(["PUT", "DELETE", "POST"]);
  });

  it("a failed observation is not repeated at once: the next one comes when the job's pace says so", async () => {
    const { aci, asked } = await arm(error(503));
    expect(await aci.observe(target, "job")).toMatchObject({ group: "unknown" });
    expect(asked).toEqual(["GET"]);
  });
});

describe("what ARM says is left of its limits", () => {
  it.each([
    [{ "x-ms-ratelimit-remaining-subscription-reads": "17" }, 17],
    [{ "x-ms-ratelimit-remaining-subscription-global-reads": "3749" }, 3749],
    [
      {
        "x-ms-ratelimit-remaining-subscription-reads": "249",
        "x-ms-ratelimit-remaining-subscription-global-reads": "5",
      },
      5,
    ],
    [{ "x-ms-ratelimit-remaining-subscription-writes": "1" }, undefined],
    [{ "x-ms-ratelimit-remaining-subscription-reads": "many" }, undefined],
    [{}, undefined],
  ])("is reported, whatever the answer: %j", async (headers, count) => {
    for (const status of [200, 404, 429]) {
      const { aci, remaining } = await arm((response) => response.writeHead(status, headers).end("{}"));
      await aci.observe(target, "job");
      const { subscriptionId } = target;
      expect(remaining).toEqual(count === undefined ? [] : [{ kind: "read", subscriptionId, count }]);
    }
  });
});

it("a list whose pages never end is no list", async () => {
  let pages = 0;
  const page = (response: ServerResponse): void => {
    pages++;
    response.end(JSON.stringify({ value: [], nextLink: `/next?page=${pages}` }));
  };
  // Each page takes a second.
  const { aci } = await arm(page, () => start + pages * second);
  expect(await aci.list(target)).toMatchObject({ kind: "unknown", reason: "ArmUnavailable" });
  expect(pages).toBe(40);
});
