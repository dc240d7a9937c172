import { describe, expect, it } from "vitest";
import { text as textOf } from "node:stream/consumers";
import { faultSchema } from "../../local/aci/control/faults.ts";
import { tableNames } from "../../src/shared/store/connect.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { follow, get, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const secrets = [
  "hunter2-secure-value",
  "hunter2-registry-password",
  "hunter2-storage-key",
  "hunter2-callback-signature",
];
const definition = `
callBackUri: https://example.azure.com/callback?sig=${secrets[3] ?? ""}
${yaml("discreet", { seconds: 60 }).replace("{name: SIM_EXIT_CODE", `{name: TOKEN, secureValue: ${secrets[0] ?? ""}}\n          - {name: SIM_EXIT_CODE`)}
  imageRegistryCredentials: [{server: registry.example, username: reader, password: ${secrets[1] ?? ""}}]
  volumes: [{name: share-volume, azureFile: {shareName: s, storageAccountName: a, storageAccountKey: ${secrets[2] ?? ""}}}]
`;

/** Every byte that lies in storage, as text, and as the text that base64 in it says. */
async function everything({ storage }: Bench): Promise<string> {
  const parts: string[] = [];
  const add = (bytes: Uint8Array): void => {
    parts.push(
      Buffer.from(bytes).toString("utf8"),
      Buffer.from(Buffer.from(bytes).toString("latin1"), "base64").toString("utf8"),
    );
  };
  for (const name of Object.values(tableNames)) {
    for await (const entity of storage.table(name).listEntities()) {
      for (const value of Object.values(entity))
        add(value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value)));
    }
  }
  for (const name of Object.values(queueNames)) {
    const { peekedMessageItems } = await storage.queues.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
    for (const { messageText } of peekedMessageItems) add(Buffer.from(messageText));
  }
  for await (const { name } of storage.blobs.listContainers()) {
    const container = storage.blobs.getContainerClient(name);
    for await (const blob of container.listBlobsFlat()) {
      const { readableStreamBody } = await container.getBlobClient(blob.name).download();
      if (readableStreamBody) add(Buffer.from(await textOf(readableStreamBody)));
    }
  }
  return parts.join("\n");
}

describe("secrets", () => {
  it("are nowhere in tables, queues, blobs and replies, while ACI gets them", async () => {
    const bench = await openBench();
    const { id, body } = await post(bench.deps, definition);
    let seen = `${await everything(bench)}${JSON.stringify(body)}`;
    await follow(bench, id, ({ phase }) => phase.state === "Running");
    seen += `${await everything(bench)}${JSON.stringify((await get(bench.deps, id)).body)}`;
    const atAci = JSON.stringify([...bench.aci.provider.all()].map((group) => group.definition));
    for (const secret of secrets.slice(0, 3)) {
      expect(seen, secret).not.toContain(secret);
      expect(atAci, secret).toContain(secret);
    }
    expect(seen).not.toContain(secrets[3]);
    expect(atAci).not.toContain(secrets[3]);
    expect(seen).toContain("discreet");
  });

  it("in Azure's own error are masked", async () => {
    const bench = await openBench();
    const effect = {
      type: "status",
      status: 400,
      code: "BadValue",
      message: `The value ${secrets[0] ?? ""} is wrong.`,
    } as const;
    bench.aci.faults.add({ match: { kind: "put" }, effect, probability: 1, count: 1 });
    const { id } = await post(bench.deps, definition);
    await follow(bench, id, ({ phase }) => phase.state === "Failed");
    const reply = JSON.stringify((await get(bench.deps, id)).body);
    expect(reply).toContain("The value *** is wrong.");
    expect(`${reply}${await everything(bench)}`).not.toContain(secrets[0]);
  });

  it("in whatever ACI says of a group are masked, also where they are cut", async () => {
    const bench = await openBench();
    const secret = secrets[0] ?? "";
    const events = [
      { name: `Failed${secret}`, type: `Warning ${secret}`, message: "x".repeat(290) + secret, count: 1 },
    ];
    const ended = {
      state: "Terminated",
      startTime: "@1",
      finishTime: "@2",
      exitCode: 3,
      detailStatus: `Exit ${secret}`,
    };
    const script = [{ state: "Failed", events, containers: [{ restartCount: 0, currentState: ended }] }];
    const effect = { type: "script", script };
    bench.aci.faults.add(faultSchema.parse({ match: { name: "^discreet$" }, effect, probability: 1 }));
    const { id } = await post(bench.deps, definition);
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Failed", verdict: { exitCode: 3 } });
    const seen = `${JSON.stringify((await get(bench.deps, id)).body)}${await everything(bench)}`;
    expect(seen).toContain("Failed***");
    expect(seen).not.toContain(secret.slice(0, 10));
  });
});
