import { describe, expect, test } from "vitest";
import { engineHint } from "../../../../local/stack/engine.ts";
import { appSettings, demoSettings, stackSettings, type StartFlags } from "../../../../local/stack/settings.ts";

const flags: StartFlags = { port: "7071", host: "embedded", verbose: false, control: false };

/** There are no files. */
const none = (path: string): string => {
  throw new Error(`ENOENT: ${path}`);
};

describe("the settings of npm start", () => {
  test("are a whole local stack unless the environment says otherwise", () => {
    expect(stackSettings(flags, {}, "/state", none)).toMatchObject({
      port: 7071,
      folder: "/state/7071",
      storage: "azurite",
      arm: { kind: "local", engine: "process" },
      key: "local",
    });
  });

  test("take the storage and the ARM that the environment names", () => {
    const env = {
      AzureWebJobsStorage: "UseDevelopmentStorage=true",
      AZURE_RESOURCE_MANAGER_ENDPOINT: "https://arm.example",
    };
    expect(stackSettings(flags, env, "/state", none)).toMatchObject({
      storage: "external",
      arm: { kind: "external", url: "https://arm.example" },
    });
    expect(stackSettings(flags, { AzureWebJobsStorage__accountName: "theirs" }, "/state", none)).toMatchObject({
      storage: "external",
    });
  });

  test("name a storage setting that can't be used, before anything is started", () => {
    expect(stackSettings(flags, { AzureWebJobsStorage: "nonsense" }, "/state", none)).toEqual({
      faults: [
        "AzureWebJobsStorage must be a storage account's whole connection string, without quotes, as the portal shows it",
      ],
    });
  });

  test("take an empty variable as one that is not set", () => {
    const env = { AzureWebJobsStorage: "", AZURE_RESOURCE_MANAGER_ENDPOINT: "", ACI_ENGINE: "", ACI_PROXY_KEY: "" };
    expect(stackSettings(flags, env, "/state", none)).toMatchObject({
      storage: "azurite",
      arm: { kind: "local" },
      key: "local",
    });
  });

  test("send telemetry where a flag says", () => {
    expect(stackSettings({ ...flags, otlp: "http://localhost:4318" }, { A: "b" }, "/state", none)).toMatchObject({
      env: { A: "b", OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" },
    });
    expect(stackSettings({ ...flags, otlp: "localhost:4318" }, {}, "/state", none)).toEqual({
      faults: ["--otlp must be an http address"],
    });
  });

  test.each(["0", "65536", "x", "", "70.5"])("refuse the port %j", (port) => {
    expect(stackSettings({ ...flags, port }, {}, "/state", none)).toEqual({
      faults: ["--port must be a number from 1 to 65535"],
    });
  });
});

describe("the faults of npm start", () => {
  const withFile = (text: string, env: NodeJS.ProcessEnv = {}, file: string | undefined = "faults.json") =>
    stackSettings({ ...flags, faults: file }, env, "/state", (path) => (path === "faults.json" ? text : none(path)));

  test("come from a file that a flag or ACI_FAULTS names", () => {
    const text = JSON.stringify([{ match: { kind: "put" }, effect: { type: "notVisible", seconds: 30 } }]);
    const expected = {
      arm: { faults: [{ match: { kind: "put" }, effect: { type: "notVisible", seconds: 30 }, probability: 1 }] },
    };
    expect(withFile(text)).toMatchObject(expected);
    expect(withFile(text, { ACI_FAULTS: "faults.json" }, undefined)).toMatchObject(expected);
  });

  test("may be trials, each for the group of its name", () => {
    const fault = { method: "PUT", status: 409, code: "ScopeLocked", text: "Locked." };
    const trials = { "a-b": { script: [{ state: "Running" }], expect: {} }, c: { fault } };
    expect(withFile(JSON.stringify({ about: "", trials }))).toMatchObject({
      arm: {
        faults: [
          { match: { name: "^a-b$" }, effect: { type: "script", script: [{ after: 0, state: "Running" }] } },
          { match: { name: "^c$", method: "PUT" }, effect: { type: "status", status: 409, code: "ScopeLocked" } },
        ],
      },
    });
  });

  test("are refused in one line where the file is missing, is no JSON, or asks for what is not known", () => {
    const line = (settings: object): unknown =>
      expect(settings).toMatchObject({ faults: [expect.not.stringContaining("\n")] });
    expect(withFile("{", {}, "missing.json")).toMatchObject({
      faults: ["the faults in missing.json can't be read: ENOENT: missing.json"],
    });
    line(withFile("{"));
    line(withFile(JSON.stringify([{ effect: { type: "earthquake" } }])));
  });

  test("are named with their place where a word, a value or a regular expression is wrong", () => {
    const effect = { type: "notVisible", seconds: 30 };
    const said = (...faults: object[]): string => JSON.stringify(withFile(JSON.stringify(faults)));
    expect(said({ effect }, { effect: { type: "earthquake" } })).toContain("at [1].effect.type");
    expect(said({ match: { kind: "putt" }, effect })).toContain("at [0].match.kind");
    expect(said({ match: { name: "(" }, effect })).toMatch(/regular expression.*at \[0\]\.match\.name/);
    expect(said({ effect: { ...effect, seconds: "x" } })).toContain("at [0].effect.seconds");
  });

  test("and the control endpoint are not for another ARM", () => {
    const env = { AZURE_RESOURCE_MANAGER_ENDPOINT: "https://arm.example" };
    expect(stackSettings({ ...flags, control: true }, env, "/state", none)).toHaveProperty("faults");
    expect(withFile("[]", env)).toHaveProperty("faults");
  });
});

describe("the app settings of a local stack", () => {
  const services = { vault: undefined, arm: "http://127.0.0.1:1", storage: "ours" };

  test("leave what the caller set, and stand in for Azure's services", () => {
    const env = { AZURE_RESOURCE_GROUP: "mine", PUBLIC_URL: "https://proxy.example", SEAL_KEY_ID: "https://vault/k" };
    const settings = stackSettings(flags, env, "/state", none);
    if ("faults" in settings) throw new Error("no faults are expected");
    expect(appSettings(settings, services)).toEqual({
      AZURE_FUNCTIONS_ENVIRONMENT: "Development",
      AZURE_SUBSCRIPTION_ID: "00000000-0000-0000-0000-000000000000",
      LOOK_INTERVAL_MIN: "PT1S",
      AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:00.5",
      AZURE_RESOURCE_MANAGER_ENDPOINT: "http://127.0.0.1:1",
      AzureWebJobsStorage: "ours",
    });
  });

  test("of the demo take nothing from the caller's storage and ARM, in either form", () => {
    const env = {
      PATH: "/bin",
      AzureWebJobsStorage: "production",
      AzureWebJobsStorage__accountName: "production",
      JobsStorage: "production",
      AZURE_RESOURCE_MANAGER_ENDPOINT: "https://production",
    };
    const settings = demoSettings(5000, "/tmp/demo", env, false);
    expect(settings).toMatchObject({ env: { PATH: "/bin" }, storage: "azurite", arm: { engine: "process" } });
    expect(settings).not.toMatchObject({ env: { JobsStorage: "production" } });
  });

  test("of the demo run its containers on the engine that is asked for, or say which there are", () => {
    expect(demoSettings(5000, "/tmp/demo", { ACI_ENGINE: "Podman" }, false)).toMatchObject({
      arm: { engine: "podman" },
    });
    const wrong = demoSettings(5000, "/tmp/demo", { ACI_ENGINE: "lxc" }, false);
    expect(wrong).toEqual({ faults: ["ACI_ENGINE must be one of process, podman, docker, simulated"] });
  });
});

describe("the hint about container engines", () => {
  test("names what was found, and is silent where another engine is in use already", () => {
    const podman = (path: string): boolean => path === "/run/user/1/podman/podman.sock";
    expect(engineHint("process", { XDG_RUNTIME_DIR: "/run/user/1" }, podman)).toContain("ACI_ENGINE=podman");
    expect(engineHint("podman", { XDG_RUNTIME_DIR: "/run/user/1" }, podman)).toBeUndefined();
    expect(engineHint("process", {}, () => false)).toBeUndefined();
  });
});
