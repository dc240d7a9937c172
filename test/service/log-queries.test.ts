/** `GET /api/logs`: what it says of a query that is wrong, or asks for what isn't there. */
import { expect, it } from "vitest";
import { logs } from "../../src/http/logs.ts";
import { ask, openBench, post, useAzurite, yaml } from "./kit.ts";

useAzurite();

it("an attempt that the job has not had is a 404, a wrong member of the query a 400 with its place", async () => {
  const { deps } = await openBench();
  const { id } = await post(deps, yaml("a"));
  const params = { idOrName: id, container: "app" };
  const later = await ask(logs(deps), { params, query: "attempt=2" });
  expect(later).toMatchObject({ status: 404, body: { code: "JobNotFound" } });
  expect(later.body.message).toBe("The job has had 1 attempt; there is no log of a later one.");
  for (const [path, query] of [
    ["tail", "tail="],
    ["tail", "tail=-1"],
    ["attempt", "attempt=0"],
    ["attempt", "attempt="],
    ["since", "since=yesterday"],
    ["format", "format=xml"],
    ["follow", "follow=maybe"],
    ["follow", "follow="],
    ["format", "follow=true&format=json"],
  ]) {
    const { status, body } = await ask(logs(deps), { params, query: query ?? "" });
    expect({ status, body }, query).toMatchObject({
      status: 400,
      body: { code: "InvalidRequest", errors: [{ path }] },
    });
    expect(body.message).toMatch(new RegExp(`^${path ?? ""} must be .*\\.$`));
  }
  expect((await ask(logs(deps), { params, query: "tail=0&attempt=1&follow=False&format=JSON" })).status).toBe(200);
});

it("a container without a line has a line that says why in JSON, as in the text", async () => {
  const { deps } = await openBench();
  await post(deps, yaml("empty"));
  const params = { idOrName: "empty" };
  const why = "[aci-proxy] app has not started: Container Group empty is in progress";
  const { body } = await ask(logs(deps), { params, query: "format=json" });
  expect(body["lines"]).toEqual([{ container: "app", at: "", text: why, mark: true }]);
});
