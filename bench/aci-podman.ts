/**
 * How long until a container's first output, from `podman run` and from a PUT to the local ACI on podman; medians of runs in turn, as
 * JSON on stdout. scripts/ci-engines.sh installs what it needs. Environment: `RUNS` (9), `IMAGE` (docker.io/library/busybox:1.36).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPart } from "../test/kit/part.ts";
import { versusFloor } from "./benchmark.ts";

const runs = Number(process.env["RUNS"] ?? 9);
const image = process.env["IMAGE"] ?? "docker.io/library/busybox:1.36";

const patience = 30_000;

const folder = mkdtempSync(join(tmpdir(), "aci-bench-"));
const options = { engine: "podman", stateFolder: folder, containersFolder: join(folder, "none"), graceSeconds: 0 };
const aci = await startPart("aci", options);

async function podmanRun(): Promise<number> {
  const begun = Date.now();
  const run = spawn("podman", ["run", "--rm", image, "echo", "up"], { stdio: ["ignore", "pipe", "inherit"] });
  await once(run.stdout, "data");
  const taken = Date.now() - begun;
  await once(run, "exit");
  return taken;
}

async function aciPut(name: string): Promise<number> {
  const at = (path: string): string =>
    `${aci.url}/subscriptions/s/resourceGroups/bench/providers/Microsoft.ContainerInstance/containerGroups/${name}${path}?api-version=2023-05-01&timestamps=true`;
  const resources = { requests: { cpu: 1, memoryInGB: 0.5 } };
  const containers = [{ name: "app", properties: { image, command: ["echo", "up"], resources } }];
  const body = { location: "westeurope", properties: { osType: "Linux", restartPolicy: "Never", containers } };
  const begun = Date.now();
  await fetch(at(""), { method: "PUT", body: JSON.stringify(body) });
  while (Date.now() < begun + patience) {
    const { content = "" } = (await (await fetch(at("/containers/app/logs"))).json()) as { content?: string };
    if (content !== "") {
      await fetch(at(""), { method: "DELETE" });
      return Date.parse(content.split(" ")[0] ?? "") - begun;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`The group ${name} wrote nothing.`);
}

try {
  const direct: number[] = [];
  const through: number[] = [];
  await podmanRun();
  await aciPut("warm");
  for (let run = 0; run < runs; run += 1) {
    direct.push(await podmanRun());
    through.push(await aciPut(`job-${run}`));
  }
  const floor = { what: "podman run", values: direct };
  process.stdout.write(JSON.stringify([versusFloor("PUT to the first output, podman", "ms", through, floor)]));
} finally {
  await aci.end("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
}
