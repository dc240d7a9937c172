import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { second } from "../../src/shared/base/duration.ts";
import { Aci } from "../../src/shared/aci/client.ts";
import type { ArmRemaining } from "../../src/shared/limits/windows.ts";
import { installationTag, target, start } from "../kit/kit.ts";
import { serve } from "../kit/serve.ts";

/** An ARM that gives this answer each time, and records what it was asked. */
async function arm(
  answer: (response: ServerResponse) => void,
  now: () => number = () => start,
): Promise<{ aci: Aci; asked: string[]; remaining: ArmRemaining[] }> {
  const asked: string[] = [];
  const remaining: ArmRemaining[] = [];
  const port = await serve((request, response) => {
    asked.push(request.method ?? "");
    request.resume();
    answer(response);
  });
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

it.each([
  [200, "<html>Sign in</html>", "unclear"],
  [201, "\n<!DOCTYPE html>", "unclear"],
  [200, "{}", "accepted"],
  [201, '{"properties": {"provisioningState": "Pending"}}', "accepted"],
  [202, "", "accepted"],
])(
  "a create, delete or stop that is answered with %i and %j is %s: a page of something on the way is no answer of ARM's",
  async (status, body, kind) => {
    const { aci } = await arm((response) => response.writeHead(status).end(body));
    const answer = await aci.create(target, "job", "2023-05-01", { location: "westeurope" }, (text) => text);
    expect(answer.kind).toBe(kind);
    expect([(await aci.remove(target, "job")).kind, (await aci.stop(target, "job")).kind]).toEqual([kind, kind]);
  },
);

it("a refusal that stands inside another error is shown and read as what it is", async () => {
  const inner = { code: "RegistryErrorResponse", message: "Please retry later." };
  const outer = { code: "DeploymentFailed", message: "See the details.", details: [inner] };
  const { aci } = await arm((response) =>
    response.writeHead(409, { "content-type": "application/json" }).end(JSON.stringify({ error: outer })),
  );
  const answer = await aci.create(target, "job", "2023-05-01", { location: "westeurope" }, (text) => text);
  expect(answer).toMatchObject({
    kind: "refused",
    reason: "RegistryBusy",
    detail: "RegistryErrorResponse: Please retry later.",
    azure: { code: "DeploymentFailed", message: "See the details. RegistryErrorResponse: Please retry later." },
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

it("a list whose page comes again, or whose next page has no address, is no list", async () => {
  for (const nextLink of ["/next?page=1", "http://[no-address", "https://elsewhere.example/next"]) {
    const { aci, asked } = await arm((response) => response.end(JSON.stringify({ value: [], nextLink })));
    expect(await aci.list(target)).toMatchObject({ kind: "unknown", reason: "ArmUnavailable" });
    expect(asked.length).toBeLessThanOrEqual(2);
  }
});

it("a list with a group of others that is like no group says of all others whose they are", async () => {
  const groups = [{ name: "ours", tags: { a: "b" } }, { name: "odd", properties: null, tags: ["x"], location: 5 }, {}];
  const { aci } = await arm((response) => response.end(JSON.stringify({ value: groups })));
  const list = await aci.list(target);
  expect(list).toMatchObject({ kind: "value", value: [groups[0], { name: "odd" }, {}] });
});

describe("an answer that is not ARM's own", () => {
  const create = (aci: Aci) => aci.create(target, "job", "2023-05-01", {}, (text) => text);
  const gateway = (status: number) => (response: ServerResponse) =>
    response.writeHead(status, { "content-type": "text/html" }).end("<html>Not here</html>");

  it.each([203, 204, 302, 308, 400, 404, 405, 410, 413, 421, 425, 431])(
    "%i to a create says nothing of the definition, and proves nothing",
    async (status) => {
      const { aci } = await arm(gateway(status));
      expect(await create(aci)).toMatchObject({
        ...{ kind: "failed", reason: "ArmUnavailable", doubtful: true },
        detail: `HTTP ${status} without an error of Azure's.`,
      });
    },
  );

  it.each([404, 405, 410, 421, 425])("%i to a delete or stop blames no definition", async (status) => {
    const { aci } = await arm(gateway(status));
    expect(await aci.remove(target, "job")).toMatchObject({ kind: "refused", reason: "ArmUnavailable" });
    expect(await aci.stop(target, "job")).toMatchObject({ kind: "refused", reason: "ArmUnavailable" });
  });

  it.each([
    [429, "Throttled"],
    [401, "NotAuthorized"],
    [403, "NotAuthorized"],
  ])("%i without JSON, though it says that it is some, is still %s", async (status, reason) => {
    const { aci } = await arm((response) =>
      response.writeHead(status, { "retry-after": "7", "content-type": "application/json" }).end('{"error": {"co'),
    );
    const told = { reason, retryAfter: 7 * second };
    expect(await aci.observe(target, "job")).toMatchObject({ group: "unknown", ...told });
    expect(await create(aci)).toMatchObject({ kind: "refused", ...told });
    expect(await aci.remove(target, "job")).toMatchObject({ kind: "refused", ...told });
  });

  it("is accepted where its status says so, though its body is cut, and leaves nothing of the body in an error", async () => {
    for (const status of [200, 201, 202]) {
      const { aci } = await arm((response) =>
        response.writeHead(status, { "content-type": "application/json" }).end('{"secret": "hunter2"'),
      );
      expect(await create(aci)).toMatchObject({ kind: "accepted" });
      expect(JSON.stringify(await aci.observe(target, "job"))).not.toContain("hunter2");
    }
  });
});

it("Azure's code is cut and masked like its message", async () => {
  const { aci } = await arm((response) =>
    response.writeHead(400).end(JSON.stringify({ error: { code: `hunter2 ${"x".repeat(5000)}`, message: "No." } })),
  );
  const answer = await aci.create(target, "job", "2023-05-01", {}, (text) => text.replaceAll("hunter2", "***"));
  if (!("azure" in answer)) throw new Error("no error");
  expect(answer.azure?.code.startsWith("*** xxx")).toBe(true);
  expect(answer.azure?.code.length).toBeLessThan(300);
});

it("of a log that is longer than Container Instances says it can be only the end is taken", async () => {
  const content = "2026-11-24T08:00:00.000000000Z .\n".repeat(400_000);
  const { aci } = await arm((response) => response.end(JSON.stringify({ content })));
  const read = await aci.logs(target, "job", "app");
  const value = read.kind === "value" ? read.value : "";
  expect(value.length).toBeGreaterThan(8_000_000);
  expect(value.length).toBeLessThan(8_400_000);
  expect(content.endsWith(value) && value.startsWith("2026-")).toBe(true);
});
