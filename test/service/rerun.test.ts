/** A rerun is judged again by the settings of today: those of the day that its job was accepted may be others. */
import { describe, expect, it } from "vitest";
import { rerun } from "../../src/http/operate/rerun.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { ask, deliver, follow, jobOf, messagesIn, openBench, post, useAzurite, yaml, type Reply } from "./kit.ts";

useAzurite();

const again = (deps: Deps, id: string): Promise<Reply> => ask(rerun(deps), { params: { id }, text: "" });
const poster = "0198f000-0000-4000-8000-000000000001";

describe("a rerun", () => {
  it("notifies no queue of the old job's, which may no longer be allowed", async () => {
    const bench = await openBench({ REPLY_QUEUES: "answers" });
    await bench.storage.queues.getQueueClient("answers").create();
    await deliver(bench.deps, { version: 1, id: poster, definition: yaml("told"), replyTo: { queue: "answers" } });
    const { id } = await jobOf(bench.deps, poster as never); // a UUID
    await follow(bench, id);
    expect(await messagesIn(bench.storage, "answers")).toHaveLength(1);
    const { status, id: rerunId } = await again(await bench.again({ REPLY_QUEUES: "" }), id);
    expect(status).toBe(200);
    await follow(bench, rerunId);
    expect(await messagesIn(bench.storage, "answers")).toHaveLength(1);
    expect((await jobOf(bench.deps, rerunId)).reply.state).toBe("none");
  });

  it("is refused where this storage belongs to another installation", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bound"));
    await follow(bench, id);
    const other = await bench.again({ AZURE_SUBSCRIPTION_ID: "99999999-2222-3333-4444-555555555555" });
    expect(await again(other, id)).toMatchObject({ status: 503, body: { code: "InvalidSettings" } });
  });

  it("is refused by a policy that came since, and gets no longer than today's ceiling", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("judged"));
    await follow(bench, id);
    const strict = await bench.again({ POLICY_REGISTRIES: "contoso.azurecr.io" });
    expect(await again(strict, id)).toMatchObject({ status: 400, body: { code: "PolicyRefused" } });
    const short = await again(await bench.again({ MAX_TIMEOUT: "PT1H", DEFAULT_TIMEOUT: "PT1H" }), id);
    expect((await jobOf(bench.deps, short.id)).options.timeout).toBe(3_600_000);
  });
});
