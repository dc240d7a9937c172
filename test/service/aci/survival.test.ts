import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startAci } from "../../../local/aci/aci.ts";
import { ProcessRecords, startOf } from "../../../local/aci/engines/process/pids.ts";
import { startPart, type Part } from "../../kit/part.ts";
import { container, definition, logOf, propertiesOf, serve, temporaryFolder, until, wire } from "./kit.ts";

/** The service as a process of its own, which ends with the test. */
async function part(options: object): Promise<Part> {
  const started = await startPart("aci", options);
  onTestFinished(() => started.end("SIGKILL"));
  return started;
}

const images = { "job/Dockerfile": "FROM busybox\n" };

const group = (restartPolicy: string, script: string): object =>
  definition(
    {},
    { restartPolicy, containers: [container("app", {}, { image: "job", command: ["/bin/sh", "-c", script] })] },
  );

const alive = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};

const gone = (pid: number): Promise<boolean> =>
  until(
    () => Promise.resolve(alive(pid)),
    (living) => !living,
  );

async function running(url: string, name: string): Promise<number> {
  const content = await until(
    async () => logOf(await wire(url, "GET", `containerGroups/${name}/containers/app/logs`)),
    (seen) => Number(seen) > 0,
  );
  return Number(content);
}

const properties = async (url: string, name: string): Promise<unknown> =>
  propertiesOf(await wire(url, "GET", `containerGroups/${name}`));

describe("a service that was killed", () => {
  it("takes its containers with it, and its successor reports them as ended by the platform", async () => {
    const options = { stateFolder: temporaryFolder(), containersFolder: temporaryFolder(images) };
    const first = await part(options);
    await wire(first.url, "PUT", "containerGroups/never", group("Never", "echo $$; sleep 1000"));
    await wire(first.url, "PUT", "containerGroups/always", group("Always", "echo $$; sleep 1000"));
    const pids = [await running(first.url, "never"), await running(first.url, "always")];
    first.child.kill("SIGKILL");
    for (const pid of pids) await gone(pid);
    const second = await part(options);
    expect(await properties(second.url, "never")).toMatchObject({
      instanceView: { state: "Failed" },
      containers: [{ properties: { instanceView: { currentState: { state: "Terminated", exitCode: 7147 } } } }],
    });
    const again = await until(
      () => properties(second.url, "always"),
      (seen) => JSON.stringify(seen).includes('"state":"Running","startTime"'),
    );
    expect(again).toMatchObject({
      instanceView: { state: "Running" },
      containers: [{ properties: { instanceView: { restartCount: 1, previousState: { exitCode: 7147 } } } }],
    });
    await second.end("SIGTERM");
  }, 60_000);

  it("has kept what ended before: states, logs, and the deletion that was asked for", async () => {
    const options = { stateFolder: temporaryFolder(), containersFolder: temporaryFolder(images) };
    const first = await part(options);
    await wire(first.url, "PUT", "containerGroups/job", group("Never", "echo done; exit 4"));
    await until(
      () => properties(first.url, "job"),
      (seen) => JSON.stringify(seen).includes('"exitCode":4'),
    );
    await first.end("SIGKILL");
    const second = await part(options);
    expect(await properties(second.url, "job")).toMatchObject({
      provisioningState: "Succeeded",
      instanceView: { state: "Failed" },
    });
    expect((await wire(second.url, "GET", "containerGroups/job/containers/app/logs")).body).toEqual({
      content: "done\n",
    });
    await second.end("SIGTERM");
  }, 60_000);
});

describe("a service that is stopped", () => {
  it("ends its containers but not their groups' lives", async () => {
    const options = {
      engine: "process" as const,
      stateFolder: temporaryFolder(),
      containersFolder: temporaryFolder(images),
    };
    const first = await startAci(options);
    await wire(first.url, "PUT", "containerGroups/job", group("Never", "echo $$; sleep 1000"));
    const pid = await running(first.url, "job");
    await first.stop();
    expect(alive(pid)).toBe(false);
    const second = await serve(options);
    expect(await properties(second.url, "job")).toMatchObject({
      containers: [{ properties: { instanceView: { currentState: { exitCode: 7147 } } } }],
    });
  });

  it("goes on with simulated groups where time has brought them", async () => {
    const stateFolder = temporaryFolder();
    const first = await startAci({ engine: "simulated", stateFolder });
    await wire(first.url, "PUT", "containerGroups/job", definition({ SIM_RUN_SECONDS: 0.3, SIM_OUTPUT: "hi" }));
    await until(
      () => properties(first.url, "job"),
      (seen) => JSON.stringify(seen).includes('"state":"Running"'),
    );
    await first.stop();
    const second = await serve({ engine: "simulated", stateFolder });
    const ended = await until(
      () => properties(second.url, "job"),
      (seen) => JSON.stringify(seen).includes("Terminated"),
    );
    expect(ended).toMatchObject({ instanceView: { state: "Succeeded" } });
  });
});

describe("a start", () => {
  it("on a taken port fails with EADDRINUSE and touches nothing", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => {
      taken.close();
    });
    const address = taken.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await expect(startAci({ port, engine: "simulated" })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(part({ port, engine: "simulated" })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("in a folder that another service uses fails with StateFolderInUse", async () => {
    const options = { stateFolder: temporaryFolder(), containersFolder: temporaryFolder(images) };
    await part(options);
    await expect(part(options)).rejects.toMatchObject({ code: "StateFolderInUse" });
  }, 60_000);

  it("ends recorded process groups that are still the ones recorded, and no others", async () => {
    const folder = temporaryFolder();
    const start = async (): Promise<number> => {
      const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
      await once(child, "spawn");
      const pid = child.pid ?? 0;
      onTestFinished(() => {
        if (alive(pid)) process.kill(pid, "SIGKILL");
      });
      return pid;
    };
    const [ours, reused] = [await start(), await start()];
    const records = new ProcessRecords(folder);
    records.add(ours);
    records.add(reused);
    const { writeFileSync } = await import("node:fs");
    writeFileSync(join(folder, String(reused)), `${startOf(reused) ?? ""}0`);
    new ProcessRecords(folder).killLeftovers();
    await gone(ours);
    expect(alive(reused)).toBe(true);
  });
});
