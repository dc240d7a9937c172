/** A program's result: sent to its own address, printed, or dropped with a reason. On real blobs. */
import { HttpRequest, InvocationContext } from "@azure/functions";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { result } from "../../src/http/result.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { mintResultLink } from "../../src/shared/security/link-token.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import type { Gate } from "../kit/proxy.ts";
import { countedCalls, follow, get, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

vi.setConfig({ testTimeout: 60_000 });
useAzurite();

const large = { rows: "x".repeat(200 * 1024) };

/** What the program of an attempt does with `ACI_PROXY_RESULT_URL`. */
async function send({ deps }: Bench, id: JobId, attempt: number, body: string): Promise<[number, unknown]> {
  return sendTo(deps, mintResultLink(await deps.links.current(), id, attempt), body);
}

async function sendTo(deps: Bench["deps"], token: string, body: string): Promise<[number, unknown]> {
  const url = `http://localhost/api/result/${token}`;
  const request = new HttpRequest({ method: "PUT", url, params: { token }, body: { string: body } });
  const reply = z
    .looseObject({ status: z.number(), body: z.string() })
    .parse(await result(deps)(request, new InvocationContext()));
  const { code } = z.looseObject({ code: z.string().optional() }).parse(JSON.parse(reply.body));
  return [reply.status, code];
}

/** Until the job runs. */
async function running(bench: Bench, text: string, query: string): Promise<JobId> {
  const { id } = await post(bench.deps, text, query);
  await follow(bench, id, ({ phase }) => phase.state === "Running");
  return id;
}

describe("a result that is sent to its address", () => {
  it("is the job's, in whole, and wins over what was printed", async () => {
    const bench = await openBench();
    const id = await running(bench, yaml("sends", { seconds: 60, output: '{\\"printed\\": 1}\\n' }), "env=true");
    expect(await send(bench, id, 1, JSON.stringify(large))).toEqual([200, undefined]);
    await follow(bench, id);
    expect((await get(bench.deps, id)).body["result"]).toEqual(large);
  });

  it("has no secret of the definition with MASK_OUTPUT, where it is stored and where it is shown", async () => {
    const bench = await openBench({ MASK_OUTPUT: "true" });
    const more = `
          - {name: TOKEN, secureValue: "correct-\\"horse"}
          - {name: PIN, secureValue: "48151623"}`;
    const id = await running(bench, yaml("masks", { seconds: 60, more }), "env=true");
    const sent = JSON.stringify({ pin: 48151623, said: ['my correct-"horse'], 'correct-"horse': { rows: 7 } });
    for (let n = 0; n < 2; n++) expect(await send(bench, id, 1, sent)).toEqual([200, undefined]);
    await follow(bench, id);
    const masked = { pin: "***", said: ["my ***"], "***": { rows: 7 } };
    expect((await get(bench.deps, id)).body["result"]).toEqual(masked);
    expect(JSON.parse((await bench.deps.blobs.takeResult(id, 1)) ?? "")).toEqual(masked);
  });

  it("may be sent again as it was, and in no other form", async () => {
    const bench = await openBench();
    const id = await running(bench, yaml("twice", { seconds: 60 }), "env=true");
    expect(await send(bench, id, 1, '{"a": 1}')).toEqual([200, undefined]);
    expect(await send(bench, id, 1, '{"a": 1}')).toEqual([200, undefined]);
    expect(await send(bench, id, 1, '{"a": 2}')).toEqual([409, "ResultExists"]);
    await follow(bench, id);
    expect((await get(bench.deps, id)).body["result"]).toEqual({ a: 1 });
  });

  it("is refused too large, too deep, as anything but a JSON object, and with a token that is not ours", async () => {
    const bench = await openBench();
    const id = await running(bench, yaml("bad", { seconds: 60 }), "env=true");
    const deep = `{"a": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    for (const body of ["", "no", "[1]", "1", "null", '{"a": ', deep])
      expect(await send(bench, id, 1, body)).toEqual([400, "InvalidRequest"]);
    expect(await send(bench, id, 1, JSON.stringify({ a: "x".repeat(256 * 1024) }))).toEqual([413, "BodyTooLarge"]);
    const key = await bench.deps.links.current();
    const forged = mintResultLink({ ...key, key: Buffer.alloc(32) }, id, 1);
    for (const token of ["", "no", forged, `${forged}A`])
      expect(await sendTo(bench.deps, token, "{}")).toEqual([404, "JobNotFound"]);
    await follow(bench, id);
    expect((await get(bench.deps, id)).body["result"]).toBeUndefined();
  });

  it("is refused from another attempt, and after the attempt's end", async () => {
    const bench = await openBench();
    const id = await running(bench, yaml("late", { seconds: 60, exitCode: 3 }), "env=true&retries=1");
    expect(await send(bench, id, 2, "{}")).toEqual([409, "ResultTooLate"]);
    expect(await send(bench, id, 1, '{"attempt": 1}')).toEqual([200, undefined]);
    await follow(bench, id, ({ attempt, phase }) => attempt === 2 && phase.state === "Running");
    expect(await send(bench, id, 1, '{"attempt": 1}')).toEqual([409, "ResultTooLate"]);
    await follow(bench, id);
    expect(await send(bench, id, 2, "{}")).toEqual([409, "ResultTooLate"]);
    expect((await get(bench.deps, id)).body["result"]).toBeUndefined();
  });

  it("is refused between the capture of an attempt's end and the end itself: nobody says yes and forgets it", async () => {
    const bench = await openBench();
    const id = await running(bench, yaml("closed", { seconds: 60 }), "env=true");
    expect(await bench.deps.blobs.takeResult(id, 1)).toBeUndefined();
    expect(await send(bench, id, 1, "{}")).toEqual([409, "ResultTooLate"]);
  });

  it("that storage does not give back ends the job without it, and with a warning that says so", async () => {
    const gate: Gate = { before: ({ url }) => (url.pathname.endsWith("/result.json") ? 503 : "pass") };
    const bench = await openBench({}, gate);
    const id = await running(bench, yaml("unread", { seconds: 60 }), "env=true");
    for (let wakes = 0; wakes < 100 && !hasEnded((await jobOf(bench.deps, id)).phase); wakes++) {
      const { lookAt } = await jobOf(bench.deps, id);
      bench.clock.advance(Math.max(0, lookAt - bench.clock.now()));
      await reconcile(bench.deps, id, { at: lookAt });
    }
    const { body } = await get(bench.deps, id);
    expect([body.state, warningsOf(body)]).toEqual(["Succeeded", [expect.stringContaining("storage did not answer")]]);
  });
});

const warningsOf = (body: object): readonly string[] =>
  z
    .looseObject({ warnings: z.array(z.looseObject({ path: z.literal("result"), message: z.string() })).default([]) })
    .parse(body)
    .warnings.map(({ message }) => message);

describe("a result that is dropped", () => {
  const pretty = '{\\n  \\"rows\\": 12\\n}\\n';
  it.each([
    ["of several lines", yaml("pretty", { output: pretty }), "it has several lines"],
    ["nested too deeply", yaml("deep", { output: `{\\"a\\": ${"[".repeat(5000)}${"]".repeat(5000)}}\\n` }), "nested"],
    [
      "of two containers without main",
      `${yaml("two", { output: '{\\"rows\\": 12}\\n' })}    - name: other
      properties:
        image: registry.example/team/app:1
        resources: {requests: {cpu: 1, memoryInGB: 1}}
        environmentVariables: [{name: SIM_RUN_SECONDS, value: "5"}]
`,
      "no main",
    ],
  ])("%s is named in the warnings, and the job ends as it would", async (_, text, why) => {
    const bench = await openBench();
    const { id } = await post(bench.deps, text);
    await follow(bench, id);
    const { body } = await get(bench.deps, id);
    expect([body.state, body["result"], warningsOf(body)]).toEqual([
      "Succeeded",
      undefined,
      [expect.stringContaining(why)],
    ]);
  });
});

it("a job without env makes no call for a result", async () => {
  const bench = await openBench({}, countedCalls);
  const { id } = await post(bench.deps, yaml("plain"));
  await follow(bench, id);
  expect(bench.calls().filter(({ url }) => url.pathname.endsWith("result.json"))).toEqual([]);
});
