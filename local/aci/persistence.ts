import { z } from "zod";
import type { Operation } from "./arm/operations.ts";
import type { Clock } from "./clock.ts";
import { definitionShape } from "./definition/definition.ts";
import { groupSpec } from "./engine.ts";
import type { Engine } from "./engine.ts";
import type { Group } from "./group.ts";
import { Deployment } from "./groups/deployment.ts";
import type { Provider } from "./groups/provider.ts";

const terminated = z.object({
  state: z.literal("Terminated"),
  startTime: z.number(),
  finishTime: z.number(),
  exitCode: z.number().nullable(),
  detailStatus: z.string(),
});

const event = z.object({
  name: z.string(),
  type: z.enum(["Normal", "Warning"]),
  message: z.string(),
  count: z.number(),
  firstTimestamp: z.number(),
  lastTimestamp: z.number(),
});

const life = z.object({
  restartPolicy: z.enum(["Always", "OnFailure", "Never"]),
  provisioning: z.enum(["Pending", "Creating", "Succeeded", "Failed"]),
  phase: z.enum(["Pending", "Running", "Stopping", "Stopped", "Succeeded", "Failed"]),
  members: z.array(
    z.object({
      name: z.string(),
      image: z.string(),
      init: z.boolean(),
      step: z.enum(["idle", "pulling", "starting", "running", "resting", "over"]),
      everStarted: z.boolean(),
      failures: z.number(),
      restartCount: z.number(),
      current: z
        .union([
          z.object({ state: z.literal("Waiting"), detailStatus: z.string() }),
          z.object({ state: z.literal("Running"), startTime: z.number(), detailStatus: z.string() }),
          terminated,
        ])
        .optional(),
      previous: terminated.optional(),
      events: z.array(event),
    }),
  ),
  events: z.array(event),
  restartsAnyway: z.number().default(0),
});

const operation = z.object({
  id: z.string(),
  kind: z.enum(["create", "delete", "start", "restart"]),
  location: z.string(),
  startTime: z.number(),
  existed: z.boolean(),
  cause: z.object({
    requestId: z.string(),
    correlationId: z.string(),
    clientRequestId: z.string(),
    method: z.string(),
    url: z.string(),
  }),
});

const record = z.object({
  id: z.object({ subscription: z.string(), resourceGroup: z.string(), name: z.string() }),
  key: z.string(),
  createdAt: z.number(),
  definition: z.unknown(),
  life,
  operation: operation.optional(),
  deleting: operation.optional(),
  systemIdentity: z.object({ principalId: z.string(), tenantId: z.string() }),
});

/** What of a group goes to disk. */
export function saveGroup(group: Group): object {
  const { id, key, createdAt, definition, deployment, systemIdentity } = group;
  return {
    id,
    key,
    createdAt,
    definition,
    systemIdentity,
    life: deployment.life,
    ...(group.operation ? { operation: saveOperation(group.operation) } : {}),
    ...(group.deleting ? { deleting: saveOperation(group.deleting) } : {}),
  };
}

const saveOperation = ({ id, kind, location, startTime, existed, cause }: Operation): z.input<typeof operation> => ({
  id,
  kind,
  location,
  startTime,
  existed,
  cause,
});

/** Takes up a group where an earlier life of the service left it; a deletion that was under way is finished. */
export function restoreGroup(saved: unknown, provider: Provider, engine: Engine, clock: Clock): void {
  const { operation: begun, deleting, life: savedLife, ...rest } = record.parse(saved);
  const definition = definitionShape.read(rest.definition, "") ?? {};
  const resume = (one: z.output<typeof operation>): Operation =>
    provider.operations.begin({
      ...one,
      subscription: rest.id.subscription,
      resourceGroup: rest.id.resourceGroup,
      group: rest.id.name,
    });
  provider.restore({
    ...rest,
    definition,
    operation: begun ? resume(begun) : undefined,
    open: (changed) =>
      Deployment.reopen(engine, groupSpec(rest.key, rest.id.name, definition), savedLife, clock, changed),
    deletion: deleting ? resume(deleting) : undefined,
  });
}
