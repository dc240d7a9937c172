import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { everythingIn, formsOf, hostKey, startService, until, writingsOf, type Reply, type Service } from "./kit.ts";

/**
 * Jobs full of marked secrets go through success and every kind of failure; then everything that was written anywhere is searched for
 * the marks. Left out are the queues that posters write to, for what they put there themselves.
 */
const mark = (where: string): string => `Mark-${where}/7 é&x=+${where.length}`;
const marks = {
  password: mark("password"),
  variable: mark("variable"),
  storageKey: mark("storage-key"),
  workspaceKey: mark("workspace-key"),
  file: mark("file"),
  vault: mark("vault"),
  callback: "Mark-callback-7-token",
  url: "Mark-url-7",
};

let service: Service;
let caller: { readonly server: Server; readonly url: string; readonly bodies: string[] };

beforeAll(async () => {
  service = await startService({ MASK_OUTPUT: "true", READ_KEY: "a-key-that-only-reads" });
  service.vault.setSecret("job-secret", marks.vault);
  caller = await startCaller();
}, 120_000);
afterAll(async () => {
  caller.server.close();
  caller.server.closeAllConnections();
  await service.stop();
});

async function startCaller(): Promise<typeof caller> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(`${request.url ?? ""} ${body}`);
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a server that listens on TCP has one
  return { server, bodies, url: `http://localhost:${port}/${marks.callback}?code=${marks.callback}` };
}

/** A definition with a mark in each place that is secret; `env` tells the simulated engine what to do. */
function definition(name: string, env: Record<string, string> = {}, more: object = {}): object {
  return {
    name,
    location: "westeurope",
    properties: {
      osType: "Linux",
      restartPolicy: "Never",
      imageRegistryCredentials: [{ server: "registry.example", username: "u", password: marks.password }],
      containers: [
        {
          name: "app",
          properties: {
            image: "registry.example/team/job:1",
            resources: { requests: { cpu: 1, memoryInGB: 1 } },
            environmentVariables: [
              { name: "A", secureValue: marks.variable },
              { name: "B", secureValue: "${keyvault:job-secret}" },
              ...Object.entries({ SIM_RUN_SECONDS: "0", ...env }).map(([variable, value]) => ({
                name: variable,
                value,
              })),
            ],
          },
        },
      ],
      volumes: [
        { name: "share", azureFile: { shareName: "s", storageAccountName: "a", storageAccountKey: marks.storageKey } },
        { name: "files", secret: { file: Buffer.from(marks.file).toString("base64") } },
        { name: "source", gitRepo: { repository: `https://user:${marks.url}@git.example/x` } },
      ],
      diagnostics: { logAnalytics: { workspaceId: "w", workspaceKey: marks.workspaceKey } },
      ...more,
    },
  };
}

const trigger = (body: string | object, query = ""): Promise<Reply> =>
  service.call("POST", `/api/trigger${query}`, typeof body === "string" ? body : JSON.stringify(body));

async function submit(body: object, query = ""): Promise<string> {
  const reply = await trigger(body, query);
  expect(reply.status).toBeLessThan(300);
  return String(reply.body["id"]);
}

/** The job's final reply, once its group is gone. */
async function ended(id: string): Promise<Reply> {
  return until(`job ${id} to end`, async () => {
    const reply = await service.call("GET", `/api/status/${id}`);
    return [200, 500].includes(reply.status) && reply.body["groupDeleted"] !== false ? reply : undefined;
  });
}

/** What Azure says of a request that it refuses, quoting what it was sent in several forms. */
const { callback: _never, ...sentToAzure } = marks;
const quoting = `Not acceptable: ${Object.values(sentToAzure).flatMap(writingsOf).join(" ")}`;
const refuse = (method: "PUT" | "GET" | "DELETE", name: string, count: number): number =>
  service.aci.faults.add({
    match: { method, name: `^${name}$` },
    effect: { type: "status", status: 400, code: "InvalidRequestContent", message: quoting },
    probability: 1,
    count,
  });

test("a job of which Azure refuses reads and the delete for a while, quoting it", async () => {
  refuse("GET", "unreadable", 2);
  refuse("DELETE", "unreadable", 1);
  const id = await submit(definition("unreadable", { SIM_RUN_SECONDS: "5" }));
  await service.call("GET", `/api/jobs/${id}`);
  for (let n=0;n<25;n++){ await new Promise(r=>setTimeout(r,1500)); const {body}=await service.call("GET", `/api/jobs/${id}`); console.log(n, body["state"], body["reason"], body["message"], JSON.stringify(body["stopping"]), body["lookAt"], new Date().toISOString(), body["groupDeleted"]); if(n==24) console.log(JSON.stringify(body["history"])) }
});

