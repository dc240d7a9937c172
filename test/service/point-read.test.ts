import { AzureNamedKeyCredential, generateAccountSas } from "@azure/data-tables";
import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Found, PointRead } from "../../src/shared/store/point-read.ts";
import { connectStorage, storageCall } from "../../src/shared/store/connect.ts";
import { startAzurite, type Azurite } from "../kit/azurite.ts";

const connect = (value: string) => connectStorage({ kind: "connectionString", setting: "tests", value });
const readerOf = (value: string): PointRead => connect(value).pointReader("points", ["text", "count"]);

/** The parts of a connection string by their names. */
const partsOf = (value: string) => new Map([...value.matchAll(/(\w+)=([^;]+)/g)].map(([, name, part]) => [name, part]));

describe("reading one entity by its key", () => {
  let azurite: Azurite;
  const key = { partitionKey: "it's", rowKey: "50 % ä'&+" };

  beforeAll(async () => {
    azurite = await startAzurite();
    const table = connect(azurite.connectionString).table("points");
    await table.createTable();
    await table.createEntity({ ...key, text: "grün", count: 3, other: "not asked for" });
  });
  afterAll(() => azurite.stop());

  async function found(connection: string): Promise<Found> {
    const read = await readerOf(connection)(key.partitionKey, key.rowKey, undefined);
    if (read === undefined || read === "same") throw new Error("It was not found.");
    return read;
  }

  it("gives the columns that were asked for, and the ETag that a conditional update takes", async () => {
    const { columns, etag } = await found(azurite.connectionString);
    expect(columns).toMatchObject({ text: "grün", count: 3 });
    expect(columns).not.toHaveProperty("other");
    const table = connect(azurite.connectionString).table("points");
    const { etag: next } = await table.updateEntity({ ...key, text: "blau" }, "Merge", { etag });
    expect((await found(azurite.connectionString)).etag).toBe(next);
    await expect(table.updateEntity({ ...key, text: "rot" }, "Merge", { etag })).rejects.toMatchObject({
      statusCode: 412,
    });
  });

  it("says that it is the same to who has it already", async () => {
    const { etag } = await found(azurite.connectionString);
    expect(await readerOf(azurite.connectionString)(key.partitionKey, key.rowKey, etag)).toBe("same");
    expect(await readerOf(azurite.connectionString)(key.partitionKey, key.rowKey, `${etag} `)).not.toBe("same");
  });

  it("gives nothing where there is no such entity, or no such table", async () => {
    expect(await readerOf(azurite.connectionString)(key.partitionKey, "other", undefined)).toBeUndefined();
    const elsewhere = connect(azurite.connectionString).pointReader("nowhere", ["text"]);
    expect(await elsewhere("a", "b", undefined)).toBeUndefined();
  });

  it("goes with a shared access signature as with a key", async () => {
    const parts = partsOf(azurite.connectionString);
    const credential = new AzureNamedKeyCredential(parts.get("AccountName") ?? "", `${parts.get("AccountKey")}`);
    const sas = generateAccountSas(credential, {
      resourceTypes: "sco",
      services: { table: true },
      permissions: { query: true },
    });
    const endpoints = ["Table", "Queue", "Blob"].map(
      (service) => `${service}Endpoint=${parts.get(`${service}Endpoint`)}`,
    );
    const signed = [...endpoints, `SharedAccessSignature=${sas}`].join(";");
    expect((await found(signed)).columns).toMatchObject({ count: 3 });
  });

  it("is unavailable for a key that the service refuses", async () => {
    const wrong = azurite.connectionString.replace(/AccountKey=[^;]+/, "AccountKey=d3Jvbmc=");
    await expect(storageCall(() => readerOf(wrong)("a", "b", undefined))).rejects.toMatchObject({ service: "storage" });
  });
});

describe("an answer without the header ETag", () => {
  it.each([
    ["has it in its body", JSON.stringify({ "odata.etag": "W/1", text: "a" }), "W/1"],
    ["is an error when it is not an entity", "[", undefined],
    ["is an error when it is empty", "", undefined],
    ["is an error when it has no ETag at all", "{}", undefined],
  ])("%s", async (_, body, etag) => {
    const server = createServer((__, response) => response.end(body)).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const address = server.address();
      if (typeof address !== "object" || address === null) throw new Error("not listening");
      const endpoints = ["Table", "Queue", "Blob"].map((name) => `${name}Endpoint=http://127.0.0.1:${address.port}/a`);
      const read = readerOf(["DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5", ...endpoints].join(";"));
      const answer = storageCall(() => read("p", "r", undefined));
      if (etag === undefined) await expect(answer).rejects.toMatchObject({ service: "storage" });
      else expect(await answer).toMatchObject({ etag, columns: { text: "a" } });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
