import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
  plain: mark("plain-variable"),
  header: mark("probe-header"),
  word: mark("command-word"),
  callback: "Mark-callback-7-token",
  url: "Mark-url-7",
};

let service: Service;
let caller: { readonly server: Server; readonly url: string; readonly bodies: string[] };

beforeAll(async () => {
  // Ten times as fast: after a refusal the app waits ten seconds and more.
  service = await startService({ MASK_OUTPUT: "true", READ_KEY: "a-key-that-only-reads" }, 10);
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

/** A definition with a mark in each secret position; `env` controls the simulated engine. */
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
            command: ["run", "--password", marks.word],
            livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: "Authorization", value: marks.header }] } },
            environmentVariables: [
              { name: "DB_PASSWORD", value: marks.plain },
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

describe.concurrent("jobs full of secrets go through", () => {
  test("a job that succeeds: ACI gets every secret, and what the container wrote of them is masked", async () => {
    const output = `using ${marks.variable} and ${marks.vault}\n`;
    const body = { ...definition("good", { SIM_OUTPUT: output }), callBackUri: caller.url };
    const id = await submit(body, "?polling=true");
    const { status, body: told } = await ended(id);
    expect(status).toBe(200);
    expect(told).toMatchObject({ containers: { app: { output: "using *** and ***\n" } } });
    expect((await service.call("GET", `/api/logs/${id}`)).text).toBe("using *** and ***\n");
    const sent = service.sent.get("good") ?? "";
    for (const secret of [marks.password, marks.variable, marks.vault, marks.storageKey, marks.workspaceKey])
      expect(sent).toContain(JSON.stringify(secret));
    expect(sent).toContain(Buffer.from(marks.file).toString("base64"));
    await until("the callback", () => (caller.bodies.length > 0 ? true : undefined));
    expect(caller.bodies[0]).toContain(marks.callback);
  });

  test("a job whose program fails, and its second attempt", async () => {
    const id = await submit(definition("fails", { SIM_EXIT_CODE: "3", SIM_OUTPUT: marks.password }), "?retries=1");
    expect((await ended(id)).body).toMatchObject({ reason: "ExitCode", exitCode: 3, attempt: 2 });
  });

  test("a job that Azure refuses, quoting what it was sent", async () => {
    refuse("PUT", "refused", 99);
    const { body } = await ended(await submit(definition("refused")));
    expect(body).toMatchObject({ state: "Failed", reason: "InvalidDefinition" });
    expect(JSON.stringify(body["azure"])).toContain("Not acceptable: ***");
    const record = await service.call("GET", `/api/jobs/${String(body["id"])}`);
    expect(JSON.stringify(record.body["azure"])).toContain("***");
  });

  test("a job of which Azure refuses reads and the delete for a while, quoting it", async () => {
    const id = await submit(definition("unreadable", { SIM_RUN_SECONDS: "3" }));
    await until("it to run", async () => {
      const { body } = await service.call("GET", `/api/status/${id}`);
      return body["state"] === "Running" ? true : undefined;
    });
    refuse("GET", "unreadable", 1);
    refuse("DELETE", "unreadable", 1);
    expect((await ended(id)).body).toMatchObject({ state: "Succeeded" });
  });

  test("a job that refers to a secret that the vault doesn't have", async () => {
    const text = JSON.stringify(definition("no-secret")).replace("job-secret", "job-none");
    expect((await ended(await submit(JSON.parse(text) as object))).body).toMatchObject({ reason: "VaultRefused" });
  });

  test("jobs that are canceled, deleted, run again", async () => {
    const id = await submit(definition("canceled", { SIM_RUN_SECONDS: "600" }));
    await service.call("DELETE", `/api/delete/${id}`);
    expect((await ended(id)).body).toMatchObject({ state: "Canceled" });
    const again = await service.call("POST", `/api/jobs/${id}/rerun`);
    await service.call("DELETE", `/api/delete/${String(again.body["id"])}`);
    await ended(String(again.body["id"]));
  });

  test.each<[string, string | object, string]>([
    ["broken YAML", `name: x\n  password: "${marks.password}\n : [`, ""],
    ["a tab", `name: x\nproperties:\n\tpassword: ${marks.password}`, ""],
    ["broken JSON", `{"name": "x", "password": "${marks.password}"`, ""],
    [
      "a secret of a wrong type",
      JSON.stringify(definition("wrong")).replace(`"${marks.variable}"`, `["${marks.variable}"]`),
      "",
    ],
    [
      "a secret where no secret belongs",
      { ...definition(marks.password), password: marks.password, [marks.variable]: 1 },
      "?strict=true",
    ],
    ["a secret as a name", definition(marks.url.toLowerCase() + "_"), ""],
    ["a secret in an option", definition("option"), `?timeout=${encodeURIComponent(marks.variable)}`],
    [
      "a secret in the options block",
      { ...definition("option"), "x-aciproxy": { retries: marks.variable, main: marks.url } },
      "",
    ],
    [
      "a callback to a forbidden address",
      { ...definition("callback"), callBackUri: `https://evil.example/${marks.callback}` },
      "",
    ],
    [
      "a broken envelope",
      { version: 1, id: marks.url, definition: definition("envelope"), options: { [marks.url]: 1 } },
      "",
    ],
    ["a vault reference that may not be", JSON.stringify(definition("prefix")).replace("job-secret", "other"), ""],
  ])("a body is refused: %s", async (_, body, query) => {
    const reply = await trigger(body, query);
    expect(reply.status).toBe(400);
    expect(String(reply.body["message"]).length).toBeLessThanOrEqual(300);
  });

  test("jobs that posters put on the queue, good ones, bad ones, and no jobs at all", async () => {
    const good = "0198f000-0000-4000-8000-000000000001";
    const bad = "0198f000-0000-4000-8000-000000000002";
    const broken = "0198f000-0000-4000-8000-000000000003";
    await service.post("aci-jobs", JSON.stringify({ version: 1, id: good, definition: definition("posted") }));
    await service.post(
      "aci-jobs",
      btoa(JSON.stringify({ version: 1, id: bad, definition: `name: p\n  x: [${marks.url}` })),
    );
    await service.post("aci-jobs", JSON.stringify({ version: 1, id: broken, definition: 7, options: marks.url }));
    await service.post("aci-jobs", `name: ${marks.url}\nproperties: ${marks.url}`);
    expect((await ended(good)).status).toBe(200);
    expect((await ended(bad)).body).toMatchObject({ reason: "InvalidDefinition" });
    expect((await ended(broken)).body).toMatchObject({ reason: "InvalidMessage" });
  });
});

test("messages on the poison queue are reported, not shown", async () => {
  await service.post("aci-jobs-poison", JSON.stringify(definition("poison")));
  const reply = await service.call("GET", "/api/poison");
  expect(reply.body["messages"]).toHaveLength(1);
});

test("while the vault is away nothing is taken, and nothing of what was sent is shown", async () => {
  service.vault.fail({ status: 503, code: "Unavailable" });
  const text = JSON.stringify(definition("waiting")).replace(
    "job-secret",
    "job-secret/00000000000000000000000000000001",
  );
  const { body } = await trigger(text);
  const id = String(body["id"]);
  await until("the job to wait", async () => {
    const { body: told } = await service.call("GET", `/api/status/${id}`);
    return told["reason"] === "VaultUnavailable" ? true : undefined;
  });
  service.vault.fail();
  expect((await ended(id)).status).toBe(200);
});

test("no mark is anywhere, in any form", async () => {
  for (const path of [
    "/api/jobs",
    "/api/jobs?state=active",
    "/api/jobs?format=csv",
    "/api/health/details",
    "/api/openapi.json",
  ])
    await service.call("GET", path);
  const { body } = await service.call("GET", "/api/jobs");
  const rows = Array.isArray(body["jobs"]) ? (body["jobs"] as { id: string }[]) : [];
  expect(rows.length).toBeGreaterThan(8);
  for (const { id } of rows) await service.call("GET", `/api/jobs/${id}`);
  const definitions = await Promise.all(rows.map(({ id }) => service.call("GET", `/api/jobs/${id}/definition`)));
  expect(definitions.filter(({ status, text }) => status === 200 && text.includes("***")).length).toBeGreaterThan(5);

  const found = await everythingIn(service.azurite.connectionString, ["aci-jobs", "aci-jobs-poison"]);
  found.push({ where: "the log", bytes: Buffer.from(service.log()) });
  for (const [index, reply] of service.replies.entries())
    found.push({ where: `reply ${index}`, bytes: Buffer.from(reply) });
  expect(found.map(({ where }) => where)).toEqual(
    expect.arrayContaining(["table jobs definition", "table attempts data0, decompressed"]),
  );

  const leaks = found.flatMap(({ where, bytes }) =>
    Object.entries({ ...marks, hostKey }).flatMap(([name, secret]) =>
      formsOf(secret).some((form) => bytes.includes(form)) ? [`${name} in ${where}`] : [],
    ),
  );
  expect(leaks).toEqual([]);
});

test("the search would have found them", () => {
  for (const secret of Object.values(marks)) {
    for (const text of writingsOf(secret))
      expect(formsOf(secret).some((form) => Buffer.from(text).includes(form))).toBe(true);
  }
});
