/** Traces and metrics, as a real receiver of OTLP gets them: one trace from the caller to the job's end, and nothing secret in it. */
import { createHttpHeaders, type HttpClient } from "@azure/core-rest-pipeline";
import { z } from "zod";
import { InvocationContext, HttpRequest } from "@azure/functions";
import { expect, it, onTestFinished } from "vitest";
import { trigger } from "../../src/http/trigger.ts";
import { groupName } from "../../src/shared/base/ids.ts";
import type { Log } from "../../src/shared/base/log.ts";
import { noTelemetry, type Telemetry } from "../../src/shared/base/telemetry.ts";
import { openTelemetry } from "../../src/shared/telemetry/open-telemetry.ts";
import { startTelemetry } from "../../src/shared/telemetry/start.ts";
import { Secret } from "../../src/shared/base/errors.ts";
import { invocationSpan } from "../../src/shared/telemetry/invocation.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { attribute, metrics } from "../kit/otlp.ts";
import { startReceiver, type Receiver } from "../kit/receiver.ts";
import { followAll, postArray } from "./arrays-kit.ts";
import { follow, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: z.coerce.number(),
  endTimeUnixNano: z.coerce.number(),
  attributes: z.array(attribute).transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value]))),
  status: z.object({ code: z.number().optional() }),
});
const traces = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(span) })) })),
});
const spansAt = ({ taken }: Receiver) =>
  taken
    .filter(({ path }) => path === "/v1/traces")
    .flatMap(({ body }) => traces.parse(body).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
const metricsAt = ({ taken }: Receiver) =>
  taken
    .filter(({ path }) => path === "/v1/metrics")
    .flatMap(({ body }) => metrics.parse(body).resourceMetrics)
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: all }) => all));

/** A bench whose telemetry goes to a receiver of OTLP. */
async function withReceiver(environment: Record<string, string> = {}, log: Log = () => undefined) {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url;
  let clock = Date.now;
  const telemetry: Telemetry = openTelemetry({
    otlp: true,
    azureMonitor: undefined,
    service: { name: "aci-proxy", version: "0", instance: undefined },
    metricInterval: 3_600_000,
    now: () => clock(),
  });
  delete process.env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  const bench = await openBench(environment, undefined, { telemetry, log });
  clock = () => bench.clock.now();
  return { ...bench, receiver, telemetry };
}

/** A POST as the host hands it over. */
async function submit({ deps, telemetry }: Bench & { telemetry: Telemetry }, text: string, traceparent: string) {
  const context = new InvocationContext({
    functionName: "trigger",
    options: { trigger: { type: "httpTrigger", name: "request", direction: "in", route: "trigger" } },
    traceContext: { traceParent: traceparent, traceState: "", attributes: {} },
  });
  const url = "http://localhost/api/trigger?code=a-host-key";
  const request = new HttpRequest({ method: "POST", url, headers: { traceparent }, body: { string: text } });
  const reply = await invocationSpan(telemetry, context, () => trigger(deps)(request, context), request);
  const { body } = z.object({ body: z.string() }).parse(reply);
  return z.object({ id: z.string() }).parse(JSON.parse(body)).id;
}

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const callers = "00f067aa0ba902b7";

it("one trace leads from the caller over the call and the calls to Azure to the job's end", async () => {
  const bench = await withReceiver();
  const id = await submit(bench, yaml("traced"), `00-${traceId}-${callers}-01`);
  const { id: jobId } = await bench.deps.jobs.peekNewest(groupName("traced")).then((stored) => stored?.job ?? fail());
  expect(jobId).toBe(id);
  const ended = await follow(bench, jobId);
  await bench.telemetry.flush();
  const spans = spansAt(bench.receiver);
  const named = (name: string) => spans.filter((each) => each.name === name);

  const [call] = named("POST /api/trigger");
  expect(call).toMatchObject({ traceId, parentSpanId: callers, kind: 2 });
  expect(call?.attributes).toMatchObject({ "http.route": "/api/trigger", "http.response.status_code": 200 });

  const [whole] = named("RUN traced");
  expect(whole).toMatchObject({ traceId, parentSpanId: callers });
  expect(whole?.attributes).toMatchObject({
    "cicd.pipeline.run.id": id,
    "cicd.pipeline.result": "success",
    "aciproxy.job.state": "Succeeded",
  });
  expect(whole?.startTimeUnixNano).toBe(ended.createdAt * 1e6);
  const states = spans.filter((each) => each.parentSpanId === whole?.spanId && each.kind === 1);
  expect(states.map(({ name }) => name)).toEqual(["Queued", "Provisioning", "Pending", "Running"]);

  const creates = spans.filter(({ name }) => name.startsWith("PUT /subscriptions"));
  expect(creates).toHaveLength(1);
  expect(creates[0]).toMatchObject({ traceId, kind: 3, parentSpanId: whole?.spanId });
  expect(creates[0]?.name).toBe(
    "PUT /subscriptions/{name}/resourceGroups/{name}/providers/Microsoft.ContainerInstance/containerGroups/{name}",
  );
  expect(spans.some(({ name, parentSpanId }) => name === "POST /$batch" && parentSpanId === call?.spanId)).toBe(true);
  expect(spans.some(({ name, kind }) => name === "send aci-jobs" && kind === 4)).toBe(true);
  const appended = spans.find(({ name, parentSpanId }) => name === "PUT /aci-logs" && parentSpanId === whole?.spanId);
  expect(appended).toMatchObject({ traceId, kind: 3 });
  expect(appended?.attributes).toMatchObject({ "url.template": "/aci-logs", "http.response.status_code": 201 });
});

it("a job without a caller's trace has its own, under the id that its log lines have", async () => {
  const bench = await withReceiver();
  const { id } = await post(bench.deps, yaml("alone", { exitCode: 137 }));
  await follow(bench, id);
  await bench.telemetry.flush();
  const whole = spansAt(bench.receiver).find(({ name }) => name === "RUN alone");
  expect(whole).toMatchObject({ traceId: id.replaceAll("-", ""), status: { code: 2 } });
  expect(whole?.parentSpanId ?? "").toBe("");
  expect(whole?.attributes).toMatchObject({
    "error.type": "OutOfMemory",
    "aciproxy.job.fault": "program",
    "aciproxy.job.exit_code": 137,
    "cicd.pipeline.result": "failure",
  });
});

it("metrics count jobs, times and calls, and the instance that logs health reads the gauges", async () => {
  const teams = JSON.stringify({ etl: { vcpuSecondsPerDay: 1000 }, science: {} });
  const bench = await withReceiver({ DAILY_VCPU_SECONDS: "1000", TEAMS: teams });
  const { id } = await post(bench.deps, yaml("counted", { exitCode: 3 }), "retries=1");
  await follow(bench, id);
  await post(bench.deps, yaml("waits"));
  await runPass(bench.deps, "timer");
  await bench.telemetry.flush();
  const all = metricsAt(bench.receiver);
  const valuesOf = (name: string) =>
    all
      .filter((each) => each.name === name)
      .flatMap((each) => (each.sum ?? each.gauge ?? each.histogram)?.dataPoints ?? [])
      .map(({ attributes, ...point }) => ({
        ...point,
        ...Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
      }));
  expect(valuesOf("aciproxy.jobs.ended")).toMatchObject([
    { asDouble: 1, "aciproxy.job.state": "Failed", "aciproxy.job.reason": "ExitCode", "aciproxy.job.fault": "program" },
  ]);
  expect(valuesOf("aciproxy.job.retries")).toMatchObject([{ "aciproxy.job.reason": "ExitCode" }]);
  expect(valuesOf("aciproxy.job.start.duration")).toMatchObject([{ count: 2 }]);
  expect(valuesOf("cicd.pipeline.run.duration")).toMatchObject([{ count: 1, "cicd.pipeline.name": "counted" }]);
  expect(
    valuesOf("aciproxy.arm.calls").map((call) => new Map(Object.entries(call)).get("http.request.method")),
  ).toContain("PUT");
  expect(valuesOf("aciproxy.jobs.active")).toMatchObject([{ asDouble: 1, "aciproxy.job.state": "Queued" }]);
  expect(valuesOf("aciproxy.poison.messages")).toHaveLength(3);
  expect(valuesOf("aciproxy.budget.left")).toMatchObject([
    { "aciproxy.limit": "dailyVcpuSeconds" },
    { "aciproxy.limit": "vcpuSecondsPerDay", "aciproxy.team": "etl", asDouble: 1 },
  ]);
});

it("an array's own end, its children's and a job's are counted apart, and cost stands in what ran", async () => {
  const lines: { readonly event: string; readonly kind: unknown }[] = [];
  const log: Log = (_level, event, fields) => void lines.push({ event, kind: fields?.["kind"] });
  const bench = await withReceiver({}, log);
  await postArray(bench, { size: 2 });
  await post(bench.deps, yaml("single"));
  await followAll(bench);
  await bench.telemetry.flush();
  const sums = (name: string) =>
    metricsAt(bench.receiver)
      .filter((each) => each.name === name)
      .flatMap((each) => (each.sum ?? each.histogram)?.dataPoints ?? [])
      .map(({ attributes, asDouble, count }) => [
        attributes.find(({ key }) => key === "aciproxy.job.kind")?.value,
        asDouble ?? count,
      ])
      .toSorted();
  const each = [
    ["array", 1],
    ["child", 2],
    ["job", 1],
  ];
  expect(sums("aciproxy.jobs.ended")).toEqual(each);
  expect(sums("cicd.pipeline.run.duration")).toEqual(each);
  const kinds = lines.filter(({ event }) => event === "job ended").map(({ kind }) => kind);
  expect(kinds.toSorted()).toEqual(["array", "child", "child", "job"]);
});

it("no secret, key, address to call or text of a definition is in any of it", async () => {
  const bench = await withReceiver({ CALLBACK_HOSTS: "adf.example" });
  const secret = "planted-9f86d081884c7d65";
  const more = `  imageRegistryCredentials: [{server: r.example, username: u, password: ${secret}}]\ncallBackUri: https://adf.example/${secret}`;
  await submit(bench, yaml("secretive", { output: secret, more }), `00-${traceId}-${callers}-01`);
  const { job } = (await bench.deps.jobs.peekNewest(groupName("secretive"))) ?? fail();
  await follow(bench, job.id);
  await bench.telemetry.flush();
  const text = JSON.stringify(bench.receiver.tries.map(({ body }) => body));
  expect(text).toContain("RUN secretive");
  expect(text).not.toMatch(new RegExp(`${secret}|a-host-key|adf\\.example|sig=`));
});

it.each([
  ["answers 500", 500],
  ["is silent", "silence"],
] as const)("a receiver that %s is noticed by nobody", async (_, answer) => {
  const bench = await withReceiver();
  bench.receiver.answer = answer;
  const { id } = await post(bench.deps, yaml("unseen"));
  expect((await follow(bench, id)).phase.state).toBe("Succeeded");
});

/** What Application Insights keeps of a line beside its text: time, operation, role and category, in bytes. */
const envelope = 600;

it("Azure Monitor gets a job of ten minutes in under 20 kB with its log lines, refused calls, and hardly anything while nothing happens", async () => {
  const ingested: string[] = [];
  /** Its exporter takes https addresses alone. */
  const httpClient: HttpClient = {
    sendRequest: (request) => {
      if (request.url.endsWith("/track")) ingested.push(typeof request.body === "string" ? request.body : "");
      const bodyAsText = '{"itemsReceived":1,"itemsAccepted":1,"errors":[]}';
      return Promise.resolve({ request, status: 200, headers: createHttpHeaders(), bodyAsText });
    },
  };
  const connectionString =
    "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://x.example/";
  const telemetry = openTelemetry({
    otlp: false,
    azureMonitor: { connectionString, authentication: undefined, httpClient },
    service: { name: "aci-proxy", version: "0", instance: undefined },
    metricInterval: 60_000,
    now: Date.now,
  });
  const lines: string[] = [];
  const log: Log = (level, event, fields) => lines.push(JSON.stringify({ level, event, ...fields }));
  const bench = { ...(await openBench({}, undefined, { telemetry, log })), telemetry };
  const sent = async (): Promise<number> => {
    await telemetry.flush();
    return ingested.splice(0).join("").length;
  };
  await submit(bench, yaml("ten-minutes", { seconds: 600 }), `00-${traceId}-${callers}-01`);
  const { job } = (await bench.deps.jobs.peekNewest(groupName("ten-minutes"))) ?? fail();
  await follow(bench, job.id);
  await telemetry.flush();
  expect(ingested.join("")).toContain("RUN ten-minutes");
  const ofSpans = await sent();
  expect(ofSpans).toBeGreaterThan(1000);
  const ofLines = lines.reduce((sum, line) => sum + line.length + envelope, 0);
  expect(ofSpans + ofLines).toBeLessThan(20_000);
  await submit(bench, "name: [", `00-${traceId}-${callers}-01`).catch(() => undefined);
  await telemetry.flush();
  expect(ingested.splice(0).join("")).toContain('"responseCode":"400"');
  for (let minutes = 0; minutes < 5; minutes++) {
    bench.clock.advance(60_000);
    await runPass(bench.deps, "timer");
  }
  // An export each five minutes.
  expect((await sent()) * 12 * 24).toBeLessThan(1_000_000);
});

it("a connection string that can't be read is an error in the log, and nothing more", async () => {
  const lines: string[] = [];
  const telemetry = startTelemetry({
    settings: { otlpEndpoint: undefined, insights: new Secret("no connection string") },
    environment: {},
    version: "0",
    log: (level, event) => lines.push(`${level} ${event}`),
  });
  await expect.poll(() => lines).toEqual(["error no telemetry"]);
  expect(await telemetry.span({ name: "x", kind: "internal", attributes: {} }, () => Promise.resolve(1))).toBe(1);
});

it("costs nothing where nobody listens", async () => {
  expect(await noTelemetry.span({ name: "x", kind: "internal", attributes: {} }, () => Promise.resolve(1))).toBe(1);
});

function fail(): never {
  throw new Error("There is no such job.");
}
