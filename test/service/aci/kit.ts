import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ContainerInstanceManagementClient } from "@azure/arm-containerinstance";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { startAci } from "../../../local/aci/aci.ts";
import type { RunningAci, StartOptions } from "../../../local/aci/aci.ts";

export const SUBSCRIPTION = "11111111-2222-3333-4444-555555555555";
export const GROUP = "rg-test";

/** A service that ends with the test. */
export async function serve(options: StartOptions): Promise<RunningAci> {
  const aci = await startAci(options);
  onTestFinished(() => aci.stop());
  return aci;
}

export function temporaryFolder(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "aci-test-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
  }
  return folder;
}

/** The official client against loopback http: its bearer policy, which refuses that, is replaced by our own. */
export function armClient(url: string): ContainerInstanceManagementClient {
  const credential = {
    getToken: () => Promise.resolve({ token: "local", expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const client = new ContainerInstanceManagementClient(credential, SUBSCRIPTION, {
    endpoint: url,
    retryOptions: { maxRetries: 0 },
  });
  client.pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
  const plain: PipelinePolicy = {
    name: "loopback",
    sendRequest(request, next) {
      request.allowInsecureConnection = true;
      request.headers.set("authorization", "Bearer local");
      return next(request);
    },
  };
  client.pipeline.addPolicy(plain, { phase: "Sign" });
  return client;
}

export interface Wire {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON; `undefined` where there is no body. */
  readonly body: unknown;
}

/** One request as it goes over the wire. `path` is below the resource group, or absolute. */
export async function wire(url: string, method: string, path: string, body?: unknown): Promise<Wire> {
  const base = path.startsWith("/")
    ? path
    : `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}/providers/Microsoft.ContainerInstance/${path}`;
  const query =
    base.includes("api-version") || base.startsWith("/local")
      ? ""
      : `${base.includes("?") ? "&" : "?"}api-version=2023-05-01`;
  const response = await fetch(`${url}${base}${query}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

const shown = z.object({
  properties: z.looseObject({
    ipAddress: z.object({ ip: z.string().optional() }).optional(),
    instanceView: z.looseObject({ state: z.string() }).optional(),
    containers: z.array(
      z.object({ properties: z.object({ instanceView: z.looseObject({ restartCount: z.number() }).optional() }) }),
    ),
  }),
});

/** A group's `properties`; nothing where the reply is an error. */
export const propertiesOf = ({ body }: Wire) => shown.safeParse(body).data?.properties;

export const groupState = (reply: Wire): string | undefined => propertiesOf(reply)?.instanceView?.state;

/** The instance view of one container. */
export const viewOf = (reply: Wire, index = 0) => propertiesOf(reply)?.containers[index]?.properties.instanceView;

/** What a reply to .../logs shows; nothing where it is an error. */
export const logOf = ({ body }: Wire): string => z.object({ content: z.string() }).safeParse(body).data?.content ?? "";

/** The smallest definition that is taken; `env` controls the simulated engine. */
export function definition(env: Record<string, string | number> = {}, more: object = {}): object {
  return {
    location: "westeurope",
    properties: {
      osType: "Linux",
      restartPolicy: "Never",
      containers: [container("app", env)],
      ...more,
    },
  };
}

export const container = (name: string, env: Record<string, string | number> = {}, more: object = {}): object => ({
  name,
  properties: {
    image: "registry.example/team/job:1",
    resources: { requests: { cpu: 1, memoryInGB: 1 } },
    environmentVariables: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
    ...more,
  },
});

/** Waits until a look shows what is wanted; fails with the last look after half a minute. */
export async function until<T>(look: () => Promise<T>, wanted: (seen: T) => boolean, seconds = 30): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (wanted(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`Not seen in ${seconds} s; last: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
