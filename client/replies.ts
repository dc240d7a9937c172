import { z } from "zod";
import { replySchemas, type ReplyName as SchemaName } from "../src/http/openapi/replies.ts";
import type { Replies } from "./api.ts";

/**
 * The service's replies as clients of any version read them. The service's own schemas say what a member is; here every word may be one
 * of a newer service, every object may have further members, and only these members have to be there. `scripts/api-model.ts` makes the
 * types in api.ts, and the Python client, from the same two.
 */
export const essentialMembers: Readonly<Record<string, readonly string[]>> = {
  Accepted: ["message", "name", "state", "id"],
  Adoptable: ["message", "enabled", "groups"],
  AdoptableGroups: ["name", "resourceGroup", "state", "replaceable"],
  ArrayRecord: ["size"],
  ArrayStatus: ["size"],
  Attempt: ["number", "state"],
  Canceled: ["message"],
  Checked: ["message"],
  ChildResult: ["index", "state", "id"],
  Deleted: ["message"],
  Fault: ["path", "line", "column", "message"],
  Group: ["group", "held"],
  GroupEvent: ["name", "count", "message"],
  GroupSlots: ["id", "name"],
  GroupWaiting: ["id", "name"],
  Groups: ["groups"],
  Health: ["status"],
  HealthDetails: ["status"],
  HistoryLine: ["at", "to", "reason", "attempt"],
  ItemFailure: ["index", "state"],
  ItemResult: ["index", "state"],
  JobPage: ["jobs"],
  JobRecord: ["id", "name", "state"],
  JobRecordQueue: ["position", "of"],
  JobRecordStopping: ["reason", "since"],
  JobRecordWaiting: ["reason", "since"],
  JobRow: ["id", "name", "state"],
  JobRowStopping: ["reason", "since"],
  Log: ["lines"],
  LogLines: ["container", "text"],
  Paused: ["message"],
  PoisonList: ["messages"],
  PoisonListMessages: ["messageId", "insertedAt", "bytes"],
  PoisonTaken: ["message"],
  Priority: ["message"],
  Problem: ["message"],
  Reindexed: ["message", "complete"],
  Rerun: ["message"],
  Results: ["results"],
  Resumed: ["message"],
  Status: ["state", "id"],
  StatusQueue: ["position", "of"],
  StatusStopping: ["reason", "since"],
  StatusWaiting: ["reason"],
  Summary: ["rows"],
  SummaryRow: ["key", "count"],
  Template: ["name", "version", "definition", "parameters"],
  TemplateDeleted: ["message"],
  TemplateInfo: ["name", "version"],
  TemplatePage: ["templates"],
  TemplateParameter: ["type"],
  TemplateStored: ["message", "version"],
  Unknown: ["id", "state"],
};

export type ReplyName = keyof Replies & SchemaName;
const shapes = new Map<ReplyName, z.ZodType>();

/** A body that is that reply, as it came: members that no schema names and their order included. Anything else: `undefined`. */
export function readReply<N extends ReplyName>(name: N, body: string): Replies[N] | undefined {
  const value = jsonOf(body);
  const shape = shapes.get(name) ?? open(replySchemas()[name], name);
  shapes.set(name, shape);
  // The type and the shape are made from the same schema, and a test compares them.
  return shape.safeParse(value).success ? (value as Replies[N]) : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param name of an object that has no name of its own */
function open(schema: z.core.$ZodType, name: string): z.ZodType {
  if (schema instanceof z.ZodObject) {
    const own = Object.entries(replySchemas()).find(([, each]) => each === schema)?.[0] ?? name;
    const essential = essentialMembers[own] ?? [];
    const members = Object.entries<z.core.$ZodType>(schema.shape).map(([member, of]) => {
      const read = open(of, own + member.replace(/^./, (letter) => letter.toUpperCase()));
      return [member, essential.includes(member) ? read : read.optional()] as const;
    });
    return z.looseObject(Object.fromEntries(members));
  }
  if (schema instanceof z.ZodOptional) return open(schema.unwrap(), name).optional();
  if (schema instanceof z.ZodNullable) return open(schema.unwrap(), name).nullable();
  if (schema instanceof z.ZodUnion) return z.union(schema.options.map((each) => open(each, name)));
  if (schema instanceof z.ZodArray) return z.array(open(schema.element, name));
  if (schema instanceof z.ZodTuple) return z.array(z.number()); // the only ones are ranges of exit codes
  if (schema instanceof z.ZodRecord) return z.record(z.string(), open(schema.valueType, name));
  if (schema instanceof z.ZodNumber) return z.number();
  if (schema instanceof z.ZodBoolean) return z.boolean();
  if (schema instanceof z.ZodLiteral)
    return schema.values.has(true) || schema.values.has(false) ? z.boolean() : z.string();
  return schema instanceof z.ZodUnknown ? z.unknown() : z.string();
}
