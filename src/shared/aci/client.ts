import { ContainerInstanceManagementClient } from "@azure/arm-containerinstance";
import { createHttpHeaders, createPipelineRequest, type PipelineResponse } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { z } from "zod";
import { retryAfter, second } from "../base/duration.ts";
import { reasonOfArmError } from "../job/reasons.ts";
import { groupSeen, parseArmGroup, type ArmGroup } from "./arm-group.ts";
import { messageOf } from "../base/errors.ts";
import type { AzureError, Observation, Placed } from "../job/job.ts";
import type { JsonObject } from "../base/json.ts";
import type { CreateAnswer, DeleteAnswer } from "../job/arm-answers.ts";
import { requestTimeout } from "../job/step.ts";
import { isLoopback, type Target } from "../config/settings.ts";
import type { ArmKind, ArmRemaining } from "../limits/windows.ts";

/**
 * Azure Container Instances through ARM's REST interface, and nothing above this file knows its URLs or words. Requests travel
 * through the official client's authenticated pipeline; the bodies are raw, because the client's models drop what they don't know.
 *
 * Nothing is retried here: after an unclear answer the world is looked at.
 */
export interface AciOptions {
  readonly endpoint: string;
  readonly credential: TokenCredential;
  readonly installation: string;
  readonly now: () => number;
  /** Told of every call, for the counters. */
  readonly counted?: (kind: ArmKind, status: number) => void;
  /** Told how many calls of a kind ARM says are left, wherever a reply says so. */
  readonly limits?: (remaining: ArmRemaining) => void;
}

/** What a read of something gave. */
export type Read<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "absent" }
  | ({ readonly kind: "unknown" } & Extract<Observation, { group: "unknown" }>);

/** Reads, and the calls without a body, use a version that every cloud has. */
const apiVersion = "2023-05-01";
/** Of Microsoft.Resources, for the resource group itself. */
const resourcesVersion = "2021-04-01";
const mostMessage = 2000;

const errorBody = z.looseObject({
  error: z.looseObject({ code: z.string().nullish(), message: z.string().nullish() }),
});

export class Aci {
  readonly #client: ContainerInstanceManagementClient;
  readonly #options: AciOptions;
  readonly #locations = new Map<string, string>();

  constructor(options: AciOptions) {
    this.#options = options;
    const { endpoint, credential } = options;
    this.#client = new ContainerInstanceManagementClient(credential, "00000000-0000-0000-0000-000000000000", {
      endpoint,
      retryOptions: { maxRetries: 0 },
    });
    // A token must not travel over plain http, and a local ACI wants none.
    if (isLoopback(endpoint)) this.#client.pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
  }

  /** The group as it is now. A failed read is `unknown`, never `absent`. */
  async observe(placed: Placed, name: string): Promise<Observation> {
    const read = await this.#read(groupUrl(placed, name), parseArmGroup);
    if (read.kind === "value") return { group: "present", ...groupSeen(read.value, this.#options.installation) };
    return read.kind === "absent" ? { group: "absent" } : read;
  }

  /** Sends the definition as it is. The answer comes at once; the group starts later. */
  async create(
    placed: Placed,
    name: string,
    version: string,
    body: JsonObject,
    redact: (text: string) => string,
  ): Promise<CreateAnswer> {
    const sent = await this.#send("PUT", groupUrl(placed, name), version, body);
    if (sent.kind === "silence") return { kind: "unclear", azure: sent.azure };
    const { response } = sent;
    if (response.status === 200 || response.status === 201 || response.status === 202) return { kind: "accepted" };
    const told = this.#errorOf(response);
    const azure = { ...told, message: redact(told.message) };
    if (response.status >= 500 || response.status === 408) return { kind: "unclear", azure };
    const detail = `${azure.code}: ${azure.message}`;
    return { kind: "refused", reason: reasonOfArmError(azure), azure, retryAfter: this.#delayOf(response), detail };
  }

  async remove(placed: Placed, name: string): Promise<DeleteAnswer> {
    return this.#act("DELETE", groupUrl(placed, name));
  }

  async stop(placed: Placed, name: string): Promise<DeleteAnswer> {
    return this.#act("POST", `${groupUrl(placed, name)}/stop`);
  }

  /** Gives a group these tags beside those that it has: ACI's PATCH replaces all of them. */
  async tag(placed: Placed, name: string, tags: Readonly<Record<string, string>>): Promise<DeleteAnswer> {
    const url = groupUrl(placed, name);
    const read = await this.#read(url, parseArmGroup);
    if (read.kind === "absent") return { kind: "absent" };
    if (read.kind === "unknown") return { ...read, kind: "refused" };
    return this.#act("PATCH", url, { tags: { ...given(read.value.tags), ...tags } });
  }

  /** A container's log with a timestamp before each line, as far as ACI still has it. */
  async logs(placed: Placed, name: string, container: string, tail?: number): Promise<Read<string>> {
    const query = { timestamps: "true", ...(tail === undefined ? {} : { tail: String(tail) }) };
    const content = z.looseObject({ content: z.string().nullish() });
    return this.#read(
      `${groupUrl(placed, name)}/containers/${encodeURIComponent(container)}/logs`,
      (json) => content.safeParse(json).data?.content ?? (content.safeParse(json).success ? "" : undefined),
      query,
    );
  }

  /** Whether ARM answers us, by the cheapest read there is. */
  async ping(target: Target): Promise<"ok" | "refused" | "unknown"> {
    const read = await this.#read(resourceGroupUrl(target), (json) => json, {}, resourcesVersion);
    if (read.kind === "value") return "ok";
    return read.kind === "absent" || read.reason === "NotAuthorized" ? "refused" : "unknown";
  }

  /** The region of a resource group, asked once. */
  async locationOf(target: Target): Promise<Read<string>> {
    if (target.location !== undefined) return { kind: "value", value: target.location };
    const path = resourceGroupUrl(target);
    const known = this.#locations.get(path);
    if (known !== undefined) return { kind: "value", value: known };
    const group = z.looseObject({ location: z.string() });
    const read = await this.#read(path, (json) => group.safeParse(json).data?.location, {}, resourcesVersion);
    if (read.kind === "value") this.#locations.set(path, read.value);
    return read;
  }

  /**
   * All groups of a resource group: names, tags and provisioning states; a list carries no instance view.
   * `unknown` when any page failed: a partial list is no list.
   */
  async list(target: Target): Promise<Read<readonly ArmGroup[]>> {
    const page = z.looseObject({ value: z.array(z.unknown()), nextLink: z.string().nullish() });
    const groups: ArmGroup[] = [];
    let [url, query]: [string, Record<string, string>] = [groupsUrl(target), {}];
    for (;;) {
      const read: Read<z.infer<typeof page>> = await this.#read(url, (json) => page.safeParse(json).data, query);
      if (read.kind !== "value") return read;
      for (const item of read.value.value) {
        const group = parseArmGroup(item);
        if (group === undefined) return this.#unreadable();
        groups.push(group);
      }
      if (!read.value.nextLink) return { kind: "value", value: groups };
      const next: URL = new URL(read.value.nextLink, this.#options.endpoint);
      // Only our own ARM gets our token.
      if (next.origin !== new URL(this.#options.endpoint).origin) return this.#unreadable();
      [url, query] = [next.pathname, Object.fromEntries(next.searchParams)];
    }
  }

  async #act(method: "DELETE" | "POST" | "PATCH", url: string, body?: JsonObject): Promise<DeleteAnswer> {
    const sent = await this.#send(method, url, apiVersion, body);
    if (sent.kind === "silence") return { kind: "unclear", azure: sent.azure };
    const { response } = sent;
    if (response.status === 204 && method === "DELETE") return { kind: "absent" };
    if (response.status === 404) return { kind: "absent" };
    if (response.status < 300) return { kind: "accepted" };
    const azure = this.#errorOf(response);
    if (response.status >= 500 || response.status === 408) return { kind: "unclear", azure };
    return { kind: "refused", reason: reasonOfArmError(azure), azure, retryAfter: this.#delayOf(response) };
  }

  async #read<T>(
    path: string,
    parse: (json: unknown) => T | undefined,
    query: Record<string, string> = {},
    version = apiVersion,
  ): Promise<Read<T>> {
    const sent = await this.#send("GET", path, version, undefined, query);
    if (sent.kind === "silence")
      return { kind: "unknown", group: "unknown", reason: "ArmUnavailable", retryAfter: undefined, azure: sent.azure };
    const { response } = sent;
    if (response.status === 404) {
      const { code } = this.#errorOf(response);
      // A missing subscription or resource group is somebody's mistake, not a missing group.
      return /^(ResourceNotFound|NotFound|)$/i.test(code) ? { kind: "absent" } : this.#refused(response);
    }
    if (response.status !== 200) return this.#refused(response);
    const value = parse(parseJson(response.bodyAsText));
    return value === undefined ? this.#unreadable() : { kind: "value", value };
  }

  #refused(response: PipelineResponse): Read<never> {
    const azure = this.#errorOf(response);
    const reason = response.status === 404 ? "ArmUnavailable" : reasonOfArmError(azure);
    return { kind: "unknown", group: "unknown", reason, retryAfter: this.#delayOf(response), azure };
  }

  #unreadable(): Read<never> {
    return {
      kind: "unknown",
      group: "unknown",
      reason: "ArmUnavailable",
      retryAfter: undefined,
      azure: { code: "Unreadable", message: "ARM's reply could not be read.", httpStatus: 200 },
    };
  }

  async #send(
    method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE",
    path: string,
    version: string,
    body: JsonObject | undefined,
    query: Record<string, string> = {},
  ): Promise<{ kind: "answer"; response: PipelineResponse } | { kind: "silence"; azure: AzureError }> {
    const kind = method === "GET" ? "read" : method === "DELETE" ? "delete" : "write";
    const request = createPipelineRequest({
      url: `${this.#options.endpoint}${path}?${new URLSearchParams({ ...query, "api-version": version }).toString()}`,
      method,
      headers: createHttpHeaders({
        accept: "application/json",
        ...(body ? { "content-type": "application/json" } : {}),
      }),
      ...(body ? { body: JSON.stringify(body) } : {}),
      timeout: method === "GET" ? 15 * second : requestTimeout,
      allowInsecureConnection: isLoopback(this.#options.endpoint),
    });
    try {
      const response = await this.#client.sendRequest(request);
      this.#options.counted?.(kind, response.status);
      const remaining = remainingIn(response, kind, path);
      if (remaining) this.#options.limits?.(remaining);
      return { kind: "answer", response };
    } catch (error) {
      this.#options.counted?.(kind, 0);
      const code =
        typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
          ? error.code
          : isWithoutToken(error)
            ? noToken
            : "NoAnswer";
      return { kind: "silence", azure: { code, message: messageOf(error).slice(0, mostMessage), httpStatus: 0 } };
    }
  }

  #errorOf(response: PipelineResponse): AzureError {
    const parsed = errorBody.safeParse(parseJson(response.bodyAsText));
    const header = (name: string): string | undefined => response.headers.get(name);
    const [correlationId, requestId] = [header("x-ms-correlation-request-id"), header("x-ms-request-id")];
    return {
      code: parsed.data?.error.code ?? "",
      message: (parsed.data?.error.message ?? "").slice(0, mostMessage),
      httpStatus: response.status,
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(requestId === undefined ? {} : { requestId }),
    };
  }

  #delayOf(response: PipelineResponse): number | undefined {
    return retryAfter(response.headers.get("retry-after"), this.#options.now());
  }
}

/** The code of a call that was not sent, because our identity got no token for it. */
export const noToken = "NoToken";

/** The identity library's own errors, by their names. */
function isWithoutToken(error: unknown): boolean {
  return error instanceof Error && /^(Aggregate)?AuthenticationError$|^CredentialUnavailableError$/.test(error.name);
}

/** The least that ARM's headers tell of this kind of call: it counts by region of its own and over all of them. */
function remainingIn({ headers }: PipelineResponse, kind: ArmKind, path: string): ArmRemaining | undefined {
  const told = ["subscription", "subscription-global"]
    .map((scope) => headers.get(`x-ms-ratelimit-remaining-${scope}-${kind}s`))
    .flatMap((text) => (text !== undefined && /^\d{1,9}$/.test(text) ? [Number(text)] : []));
  const subscriptionId = /^\/subscriptions\/([^/]+)\//.exec(path)?.[1];
  return told.length === 0 || subscriptionId === undefined
    ? undefined
    : { kind, subscriptionId, count: Math.min(...told) };
}

function given(tags: ArmGroup["tags"]): Record<string, string> {
  return Object.fromEntries(Object.entries(tags ?? {}).map(([name, value]) => [name, value ?? ""]));
}

function resourceGroupUrl({ subscriptionId, resourceGroup }: Pick<Target, "subscriptionId" | "resourceGroup">): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${encodeURIComponent(resourceGroup)}`;
}

function groupsUrl({ subscriptionId, resourceGroup }: Pick<Target, "subscriptionId" | "resourceGroup">): string {
  return `${resourceGroupUrl({ subscriptionId, resourceGroup })}/providers/Microsoft.ContainerInstance/containerGroups`;
}

function groupUrl(placed: Placed, name: string): string {
  return `${groupsUrl(placed)}/${encodeURIComponent(name)}`;
}

function parseJson(text: string | null | undefined): unknown {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
