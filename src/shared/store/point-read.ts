import { createHttpHeaders, createPipelineRequest, RestError, type HttpClient } from "@azure/core-rest-pipeline";
import type { TableClient } from "@azure/data-tables";

/** An entity that was found by its key. Types that JSON lacks are text, as the Table service sends them. */
export interface Found {
  readonly etag: string;
  readonly columns: Readonly<Record<string, unknown>>;
}

/**
 * @param known the ETag of what the caller has already
 * @returns `same` when the entity still has that ETag, `undefined` when there is no such entity
 */
export type PointRead = (
  partitionKey: string,
  rowKey: string,
  known: string | undefined,
) => Promise<Found | "same" | undefined>;

/**
 * Reads single entities of a table through its client's own pipeline (signing, retries), and leaves unread what the caller has already.
 * Each poll of each job is such a read, and most find the ETag that is known: the SDK's models would be made to be thrown away.
 *
 * Query Entities, https://learn.microsoft.com/rest/api/storageservices/query-entities
 *
 * @throws Error for every answer that is not an entity or its absence, and when there is no answer
 */
export function pointReader(client: TableClient, httpClient: HttpClient, columns: readonly string[]): PointRead {
  const { origin, pathname, search, protocol } = new URL(client.url);
  const table = `${origin}${pathname.replace(/\/$/, "")}/${client.tableName}`;
  // A connection string with a shared access signature carries it in the address.
  const query = `?$select=${columns.join(",")}${search.replace("?", "&")}`;
  return async (partitionKey, rowKey, known) => {
    const request = createPipelineRequest({
      url: `${table}(PartitionKey='${keyInUrl(partitionKey)}',RowKey='${keyInUrl(rowKey)}')${query}`,
      headers: createHttpHeaders({
        accept: "application/json;odata=minimalmetadata",
        dataserviceversion: "3.0",
        "x-ms-version": "2019-02-02",
      }),
      allowInsecureConnection: protocol === "http:",
    });
    const { status, headers, bodyAsText } = await client.pipeline.sendRequest(httpClient, request);
    if (status === 404) return undefined;
    if (status !== 200) throw new RestError(`The Table service answered ${status}.`, { statusCode: status });
    const etag = headers.get("etag");
    return known !== undefined && etag === known ? "same" : entityOf(bodyAsText ?? "", etag);
  };
}

/** A quote within a key is written twice. */
function keyInUrl(key: string): string {
  return encodeURIComponent(key.replaceAll("'", "''"));
}

function entityOf(body: string, etag: string | undefined): Found {
  const columns: unknown = JSON.parse(body);
  if (typeof columns !== "object" || columns === null) throw new RestError("The Table service answered no entity.");
  const told = etag ?? ("odata.etag" in columns ? columns["odata.etag"] : undefined);
  if (typeof told !== "string") throw new RestError("The Table service sent no ETag.");
  return { etag: told, columns: { ...columns } };
}
