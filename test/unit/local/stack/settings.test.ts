import { describe, expect, test } from "vitest";
import { engineHint } from "../../../../local/stack/engine.ts";
import { appSettings, demoSettings, stackSettings } from "../../../../local/stack/settings.ts";

const flags = { port: "7071", host: "embedded", verbose: false };

describe("the settings of npm start", () => {
  test("are a whole local stack unless the environment says otherwise", () => {
    expect(stackSettings(flags, {}, "/state")).toMatchObject({
      port: 7071,
      folder: "/state/7071",
      storage: "azurite",
      arm: { kind: "local", engine: "process" },
      key: "local",
    });
  });

  test("take the storage and the ARM that the environment names", () => {
    const env = { AzureWebJobsStorage: "theirs", AZURE_RESOURCE_MANAGER_ENDPOINT: "https://arm.example" };
    expect(stackSettings(flags, env, "/state")).toMatchObject({
      storage: "external",
      arm: { kind: "external", url: "https://arm.example" },
    });
    expect(stackSettings(flags, { AzureWebJobsStorage__accountName: "theirs" }, "/state")).toMatchObject({
      storage: "external",
    });
  });

  test("take an empty variable as one that is not set", () => {
    const env = { AzureWebJobsStorage: "", AZURE_RESOURCE_MANAGER_ENDPOINT: "", ACI_ENGINE: "", ACI_PROXY_KEY: "" };
    expect(stackSettings(flags, env, "/state")).toMatchObject({
      storage: "azurite",
      arm: { kind: "local" },
      key: "local",
    });
  });

  test.each(["0", "65536", "x", "", "70.5"])("refuse the port %j", (port) => {
    expect(stackSettings({ ...flags, port }, {}, "/state")).toEqual({
      faults: ["--port must be a number from 1 to 65535"],
    });
  });
});

describe("the app settings of a local stack", () => {
  const services = { arm: "http://127.0.0.1:1", storage: "ours" };

  test("leave what the caller set, and stand in for Azure's services", () => {
    const env = { AZURE_RESOURCE_GROUP: "mine", PUBLIC_URL: "https://proxy.example", SEAL_KEY_ID: "https://vault/k" };
    const settings = stackSettings(flags, env, "/state");
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
