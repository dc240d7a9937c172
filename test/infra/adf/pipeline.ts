import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { infra } from "../bicep.ts";
import type { Json } from "./expressions.ts";

/** A pipeline's JSON, as far as the pipelines use it. */
const json: z.ZodType<Json> = z.json();
const condition = z.enum(["Succeeded", "Failed", "Skipped", "Completed"]);

const common = {
  name: z.string(),
  dependsOn: z.array(z.strictObject({ activity: z.string(), dependencyConditions: z.array(condition) })).default([]),
  userProperties: z.array(z.never()).default([]),
};

const policy = z
  .strictObject({
    timeout: z.string().default("7.00:00:00"),
    retry: z.number().int().min(0).default(0),
    retryIntervalInSeconds: z.number().int().min(30).max(86_400).default(30),
    secureInput: z.boolean().default(false),
    secureOutput: z.boolean().default(false),
  })
  .prefault({});

const authentication = z.strictObject({ type: z.literal("MSI"), resource: json });

export const webActivity = z.strictObject({
  ...common,
  type: z.literal("WebActivity"),
  policy,
  typeProperties: z.strictObject({
    method: z.enum(["GET", "POST", "PUT", "DELETE"]),
    url: json,
    headers: z.record(z.string(), json).default({}),
    body: json.optional(),
    authentication: authentication.optional(),
    turnOffAsync: z.boolean().default(false),
    httpRequestTimeout: z.string().default("00:01:00"),
  }),
});
export type WebActivity = z.infer<typeof webActivity>;

export const webHook = z.strictObject({
  ...common,
  type: z.literal("WebHook"),
  policy: z
    .strictObject({ secureInput: z.boolean().default(false), secureOutput: z.boolean().default(false) })
    .prefault({}),
  typeProperties: z.strictObject({
    method: z.literal("POST"),
    url: json,
    headers: z.record(z.string(), json),
    body: json,
    timeout: z.string().default("00:10:00"),
    reportStatusOnCallBack: z.boolean().default(false),
  }),
});
export type WebHook = z.infer<typeof webHook>;

const lookup = z.strictObject({
  ...common,
  type: z.literal("Lookup"),
  policy,
  typeProperties: z.strictObject({
    source: z.looseObject({ type: z.string() }),
    dataset: z.strictObject({
      referenceName: z.string(),
      type: z.literal("DatasetReference"),
      parameters: z.record(z.string(), json).default({}),
    }),
    firstRowOnly: z.literal(false),
  }),
});
export type Lookup = z.infer<typeof lookup>;

const fail = z.strictObject({
  ...common,
  type: z.literal("Fail"),
  typeProperties: z.strictObject({ message: json, errorCode: json }),
});

const leaf = z.discriminatedUnion("type", [webActivity, webHook, fail]);
const forEach = z.strictObject({
  ...common,
  type: z.literal("ForEach"),
  typeProperties: z.strictObject({
    items: json,
    isSequential: z.boolean().default(false),
    batchCount: z.number().int().min(1).max(50).default(20),
    activities: z.array(leaf),
  }),
});
export type ForEach = z.infer<typeof forEach>;

const activity = z.discriminatedUnion("type", [webActivity, webHook, lookup, fail, forEach]);
export type Activity = z.infer<typeof activity>;

const pipeline = z.strictObject({
  name: z.string(),
  properties: z.strictObject({
    description: z.string(),
    parameters: z.record(z.string(), z.strictObject({ type: z.string(), defaultValue: json })).default({}),
    activities: z.array(activity).max(40),
    annotations: z.array(z.never()),
  }),
});
export type Pipeline = z.infer<typeof pipeline>;

export function pipelineOf(name: string): Pipeline {
  return pipelineFrom(readFileSync(join(infra, "datafactory", `${name}.json`), "utf8"));
}

export function pipelineFrom(text: string): Pipeline {
  return pipeline.parse(JSON.parse(text));
}

/** `d.hh:mm:ss` or `hh:mm:ss`, in milliseconds. */
export function timeSpan(text: string): number {
  const match = /^(?:(\d+)\.)?(\d+):(\d+):(\d+)$/.exec(text);
  if (match === null) throw new Error(`${text} is no time span`);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = [match[1] ?? "0", match[2], match[3], match[4]].map(Number);
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}
