import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { container, definition, groupState, logOf, serve, temporaryFolder, until, viewOf, wire } from "./kit.ts";
import type { Wire } from "./kit.ts";

const IMAGES = {
  "Job/Dockerfile":
    'FROM busybox:1.36\nWORKDIR /app\nENV GREETING="Hello World!"\nCOPY run.sh ./\nENTRYPOINT ["/bin/sh", "/app/run.sh"]\n',
  "Job/run.sh": 'pwd | sed "s|.*/root||"\necho "$GREETING $EXTRA"\necho oops >&2\nexit ${CODE:-0}\n',
};

async function processes(more: object = {}) {
  const containersFolder = temporaryFolder(IMAGES);
  const stateFolder = temporaryFolder();
  const { url } = await serve({ engine: "process", containersFolder, stateFolder, graceSeconds: 0.2, ...more });
  const call = (method: string, path: string, body?: unknown): Promise<Wire> => wire(url, method, path, body);
  const get = (name: string): Promise<Wire> => call("GET", `containerGroups/${name}`);
  return {
    url,
    stateFolder,
    call,
    get,
    log: async (name: string, of: string): Promise<string> =>
      logOf(await call("GET", `containerGroups/${name}/containers/${of}/logs`)),
    put: async (name: string, containers: object[], rest: object = {}): Promise<void> => {
      const reply = await call("PUT", `containerGroups/${name}`, definition({}, { containers, ...rest }));
      expect([reply.status, reply.body]).toMatchObject([201, {}]);
    },
    state: (name: string, wanted: string): Promise<Wire> =>
      until(
        () => get(name),
        (seen) => groupState(seen) === wanted,
      ),
  };
}

const sh = (name: string, script: string, more: object = {}): object =>
  container(name, {}, { image: "r.azurecr.io/Team/job:1".toLowerCase(), command: ["/bin/sh", "-c", script], ...more });

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // A zombie that nobody has reaped yet runs no more.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};

describe("the process engine", () => {
  it("runs an image's own command in its working folder, with its variables and the container's", async () => {
    const aci = await processes();
    await aci.put("job", [container("app", { EXTRA: "and you", CODE: 3 }, { image: "registry.example/any/job:v7" })]);
    const ended = await aci.state("job", "Failed");
    expect(viewOf(ended)).toMatchObject({ currentState: { state: "Terminated", exitCode: 3, detailStatus: "Error" } });
    expect(await aci.log("job", "app")).toBe("/app\nHello World! and you\noops\n");
  });

  it("lets `command` take the place of the image's", async () => {
    const aci = await processes();
    await aci.put("job", [container("app", {}, { image: "job", command: ["/bin/sh", "/app/run.sh"] })]);
    await aci.state("job", "Succeeded");
    expect(await aci.log("job", "app")).toContain("Hello World!");
  });

  it("refuses an image that it has not, at the PUT", async () => {
    const aci = await processes();
    const unknown = definition({}, { containers: [container("app", {}, { image: "r.example/other:1" })] });
    const reply = await aci.call("PUT", "containerGroups/job", unknown);
    expect(reply).toMatchObject({ status: 400, body: { error: { code: "InaccessibleImage" } } });
    expect((await aci.get("job")).status).toBe(404);
  });

  it("ends a container whose program is not there with exit code 128 and an event", async () => {
    const aci = await processes();
    await aci.put("job", [container("app", {}, { image: "job", command: ["/no/such/program"] })]);
    const ended = await aci.state("job", "Failed");
    expect(viewOf(ended)).toMatchObject({ currentState: { exitCode: 128 } });
    expect(JSON.stringify(viewOf(ended)?.["events"])).toContain("no such file or directory");
  });

  it("keeps secrets from the environment of this service", async () => {
    process.env["SERVICE_SECRET"] = "hush";
    const aci = await processes();
    await aci.put("job", [sh("app", "env")]);
    await aci.state("job", "Succeeded");
    expect(await aci.log("job", "app")).not.toContain("hush");
    delete process.env["SERVICE_SECRET"];
  });

  it("shares volumes among containers, at their mount paths in commands", async () => {
    const aci = await processes();
    const mounts = (...names: string[]): object => ({
      volumeMounts: names.map((name) => ({ name, mountPath: `/mnt/${name}` })),
    });
    await aci.put(
      "job",
      [
        sh(
          "reader",
          "until [ -f /mnt/shared/go ]; do sleep 0.05; done; cat /mnt/files/password",
          mounts("shared", "files"),
        ),
        sh("writer", "echo kept > /mnt/share/out; touch /mnt/shared/go", mounts("shared", "share")),
      ],
      {
        volumes: [
          { name: "shared", emptyDir: {} },
          { name: "files", secret: { password: Buffer.from("s3cret").toString("base64") } },
          { name: "share", azureFile: { shareName: "results", storageAccountName: "acct", storageAccountKey: "k" } },
        ],
      },
    );
    await aci.state("job", "Succeeded");
    expect(await aci.log("job", "reader")).toBe("s3cret");
    await aci.call("DELETE", "containerGroups/job");
    expect(readFileSync(join(aci.stateFolder, "shares/acct/results/out"), "utf8")).toBe("kept\n");
  });

  it("clones a gitRepo volume", async () => {
    const repository = temporaryFolder({ "hello.txt": "from git\n" });
    const git = (...words: string[]): void => {
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...words], { cwd: repository });
    };
    git("init", "--quiet");
    git("add", ".");
    git("commit", "--quiet", "-m", "one");
    const aci = await processes();
    await aci.put(
      "job",
      [sh("app", "cat /mnt/code/hello.txt", { volumeMounts: [{ name: "code1", mountPath: "/mnt/code" }] })],
      {
        volumes: [{ name: "code1", gitRepo: { repository, directory: "." } }],
      },
    );
    await aci.state("job", "Succeeded");
    expect(await aci.log("job", "app")).toBe("from git\n");
  });

  it("runs init containers first and in order", async () => {
    const aci = await processes();
    const mount = { volumeMounts: [{ name: "order", mountPath: "/order" }], resources: undefined };
    await aci.put("job", [sh("app", "cat /order/log", { volumeMounts: mount.volumeMounts })], {
      initContainers: [
        sh("one", "sleep 0.2; echo one >> /order/log", mount),
        sh("two", "echo two >> /order/log", mount),
      ],
      volumes: [{ name: "order", emptyDir: {} }],
    });
    await aci.state("job", "Succeeded");
    expect(await aci.log("job", "app")).toBe("one\ntwo\n");
    expect(await aci.log("job", "one")).toBe("");
  });

  it("restarts under OnFailure until it ends well", async () => {
    const aci = await processes();
    const script = "echo try; [ -f /state/tried ] && exit 0; touch /state/tried; exit 5";
    await aci.put("job", [sh("app", script, { volumeMounts: [{ name: "state", mountPath: "/state" }] })], {
      restartPolicy: "OnFailure",
      volumes: [{ name: "state", emptyDir: {} }],
    });
    const ended = await aci.state("job", "Succeeded");
    expect(viewOf(ended)).toMatchObject({
      restartCount: 1,
      previousState: { exitCode: 5 },
      currentState: { exitCode: 0 },
    });
  });

  it("leaves nothing of a container running that ended or was stopped, whatever it started or ignores", async () => {
    const aci = await processes();
    await aci.put("job", [
      sh("ends", "sleep 1000 & echo $!"),
      sh("stays", "trap '' TERM; sleep 1000 & echo $!; wait; wait"),
    ]);
    const pid = (name: string): Promise<number> =>
      until(
        async () => Number(await aci.log("job", name)),
        (seen) => seen > 0,
      );
    const [ended, stays] = [await pid("ends"), await pid("stays")];
    await until(
      () => Promise.resolve(alive(ended)),
      (living) => !living,
    );
    expect(alive(stays)).toBe(true);
    expect((await aci.call("POST", "containerGroups/job/stop")).status).toBe(204);
    expect(alive(stays)).toBe(false);
    const stopped = await aci.get("job");
    expect(groupState(stopped)).toBe("Stopped");
    expect(viewOf(stopped, 1)).toMatchObject({ currentState: { state: "Terminated", exitCode: 137 } });
  });

  it("restarts a container whose liveness probe fails, and reports one that is not ready", async () => {
    const aci = await processes();
    const probe = (command: string): object => ({
      exec: { command: ["/bin/sh", "-c", command] },
      periodSeconds: 1,
      failureThreshold: 1,
    });
    const probes = { livenessProbe: probe("[ -f /state/again ]"), readinessProbe: probe("exit 1") };
    const mounts = { volumeMounts: [{ name: "state", mountPath: "/state" }] };
    const script = "[ -f /state/tried ] && touch /state/again; touch /state/tried; sleep 1000";
    await aci.put("job", [sh("app", script, { ...mounts, ...probes })], {
      restartPolicy: "OnFailure",
      volumes: [{ name: "state", emptyDir: {} }],
    });
    const seen = await until(
      () => aci.get("job"),
      (look) =>
        Number(viewOf(look)?.restartCount) >= 1 && JSON.stringify(viewOf(look)).includes("Readiness probe failed"),
    );
    expect(viewOf(seen)).toMatchObject({ previousState: { exitCode: 137 } });
    const events = JSON.stringify(viewOf(seen)?.["events"]);
    expect(events).toContain("Liveness probe failed: command exited with 1");
    expect(events).toContain("Container app failed liveness probe, will be restarted");
  });

  it("removes a deleted group's folders", async () => {
    const aci = await processes();
    await aci.put("job", [sh("app", "sleep 1000")]);
    await aci.state("job", "Running");
    expect((await aci.call("DELETE", "containerGroups/job")).status).toBe(202);
    await until(
      () => aci.get("job"),
      ({ status }) => status === 404,
    );
    expect(
      execFileSync("find", [join(aci.stateFolder, "groups"), join(aci.stateFolder, "records"), "-mindepth", "1"], {
        encoding: "utf8",
      }),
    ).toBe("");
  });

  it("writes no secret in clear into its folder, beside the volume that the container reads", async () => {
    const aci = await processes();
    const secret = { environmentVariables: [{ name: "S", secureValue: "hush-hush" }] };
    await aci.put("job", [sh("app", "echo ${#S}", secret)], {
      imageRegistryCredentials: [{ server: "r.azurecr.io", username: "u", password: "hush-hush" }],
    });
    await aci.state("job", "Succeeded");
    expect(await aci.log("job", "app")).toBe("9\n");
    const found = execFileSync("sh", ["-c", `grep -r hush-hush ${aci.stateFolder} || true`], { encoding: "utf8" });
    expect(found).toBe("");
    expect(existsSync(join(aci.stateFolder, "records"))).toBe(true);
  });
});
