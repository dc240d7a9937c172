import { createHash } from "node:crypto";
import { minute } from "./backoff.ts";
import { groupName, uniqueGroupName, type JobId } from "./ids.ts";
import type { Delivery, Job } from "./job.ts";
import type { Checked, Order } from "./order.ts";

/** A job as its life begins: nothing of it exists yet but what its caller said. */
export function newJob(
  order: Order,
  { definition, options, warnings, callBackUri }: Checked,
  id: JobId,
  createdAt: number,
): Job {
  const { view } = definition;
  const name = groupName(definition.name);
  const delivery = (wanted: boolean): Delivery => ({ state: wanted ? "pending" : "none", tries: 0 });
  const given = <T extends object>(fields: T): T =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T; // absent and undefined mean the same in a row
  return {
    version: 1,
    id,
    name,
    groupName: options.uniqueName ? uniqueGroupName(name, id) : name,
    holds: true,
    apiVersion: definition.apiVersion,
    containers: [
      ...view.initContainers.map((init) => ({ name: init, init: true })),
      ...view.containers.map((container) => ({ name: container.name, init: false })),
    ],
    images: [...view.images],
    restartPolicy: view.restartPolicy,
    spot: view.priority === "Spot",
    cpu: view.cpu,
    memoryGB: view.memoryGB,
    options,
    warnings: warnings.slice(0, 50),
    via: order.via,
    createdAt,
    queuedAt: createdAt,
    deadlineAt: createdAt + options.timeout,
    attempt: 1,
    retriesUsed: 0,
    freeInRow: 0,
    attempts: [],
    phase: { state: "Queued", refusals: 0 },
    history: [{ at: createdAt, from: "", to: "Queued", reason: "Accepted", attempt: 1 }],
    events: [],
    joined: [],
    yield: false,
    logsDropped: false,
    callback: delivery(callBackUri !== undefined),
    reply: delivery(order.replyTo !== undefined),
    lookAt: createdAt,
    checkAt: createdAt + minute,
    ...given({
      wantedLocation: view.location,
      requestedBy: order.requestedBy,
      correlationId: order.correlationId,
      replyTo: order.replyTo,
      rerunOf: order.rerunOf,
      traceparent: order.traceparent,
      keyHash:
        order.idempotencyKey === undefined
          ? undefined
          : createHash("sha256").update(order.idempotencyKey).digest("hex"),
    }),
  };
}
