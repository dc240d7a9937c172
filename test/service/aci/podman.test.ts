import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startAci } from "../../../local/aci/aci.ts";
import type { RunningAci } from "../../../local/aci/aci.ts";
import { freePorts } from "../../../local/stack/ports.ts";
import { startOf } from "../../../local/aci/engines/process/pids.ts";
import { startPart } from "../../kit/part.ts";
import { busybox, withoutPodman } from "../../kit/podman.ts";
import { isWanted } from "../../kit/wanted.ts";
import { container, definition, groupState, logOf, propertiesOf, temporaryFolder, until, viewOf, wire } from "./kit.ts";
import type { Wire } from "./kit.ts";

/**
 * Real containers, on podman: scripts/ci-engines.sh installs it, with the image busybox:1.36 and a registry. Where that is not there or
 * does not run, the tests are skipped by name, but in CI they fail.
 */
const obstacle = withoutPodman(["docker-registry", "htpasswd", "skopeo"]);
const wanted = isWanted(obstacle);

const sh = (name: string, script: string, more: object = {}): object =>
  container(name, {}, { image: busybox, command: ["/bin/sh", "-c", script], ...more });

const podman = (...words: string[]): string => execFileSync("podman", words, { encoding: "utf8" }).trim();

if (!wanted) it.skip(`the podman engine: skipped, because ${obstacle} (scripts/ci-engines.sh installs it)`);

describe.runIf(wanted)("the podman engine", () => {
  const folder = mkdtempSync(join(tmpdir(), "aci-podman-"));
  let registry: { port: number; stop(): void };
  let aci: RunningAci;

  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    writeFileSync(join(folder, "htpasswd"), execFileSync("htpasswd", ["-Bbn", "acruser", "s3cret"]));
    writeFileSync(
      join(folder, "registry.yml"),
      `version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: "127.0.0.1:${port}"}\nauth: {htpasswd: {realm: acr, path: ${folder}/htpasswd}}\n`,
    );
    const served = spawn("docker-registry", ["serve", join(folder, "registry.yml")], { stdio: "ignore" });
    registry = { port, stop: () => served.kill("SIGKILL") };
    writeFileSync(join(folder, "registries.conf"), `[[registry]]\nlocation = "127.0.0.1:${port}"\ninsecure = true\n`);
    process.env["CONTAINERS_REGISTRIES_CONF"] = join(folder, "registries.conf");
    await until(
      () =>
        fetch(`http://127.0.0.1:${port}/v2/`).then(
          ({ status }) => status,
          () => 0,
        ),
      (status) => status === 401,
    );
    const target = `docker://127.0.0.1:${port}/team/job:v1`;
    execFileSync("skopeo", [
      "copy",
      "--quiet",
      "--dest-tls-verify=false",
      "--dest-creds",
      "acruser:s3cret",
      `containers-storage:${busybox}`,
      target,
    ]);
    aci = await startAci({
      engine: "podman",
      stateFolder: join(folder, "state"),
      containersFolder: join(folder, "none"),
      graceSeconds: 0.5,
    });
  });

  afterAll(async () => {
    await aci.stop();
    registry.stop();
    delete process.env["CONTAINERS_REGISTRIES_CONF"];
    const ours = `label=aci-local.owner=${process.pid}:${startOf(process.pid) ?? ""}`;
    expect(podman("ps", "--all", "--quiet", "--filter", ours)).toBe("");
    rmSync(folder, { recursive: true, force: true });
  });

  const call = (method: string, path: string, body?: unknown): Promise<Wire> => wire(aci.url, method, path, body);
  const get = (name: string): Promise<Wire> => call("GET", `containerGroups/${name}`);
  const log = async (name: string, of: string): Promise<string> =>
    logOf(await call("GET", `containerGroups/${name}/containers/${of}/logs`));
  const state = (name: string, wanted: string): Promise<Wire> =>
    until(
      () => get(name),
      (seen) => groupState(seen) === wanted,
    );

  async function put(name: string, containers: object[], rest: object = {}): Promise<Wire> {
    onTestFinished(async () => {
      await call("DELETE", `containerGroups/${name}`);
    });
    return call("PUT", `containerGroups/${name}`, definition({}, { containers, ...rest }));
  }

  it("runs a group whose containers share localhost and volumes, after its init containers", async () => {
    const mounts = { volumeMounts: [{ name: "shared", mountPath: "/shared" }] };
    await put(
      "shares",
      [
        sh(
          "server",
          "cat /shared/first; httpd -f -p 8080 -h /shared & until [ -f /shared/done ]; do sleep 0.1; done",
          mounts,
        ),
        sh(
          "client",
          "until wget -qO- http://localhost:8080/first 2>/dev/null; do sleep 0.1; done; touch /shared/done; echo $GREETING >&2; exit 3",
          {
            ...mounts,
            environmentVariables: [{ name: "GREETING", secureValue: "hello" }],
          },
        ),
      ],
      {
        initContainers: [
          sh("init", "sleep 0.2; echo init-was-here > /shared/first", { ...mounts, resources: undefined }),
        ],
        volumes: [{ name: "shared", emptyDir: {} }],
      },
    );
    const ended = await state("shares", "Failed");
    expect(await log("shares", "server")).toBe("init-was-here\n");
    expect(await log("shares", "client")).toBe("init-was-here\nhello\n");
    expect(viewOf(ended, 0)).toMatchObject({ currentState: { exitCode: 0, detailStatus: "Completed" } });
    expect(viewOf(ended, 1)).toMatchObject({ currentState: { exitCode: 3, detailStatus: "Error" } });
  });

  it("mounts secrets, and shares that outlive the group", async () => {
    const volumes = [
      { name: "files", secret: { password: Buffer.from("pa55").toString("base64") } },
      { name: "share", azureFile: { shareName: "out", storageAccountName: "acct", storageAccountKey: "k" } },
    ];
    const mounts = { volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/mnt/${name}` })) };
    await put("writes", [sh("app", "cat /mnt/files/password; echo kept > /mnt/share/x", mounts)], { volumes });
    await state("writes", "Succeeded");
    expect(await log("writes", "app")).toBe("pa55");
    await call("DELETE", "containerGroups/writes");
    await put("reads", [sh("app", "cat /mnt/share/x", mounts)], { volumes });
    await state("reads", "Succeeded");
    expect(await log("reads", "app")).toBe("kept\n");
  });

  it("ends a container that takes more memory than its limit, and says so", async () => {
    const resources = { requests: { cpu: 1, memoryInGB: 0.05 } };
    await put("hungry", [sh("app", "tail /dev/zero", { resources })]);
    const ended = await state("hungry", "Failed");
    expect(viewOf(ended)).toMatchObject({ currentState: { exitCode: 137, detailStatus: "OOMKilled" } });
  });

  it("ends a container whose program is not there with exit code 128 and an event", async () => {
    await put("lost", [container("app", {}, { image: busybox, command: ["/no/such/program"] })]);
    const ended = await state("lost", "Failed");
    expect(viewOf(ended)).toMatchObject({ currentState: { exitCode: 128 } });
    expect(JSON.stringify(viewOf(ended)?.["events"])).toContain("/no/such/program");
  });

  it("restarts under OnFailure, with a file system of its own each time", async () => {
    const mounts = { volumeMounts: [{ name: "state", mountPath: "/state" }] };
    const script = "ls /trace 2>&1; touch /trace; [ -f /state/tried ] && exit 0; touch /state/tried; exit 5";
    await put("again", [sh("app", script, mounts)], {
      restartPolicy: "OnFailure",
      volumes: [{ name: "state", emptyDir: {} }],
    });
    const ended = await state("again", "Succeeded");
    expect(viewOf(ended)).toMatchObject({ restartCount: 1, previousState: { exitCode: 5 } });
    expect(await log("again", "app")).toContain("No such file");
  });

  it("publishes ports, and runs probes", async () => {
    const [port = 0] = await freePorts(1);
    const probe = { periodSeconds: 1, failureThreshold: 1 };
    const web = sh("web", `mkdir /www; echo hi > /www/index.html; exec httpd -f -p ${port} -h /www`, {
      ports: [{ port }],
      livenessProbe: { ...probe, httpGet: { path: "/gone", port }, initialDelaySeconds: 2 },
      readinessProbe: { ...probe, exec: { command: ["false"] } },
    });
    await put("web", [web], { restartPolicy: "Always", ipAddress: { type: "Public", ports: [{ port }] } });
    const running = await state("web", "Running");
    const ip = propertiesOf(running)?.ipAddress?.ip ?? "";
    for (const host of [ip, "127.0.0.1"]) {
      const page = await until(
        () =>
          fetch(`http://${host}:${port}/`).then(
            (reply) => reply.text(),
            () => "",
          ),
        (text) => text !== "",
      );
      expect(page).toBe("hi\n");
    }
    const restarted = await until(
      () => get("web"),
      (seen) => Number(viewOf(seen)?.restartCount) > 0,
    );
    const events = JSON.stringify(viewOf(restarted)?.["events"]);
    expect(events).toContain("Liveness probe failed: HTTP probe failed with statuscode: 404");
    expect(events).toContain("Readiness probe failed: command exited with 1");
  });

  it("stops what ignores SIGTERM", async () => {
    await put("stubborn", [sh("app", "trap '' TERM; echo up; while :; do sleep 1; done")]);
    await until(
      () => log("stubborn", "app"),
      (text) => text === "up\n",
    );
    expect((await call("POST", "containerGroups/stubborn/stop")).status).toBe(204);
    const stopped = await get("stubborn");
    expect(groupState(stopped)).toBe("Stopped");
    expect(viewOf(stopped)).toMatchObject({
      currentState: { state: "Terminated", exitCode: 137, detailStatus: "Error" },
    });
  });

  describe("with a private registry", () => {
    const server = (): string => `127.0.0.1:${registry.port}`;
    const asked = (name: string, image: string, password: string): Promise<Wire> =>
      put(name, [container("app", {}, { image, command: ["echo", "from the registry"] })], {
        imageRegistryCredentials: [{ server: server(), username: "acruser", password }],
      });

    it("pulls with the caller's credentials", async () => {
      expect((await asked("private", `${server()}/team/job:v1`, "s3cret")).status).toBe(201);
      await state("private", "Succeeded");
      expect(await log("private", "app")).toBe("from the registry\n");
    });

    it.each([
      ["a wrong password", () => `${server()}/team/job:v1`, "wrong"],
      ["a missing tag", () => `${server()}/team/job:v2`, "s3cret"],
      ["an unreachable registry", () => "127.0.0.1:1/team/job:v1", "s3cret"],
    ])("answers 400 InaccessibleImage to %s", async (_, image, password) => {
      const refused = await asked("refused", image(), password);
      expect(refused).toMatchObject({ status: 400, body: { error: { code: "InaccessibleImage" } } });
      expect((await get("refused")).status).toBe(404);
    });
  });

  it("builds a folder of the image's name, as the process engine runs it", async () => {
    const containersFolder = temporaryFolder({
      "built/Dockerfile": 'FROM busybox:1.36\nCOPY run.sh /app/\nWORKDIR /app\nENTRYPOINT ["/bin/sh", "run.sh"]\n',
      "built/run.sh": "pwd; echo built\n",
    });
    const other = await startAci({ engine: "podman", stateFolder: temporaryFolder(), containersFolder });
    onTestFinished(() => other.stop());
    const image = { image: "any.azurecr.io/team/built:latest" };
    await wire(other.url, "PUT", "containerGroups/job", definition({}, { containers: [container("app", {}, image)] }));
    await until(
      () => wire(other.url, "GET", "containerGroups/job"),
      (seen) => groupState(seen) === "Succeeded",
    );
    const { body } = await wire(other.url, "GET", "containerGroups/job/containers/app/logs");
    expect(body).toEqual({ content: "/app\nbuilt\n" });
  });

  it("leaves nothing behind when it is killed, from the next start on", async () => {
    const options = { engine: "podman", stateFolder: temporaryFolder(), containersFolder: join(folder, "none") };
    const start = async () => {
      const part = await startPart("aci", options);
      onTestFinished(() => part.end("SIGKILL"));
      return part;
    };
    const first = await start();
    await wire(first.url, "PUT", "containerGroups/job", definition({}, { containers: [sh("app", "sleep 1000")] }));
    await until(
      () => wire(first.url, "GET", "containerGroups/job"),
      (seen) => groupState(seen) === "Running",
    );
    await first.end("SIGKILL");
    const second = await start();
    const owned = podman("ps", "--all", "--format", "{{.Labels}}", "--filter", "label=aci-local.owner");
    expect(owned).not.toContain(`:${first.child.pid ?? 0}:`);
    const { body } = await wire(second.url, "GET", "containerGroups/job");
    expect(JSON.stringify(body)).toContain('"exitCode":7147');
    await second.end("SIGTERM");
  }, 90_000);
});
