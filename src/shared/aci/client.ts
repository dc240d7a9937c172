import { ContainerInstanceManagementClient } from "@azure/arm-containerinstance";
import {
  createHttpHeaders,
  createPipelineRequest,
  type PipelineRequest,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { z } from "zod";
import { retryAfter, second } from "../base/duration.ts";
import { createFailure, isNotFound, isTargetGone, isUnclear, readErrorBody } from "./error-body.ts";
import { operationIn, remainingIn } from "./headers.ts";
import { readRefusal } from "../job/arm-errors.ts";
import { observedGroup, parseArmGroup, parseListedGroup, type ListedGroup } from "./arm-group.ts";
import { noTelemetry, spanOfCall, type Telemetry } from "../base/telemetry.ts";
import { messageOf } from "../base/errors.ts";
import type { AzureError, JobTarget } from "../job/job.ts";
import type { CreateFailure, Observation } from "../job/observation.ts";
import type { InstallationTag } from "./installation-tag.ts";
import { groupUrl, groupsUrl, resourceGroupUrl, templateOf } from "./urls.ts";
import { noToken } from "./no-token.ts";
import { type JsonObject, parseJson } from "../base/json.ts";
import type { CreateAnswer, DeleteAnswer } from "../job/arm-answers.ts";
import { requestTimeout } from "../job/step.ts";
import { tailOf } from "../store/log-merge.ts";
import { isLoopback, type Target } from "../config/settings.ts";
import type { ArmRemaining } from "../limits/windows.ts";

/**
 * Azure Container Instances through ARM's REST interface, and nothing above this file knows its URLs or words. Requests travel
 * through the official client's authenticated pipeline; the bodies are raw, because the client's models drop what they don't know.
 *
 * Nothing is retried here: after an unclear answer the group is observed.
 */
export interface AciOptions {
  readonly endpoint: string;
  readonly credential: TokenCredential;
  readonly tag: InstallationTag;
  readonly now: () => number;
  readonly telemetry?: Telemetry;
  /** Called with the number of calls of a kind that ARM says are left, whenever a reply contains it. */
  readonly limits?: (remaining: ArmRemaining) => void;
}

/** What a read of something gave. */
export type Read<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "absent" }
  | ({ readonly kind: "unknown" } & Extract<Observation, { group: "unknown" }>);

/** How ARM answers us; `retryAfter` in milliseconds. */
export type Ping =
  | { readonly arm: "ok" | "refused" | "unknown" }
  | { readonly arm: "throttled"; readonly retryAfter: number | undefined };

/** Reads, and the calls without a body, use a version that every cloud has. */
const apiVersion = "2023-05-01";
/** Of Microsoft.Resources, for the resource group itself. */
const resourcesVersion = "2021-04-01";
const [maxCode, maxMessage] = [200, 2000];
/** Twice what ACI keeps of a log. Whether it counts the timestamps is not published: of many short lines they are most. */
const maxLog = 8 * 1024 * 1024;
/** Pages that go on for longer are no list. */
const maxListTime = 40 * second;

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
    // Bodies are read here: a reply whose body is no JSON still has a status and a Retry-After.
    this.#client.pipeline.removePolicy({ name: "deserializationPolicy" });
    // A token must not travel over plain http, and a local ACI does not need one.
    if (isLoopback(endpoint)) this.#client.pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
  }

  /** The group as it is now. A failed read is `unknown`, never `absent`. */
  async observe(placed: JobTarget, name: string): Promise<Observation> {
    const read = await this.#read(groupUrl(placed, name), parseArmGroup);
    const check = { tag: this.#options.tag, place: { ...placed, name } };
    if (read.kind === "value") return { group: "present", ...observedGroup(read.value, check) };
    return read.kind === "absent" ? { group: "absent" } : read;
  }

  /** Sends the definition as it is. The answer comes at once; the group starts later. */
  async create(
    placed: JobTarget,
    name: string,
    version: string,
    body: JsonObject,
    redact: (text: string) => string,
  ): Promise<CreateAnswer> {
    const sent = await this.#send("PUT", groupUrl(placed, name), version, body);
    if (sent.kind === "silence") return { kind: "unclear", azure: sent.azure };
    const { response } = sent;
    if (response.status === 200 || response.status === 201 || response.status === 202)
      return isPage(response)
        ? { kind: "unclear", azure: unreadable(response.status) }
        : { kind: "accepted", operation: operationIn(response, this.#options.endpoint) };
    const error = readErrorBody(response.bodyAsText, redact);
    const azure = azureOf(response, error);
    // An answer that does not come from ARM itself (a gateway's, say) proves nothing about what was done.
    if (isUnclear(azure)) return { kind: "unclear", azure };
    const { reason, detail = summaryOf(azure, error.summary), doubtful } = readRefusal({ ...azure, ...error });
    const refusal = { reason, azure, retryAfter: this.#delayOf(response), detail, doubtful };
    const mayBeDone = response.status >= 500 || (doubtful && azure.code === "");
    return mayBeDone ? { kind: "failed", ...refusal } : { kind: "refused", ...refusal };
  }

  /** Why a create failed that was accepted, where ARM's operation says that it did. */
  async failureOf(operation: string): Promise<Read<CreateFailure | "none">> {
    const { pathname, searchParams } = new URL(operation, this.#options.endpoint);
    const query = Object.fromEntries(searchParams);
    return this.#read(pathname, createFailure, query, query["api-version"]);
  }

  async remove(placed: JobTarget, name: string): Promise<DeleteAnswer> {
    return this.#act("DELETE", groupUrl(placed, name));
  }

  async stop(placed: JobTarget, name: string): Promise<DeleteAnswer> {
    return this.#act("POST", `${groupUrl(placed, name)}/stop`);
  }

  /** A container's log with a timestamp before each line: what ACI still has of it. */
  async logs(placed: JobTarget, name: string, container: string, tail?: number): Promise<Read<string>> {
    const query = { timestamps: "true", ...(tail === undefined ? {} : { tail: String(tail) }) };
    const content = z.looseObject({ content: z.string().nullish() });
    const url = `${groupUrl(placed, name)}/containers/${encodeURIComponent(container)}/logs`;
    const parse = (json: unknown): string | undefined => {
      const read = content.safeParse(json).data;
      return read && tailOf(read.content ?? "", maxLog).text;
    };
    return this.#read(url, parse, query);
  }

  /** Whether ARM answers us, by the cheapest read there is. */
  async ping(target: Target): Promise<Ping> {
    const read = await this.#read(resourceGroupUrl(target), (json) => json, {}, resourcesVersion);
    if (read.kind === "value") return { arm: "ok" };
    if (read.kind === "absent") return { arm: "refused" };
    const { reason, retryAfter } = read;
    if (reason === "Throttled") return { arm: "throttled", retryAfter };
    return { arm: reason === "NotAuthorized" || reason === "TargetGone" ? "refused" : "unknown" };
  }

  /** The region of a target, where it says so or was asked before. */
  knownLocation(target: Target): string | undefined {
    return target.location ?? this.#locations.get(resourceGroupUrl(target));
  }

  /** The region of a resource group, asked once. */
  async locationOf(target: Target): Promise<Read<string>> {
    const known = this.knownLocation(target);
    if (known !== undefined) return { kind: "value", value: known };
    const path = resourceGroupUrl(target);
    const group = z.looseObject({ location: z.string() });
    const read = await this.#read(path, (json) => group.safeParse(json).data?.location, {}, resourcesVersion);
    if (read.kind === "value") this.#locations.set(path, read.value);
    return read;
  }

  /**
   * All groups of a resource group: names, tags and provisioning states; a list carries no instance view.
   * `unknown` when any page failed, a page came again, or they did not end within 40 s: a partial list is no list.
   */
  async list(target: Target): Promise<Read<readonly ListedGroup[]>> {
    const page = z.looseObject({ value: z.array(z.unknown()), nextLink: z.string().nullish() });
    const groups: ListedGroup[] = [];
    const until = this.#options.now() + maxListTime;
    const links = new Set<string>();
    let [url, query]: [string, Record<string, string>] = [groupsUrl(target), {}];
    for (;;) {
      const read: Read<z.infer<typeof page>> = await this.#read(url, (json) => page.safeParse(json).data, query);
      if (read.kind !== "value") return read;
      for (const item of read.value.value) {
        const group = parseListedGroup(item);
        if (group === undefined) return this.#unreadable();
        groups.push(group);
      }
      if (!read.value.nextLink) return { kind: "value", value: groups };
      const { nextLink } = read.value;
      const { endpoint } = this.#options;
      if (!URL.canParse(nextLink, endpoint) || links.has(nextLink) || this.#options.now() >= until)
        return this.#unreadable();
      const next: URL = new URL(nextLink, endpoint);
      // Only our own ARM gets our token.
      if (next.origin !== new URL(endpoint).origin) return this.#unreadable();
      links.add(nextLink);
      [url, query] = [next.pathname, Object.fromEntries(next.searchParams)];
    }
  }

  async #act(method: "DELETE" | "POST", url: string): Promise<DeleteAnswer> {
    const sent = await this.#send(method, url, apiVersion, undefined);
    if (sent.kind === "silence") return { kind: "unclear", azure: sent.azure };
    const { response } = sent;
    if (response.status === 204 && method === "DELETE") return { kind: "absent" };
    if (response.status < 300)
      return isPage(response) ? { kind: "unclear", azure: unreadable(response.status) } : { kind: "accepted" };
    const error = readErrorBody(response.bodyAsText);
    const azure = azureOf(response, error);
    if (response.status === 404 && isNotFound(azure)) return { kind: "absent" };
    if (isUnclear(azure) || response.status >= 500) return { kind: "unclear", azure };
    const { reason } = readRefusal({ ...azure, ...error });
    return { kind: "refused", reason, azure, retryAfter: this.#delayOf(response) };
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
    // A missing subscription or resource group is somebody's mistake, and a 404 without ARM's words is no answer.
    if (response.status === 404 && isNotFound(azureOf(response))) return { kind: "absent" };
    if (response.status !== 200) return this.#unseen(response);
    const value = parse(parseJson(response.bodyAsText));
    return value === undefined ? this.#unreadable() : { kind: "value", value };
  }

  /** A read that failed says nothing of what was to be read, but why it failed. */
  #unseen(response: PipelineResponse): Read<never> {
    const azure = azureOf(response);
    const reason =
      response.status === 429
        ? "Throttled"
        : response.status === 401 || response.status === 403
          ? "NotAuthorized"
          : isTargetGone(azure)
            ? "TargetGone"
            : "ArmUnavailable";
    return { kind: "unknown", group: "unknown", reason, retryAfter: this.#delayOf(response), azure };
  }

  #unreadable(): Read<never> {
    return {
      kind: "unknown",
      group: "unknown",
      reason: "ArmUnavailable",
      retryAfter: undefined,
      azure: unreadable(200),
    };
  }

  async #send(
    method: "GET" | "PUT" | "POST" | "DELETE",
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
      const response = await this.#measured(request, path);
      const remaining = remainingIn(response, kind, path);
      if (remaining) this.#options.limits?.(remaining);
      return { kind: "answer", response };
    } catch (error) {
      const code =
        typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
          ? error.code
          : isWithoutToken(error)
            ? noToken
            : "NoAnswer";
      return { kind: "silence", azure: { code, message: messageOf(error).slice(0, maxMessage), httpStatus: 0 } };
    }
  }

  /** A call as a span, with its path as a template, and counted. */
  #measured(request: PipelineRequest, path: string): Promise<PipelineResponse> {
    const { telemetry = noTelemetry, endpoint } = this.#options;
    const { method } = request;
    const host = new URL(endpoint).hostname;
    return spanOfCall(
      telemetry,
      { method, host, template: templateOf(path), isFailure: (status) => status >= 400 && status !== 404 },
      () => this.#client.sendRequest(request),
      (status) => {
        const call = { "http.request.method": method, "http.response.status_code": status };
        telemetry.count("aciproxy.arm.calls", 1, call);
        if (status === 429) telemetry.count("aciproxy.arm.throttles", 1, call);
      },
    );
  }

  #delayOf(response: PipelineResponse): number | undefined {
    return retryAfter(response.headers.get("retry-after"), this.#options.now());
  }
}

function unreadable(httpStatus: number): AzureError {
  return { code: "Unreadable", message: "ARM's reply could not be read.", httpStatus };
}

/** A page of something on the way that took the request for its own, like a proxy's login. */
function isPage({ bodyAsText }: PipelineResponse): boolean {
  return /^\s{0,100}</.test(bodyAsText ?? "");
}

/** What is kept of an error: Azure's own words, those of the errors inside it behind them. */
function azureOf(response: PipelineResponse, error = readErrorBody(response.bodyAsText)): AzureError {
  const { code, message, inner, summary } = error;
  const header = (name: string): string | undefined => response.headers.get(name);
  const [correlationId, requestId] = [header("x-ms-correlation-request-id"), header("x-ms-request-id")];
  return {
    code: code.slice(0, maxCode),
    message: (inner.length === 0 ? message : `${message} ${summary}`).slice(0, maxMessage),
    httpStatus: response.status,
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** The identity library's own errors, by their names. */
function isWithoutToken(error: unknown): boolean {
  return error instanceof Error && /^(Aggregate)?AuthenticationError$|^CredentialUnavailableError$/.test(error.name);
}

/** What people see of an error: where Azure says nothing, its status. */
function summaryOf({ httpStatus }: AzureError, summary: string): string {
  return summary === "" ? `HTTP ${httpStatus} without an error of Azure's.` : summary;
}
