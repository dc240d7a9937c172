import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { withoutPodman } from "../../kit/podman.ts";
import { isWanted } from "../../kit/wanted.ts";

/** The demo's container groups are the same on every engine, and so is what it prints, but for times and ids. */
const root = fileURLToPath(new URL("../../..", import.meta.url));

async function resultOn(engine: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ["dist-local/main.mjs", "demo"], {
    cwd: root,
    env: { ...process.env, ACI_ENGINE: engine },
  });
  return JSON.parse(
    stdout
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, "TIME")
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID")
      .replaceAll(/localhost:\d+/g, "HOST"),
  );
}

const obstacle = withoutPodman();
const onProcesses = resultOn("process");

test("the demo ends the same on the simulated engine", async () => {
  expect(await resultOn("simulated")).toEqual(await onProcesses);
});

test.runIf(isWanted(obstacle))("the demo ends the same on podman", async () => {
  expect(await resultOn("podman")).toEqual(await onProcesses);
});

if (!isWanted(obstacle)) test.skip(`the demo ends the same on podman: skipped, because ${obstacle}`);

test("a missing engine is reported in one line", async () => {
  await expect(resultOn("lxc")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("ACI_ENGINE must be one of process, podman, docker, simulated") as string,
  });
});
