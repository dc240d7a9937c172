/**
 * The simulated engine's figures, as JSON on stdout: how many live groups it holds, in how much memory, how many GETs by name a second
 * it serves meanwhile (the load generator has a core of its own where there are two), and how long a PUT takes.
 *
 * Environment: `GROUPS` (10000), `SECONDS` of load (10), `CONNECTIONS` (16).
 */
import autocannon from "autocannon";
import { startPart } from "../test/kit/part.ts";
import { significant, type Figure } from "./benchmark.ts";
import { memoryOf } from "./process.ts";

const groups = Number(process.env["GROUPS"] ?? 10_000);
const seconds = Number(process.env["SECONDS"] ?? 10);
const connections = Number(process.env["CONNECTIONS"] ?? 16);

const options = { engine: "simulated", limits: false, control: true };
const aci = await startPart("aci", options);

const path = (index: number): string =>
  `/subscriptions/s/resourceGroups/bench/providers/Microsoft.ContainerInstance/containerGroups/job-${index}?api-version=2023-05-01`;

const definition = JSON.stringify({
  location: "westeurope",
  tags: { "job-id": "0190a1b2-0000-7000-8000-000000000000", installation: "bench" },
  properties: {
    osType: "Linux",
    restartPolicy: "Never",
    containers: ["app1", "app2"].map((name) => ({
      name,
      properties: {
        image: "registry.example/team/job:1",
        resources: { requests: { cpu: 1, memoryInGB: 1.5 } },
        environmentVariables: [
          { name: "SIM_RUN_SECONDS", value: "36000" },
          { name: "SIM_OUTPUT", value: "Hello World!\n" },
          { name: "TOKEN", secureValue: "secret" },
        ],
      },
    })),
  },
});

async function run(amount: { amount: number } | { duration: number }, request: autocannon.Request) {
  let next = 0;
  return autocannon({
    url: aci.url,
    connections,
    ...amount,
    requests: [{ ...request, setupRequest: (given) => ({ ...given, path: path(next++ % groups) }) }],
  });
}

const memory = () => memoryOf(aci.child.pid ?? 0);

try {
  const empty = memory();
  const puts = await run({ amount: groups }, { method: "PUT", body: definition });
  const gets = await run({ duration: seconds }, { method: "GET" });
  const counters = (await (await fetch(`${aci.url}/local/counters`)).json()) as { liveGroups: number };
  const { peak } = memory();
  if (counters.liveGroups !== groups || puts.non2xx > 0 || gets.non2xx > 0) throw new Error("Some calls failed.");
  const figures: Figure[] = [
    { name: "live groups held", unit: "", value: groups },
    {
      name: "memory, at most",
      unit: "MB",
      value: peak,
      floor: { what: "empty", value: empty.now },
    },
    { name: `PUTs a second, ${connections} connections`, unit: "", value: significant(puts.requests.average) },
    { name: `GETs a second, ${connections} connections`, unit: "", value: significant(gets.requests.average) },
    { name: "a GET, p99", unit: "ms", value: gets.latency.p99 },
  ];
  process.stdout.write(JSON.stringify(figures));
} finally {
  await aci.end("SIGTERM");
}
