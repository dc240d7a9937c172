import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { withoutPodman } from "../kit/podman.ts";
import { isWanted } from "../kit/wanted.ts";

/** The sample images, built from their Dockerfiles as they stand and run as containers. */
const folder = new URL("../../Containers/", import.meta.url).pathname;
const obstacle = withoutPodman();

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function podman(...words: readonly string[]): Ended {
  return spawnSync("podman", words, { encoding: "utf8", timeout: 60_000 });
}

function runSample(name: string, variables: Readonly<Record<string, string>>): Ended {
  const tag = `localhost/sample-${name}:${randomUUID()}`;
  const built = podman("build", "--quiet", "--pull=never", "--tag", tag, `${folder}${name}`);
  expect(built.status, built.stderr).toBe(0);
  onTestFinished(() => void podman("rmi", "--force", tag));
  const env = Object.entries(variables).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
  return podman("run", "--rm", "--network", "none", ...env, tag);
}

if (!isWanted(obstacle)) it.skip(`the sample images: skipped, because ${obstacle}`);

describe.runIf(isWanted(obstacle))("the sample images build and run", () => {
  const samples: Readonly<Record<string, () => void>> = {
    container1: () => {
      expect(runSample("container1", { WAIT_SECONDS: "0" })).toMatchObject({ status: 0, stdout: "Hello World!\n" });
    },
    "json-result": () => {
      const { status, stdout } = runSample("json-result", { STEPS: "1" });
      expect(status).toBe(0);
      expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({ files: 1, steps: 1 });
    },
    fails: () => {
      const { status, stderr } = runSample("fails", { EXIT_CODE: "42" });
      expect(status).toBe(42);
      expect(stderr).toContain("fails on purpose");
    },
  };

  it.each(Object.entries(samples))("%s", (_, runs) => runs());

  it("all of them", () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(samples).sort());
  });
});
