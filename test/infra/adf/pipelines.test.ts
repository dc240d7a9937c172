import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { audience } from "../../kit/authority.ts";
import { part } from "../../kit/document.ts";
import { infra } from "../bicep.ts";
import { deploymentOf, environments, ofType } from "../environments.ts";
import { factoryIdentity, startCloud, type Cloud } from "./cloud.ts";
import type { Json } from "./expressions.ts";
import { pipelineFrom, pipelineOf, type Pipeline } from "./pipeline.ts";
import { runPipeline, type PipelineRun } from "./run.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const names = readdirSync(join(infra, "datafactory")).map((file) => file.replace(/\.json$/, ""));

describe("Every pipeline", () => {
  test("is deployed by the template as its file says", () => {
    const [dev] = environments;
    const deployed = dev ? ofType(deploymentOf(dev), "Microsoft.DataFactory/factories/pipelines") : [];
    expect(deployed.map(({ name }) => name.split("/")[1]).sort()).toEqual([...names].sort());
  });

  test.each(names)("%s keeps keys and passwords out of the monitor", (name) => {
    for (const activity of pipelineOf(name).properties.activities) {
      if (activity.type !== "WebActivity" && activity.type !== "WebHook") continue;
      const readsSecret = activity.name.startsWith("Get-");
      expect(readsSecret ? activity.policy.secureOutput : activity.policy.secureInput, activity.name).toBe(true);
    }
  });
});

test("the original's pipeline is five activities that read secrets and one that runs the group", () => {
  const { activities } = pipelineOf("Container-Orchestration").properties;
  expect(activities.map(({ name }) => name)).toEqual([
    "Get-ACR-Login-Server",
    "Get-ACR-Username",
    "Get-ACR-Password",
    "Get-ACI-Proxy-Url",
    "Get-ACI-Proxy-Key",
    "Run-Container-Group",
  ]);
});

describe("Driven through the local stack", () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud();
  });
  afterAll(() => cloud.stop());

  const run = (pipeline: Pipeline, parameters: Readonly<Record<string, Json>> = {}): Promise<PipelineRun> =>
    runPipeline(pipeline, cloud.factory, parameters);
  const outputOf = ({ activities }: PipelineRun, name: string): Json =>
    activities.find((activity) => activity.name === name)?.output ?? null;

  const jobsShape = z.object({
    jobs: z.array(
      z.looseObject({
        name: z.string(),
        state: z.string(),
        pipeline: z.string().nullish(),
        pipelineRunId: z.string().nullish(),
      }),
    ),
  });
  const jobsOf = async (query: string) => {
    const response = await fetch(`${cloud.url}/api/jobs?${query}`, { headers: { "x-functions-key": cloud.key } });
    return jobsShape.parse(await response.json()).jobs;
  };

  test("the original's pipeline runs its two containers and shows no secret", async () => {
    const ran = await run(pipelineOf("Container-Orchestration"));
    expect(ran).toMatchObject({ status: "Succeeded", message: "" });
    expect(outputOf(ran, "Run-Container-Group")).toMatchObject({
      name: "bellaciao",
      state: "Succeeded",
      containers: {
        app1: { exit_code: 0, output: expect.stringContaining("Hello World!") as unknown },
        app2: { exit_code: 0, output: expect.stringContaining("Hello World!") as unknown },
      },
    });
    const monitor = JSON.stringify(ran.activities);
    for (const secret of ["the-registry-password", cloud.key]) expect(monitor).not.toContain(secret);
  });

  test("the short pipeline sends no password, and the secret that it names never leaves the jobs' vault for its monitor", async () => {
    const ran = await run(pipelineOf("Run-With-Lease"), { waitSeconds: 0 });
    expect(ran).toMatchObject({ status: "Succeeded" });
    expect(cloud.jobVault.calls).toContain("GET /secrets/job-greeting/");
    expect(JSON.stringify(ran.activities)).not.toContain("a-secret-greeting");
    expect(await jobsOf("name=bellaciao-short")).toMatchObject([
      { state: "Succeeded", pipeline: "Run-With-Lease", pipelineRunId: ran.runId },
    ]);
  });

  test("the template's pipeline sends parameters alone, and a new version of the template changes what it runs", async () => {
    const put = async (text: string): Promise<number> => {
      const headers = { "x-functions-key": cloud.key };
      const stored = await fetch(`${cloud.url}/api/templates/nightly`, { method: "PUT", headers, body: text });
      return stored.status;
    };
    const text = readFileSync(join(infra, "..", "examples", "nightly-template.yaml"), "utf8");
    expect(await put(text)).toBe(200);
    expect(await run(pipelineOf("Run-Template"), { waitSeconds: 0 })).toMatchObject({
      status: "Succeeded",
      message: "",
    });
    expect(await put(text.replace("name: nightly\n", "name: nightly-two\n"))).toBe(200);
    expect(await run(pipelineOf("Run-Template"), { waitSeconds: 0 })).toMatchObject({ status: "Succeeded" });
    expect(await jobsOf("template=nightly")).toMatchObject([
      { name: "nightly-two", templateVersion: 2, pipeline: "Run-Template" },
      { name: "nightly", templateVersion: 1, pipeline: "Run-Template" },
    ]);
  });

  test("the WebHook pipeline is called back when the job has ended", async () => {
    const ran = await run(pipelineOf("Run-With-WebHook"), { waitSeconds: 0 });
    expect(ran).toMatchObject({ status: "Succeeded", message: "" });
    expect(outputOf(ran, "Run-Container-Group")).toMatchObject({ state: "Succeeded", name: "bellaciao-webhook" });
  });

  test("the ForEach pipeline runs one definition side by side, each group under a name of its own", async () => {
    const ran = await run(pipelineOf("Run-For-Each"), { partitions: ["north", "south", "west"] });
    expect(ran).toMatchObject({ status: "Succeeded" });
    const jobs = (await jobsOf("state=Succeeded")).filter(({ name }) => name.startsWith("bellaciao-each"));
    expect(jobs).toHaveLength(3);
    expect(outputOf(ran, "For-Each-Partition")).toEqual({ ItemsCount: 3 });
  });

  test("the array's pipeline runs a job for each row of a file, and has every result in one reply", async () => {
    const ran = await run(pipelineOf("Run-Array"), { waitSeconds: 0 });
    expect(ran).toMatchObject({ status: "Succeeded", message: "" });
    expect(outputOf(ran, "Run-Array")).toMatchObject({
      name: "bellaciao-array",
      state: "Succeeded",
      array: { size: 3, succeeded: 3 },
      results: [0, 1, 2].map((index) => ({ index, state: "Succeeded", exitCode: 0 })),
    });
    const jobs = await jobsOf("name=bellaciao-array");
    expect(jobs).toMatchObject([{ state: "Succeeded", pipeline: "Run-Array", pipelineRunId: ran.runId }]);
  });

  test("the canceling pipeline waits for a job's end", async () => {
    const ran = await run(pipelineOf("Cancel-On-Failure"), { waitSeconds: 0 });
    expect(ran).toMatchObject({ status: "Succeeded" });
    expect(ran.activities.find(({ name }) => name === "Cancel-Container-Group")?.status).toBe("Skipped");
    expect(outputOf(ran, "Wait-For-End")).toMatchObject({ state: "Succeeded" });
  });

  test("the canceling pipeline cancels a job that takes too long, and fails", async () => {
    const pipeline = pipelineOf("Cancel-On-Failure");
    for (const activity of pipeline.properties.activities) {
      if (activity.type === "WebActivity" && activity.name === "Wait-For-End") activity.policy.timeout = "0.00:00:02";
    }
    const ran = await run(pipeline, { waitSeconds: 600 });
    expect(ran.status).toBe("Failed");
    expect(ran.message).toContain("The container group did not succeed:");
    expect(ran.activities.find(({ name }) => name === "Cancel-Container-Group")?.status).toBe("Succeeded");
    const canceled = await jobsOf("state=Canceled");
    expect(canceled.map(({ name }) => name.startsWith("bellaciao-cancel"))).toEqual([true]);
  });

  test("the pipeline of docs/data-factory-in-five-minutes.md runs its job, and shows no key", async () => {
    const page = readFileSync(join(infra, "../docs/data-factory-in-five-minutes.md"), "utf8");
    const [, pasted = ""] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
    const ran = await run(pipelineFrom(pasted), {
      proxyUrl: cloud.url,
      vaultUrl: "https://kgdemokeyvaultdev.vault.azure.net",
      image: "registry.azurecr.io/container1:latest",
    });
    expect(ran).toMatchObject({ status: "Succeeded", message: "" });
    expect(outputOf(ran, "Run-Job")).toMatchObject({ name: "my-first-job", state: "Succeeded" });
    expect(JSON.stringify(ran.activities)).not.toContain(cloud.key);
  });

  test("a job that fails fails its activity with a sentence, by polling and by WebHook", async () => {
    const failing = (name: string): Pipeline => {
      const text = JSON.stringify(pipelineOf(name)).replaceAll("/container1:latest", "/fails:latest");
      return { ...pipelineOf(name), ...(JSON.parse(text) as Pipeline) }; // the same pipeline, another image
    };
    for (const name of ["Run-With-WebHook", "Cancel-On-Failure"]) {
      const ran = await run(failing(name), { waitSeconds: 0 });
      expect(ran.status, name).toBe("Failed");
      expect(ran.message, name).toMatch(/Failed/);
    }
  });

  test("a vault without the key fails the pipeline before anything runs", async () => {
    cloud.vault.removeSecret("ACI-PROXY-KEY");
    const ran = await run(pipelineOf("Run-With-Lease"));
    cloud.vault.setSecret("ACI-PROXY-KEY", cloud.key);
    expect(ran.status).toBe("Failed");
    expect(ran.message).toContain("404");
    expect(ran.activities.find(({ name }) => name === "Run-Container-Group")?.status).toBe("Skipped");
  });
});

describe("Driven through a stack that takes tokens instead of keys", () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud("entra");
  });
  afterAll(() => cloud.stop());

  test("the key-less pipeline submits with the factory's identity, polls by a link, and shows no token", async () => {
    const ran = await runPipeline(pipelineOf("Run-With-Identity"), cloud.factory, { waitSeconds: 0 });
    expect(ran).toMatchObject({ status: "Succeeded", message: "" });
    expect(cloud.vault.calls).toEqual([]);
    expect(JSON.stringify(ran.activities)).not.toMatch(/Bearer|eyJ/);
    const response = await fetch(`${cloud.url}/api/jobs?name=bellaciao-identity`, {
      headers: { authorization: `Bearer ${await cloud.bearer("Job.Read")}` },
    });
    expect(await response.json()).toMatchObject({
      jobs: [{ state: "Succeeded", requestedBy: factoryIdentity, pipeline: "Run-With-Identity" }],
    });
  });

  test("the pipeline of docs/data-factory-without-keys.md runs the definition of that page, and has its result", async () => {
    const code = (name: string): string =>
      part("docs/data-factory-without-keys.md", name)
        .replace(/^```\w+\n/, "")
        .replace(/```$/, "");
    const stored = await fetch(`${cloud.url}/api/templates/load`, {
      method: "PUT",
      headers: { authorization: `Bearer ${await cloud.bearer("Job.Operate")}` },
      body: code("nightly template"),
    });
    expect(stored.status).toBe(200);
    const ran = await runPipeline(pipelineFrom(code("nightly pipeline")), cloud.factory, {
      proxyUrl: cloud.url,
      audience,
      region: "north",
    });
    expect(ran).toMatchObject({ status: "Succeeded", message: "" });
    expect(ran.activities).toMatchObject([
      { output: { result: { files: expect.any(Number) as unknown }, containers: { load: { exit_code: 0 } } } },
    ]);
    expect(JSON.stringify(ran.activities)).not.toMatch(/Bearer|eyJ/);
  });

  test("an identity without a role is refused with a sentence that names the role", async () => {
    const { world } = cloud.factory;
    const ran = await runPipeline(pipelineOf("Run-With-Identity"), {
      ...cloud.factory,
      world: { ...world, token: () => cloud.bearer("Job.Other") },
    });
    expect(ran).toMatchObject({ status: "Failed", message: expect.stringContaining("Job.Submit") as unknown });
  });
});
