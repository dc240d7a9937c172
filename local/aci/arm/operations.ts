import type { Cause } from "../events.ts";
import { resourceId } from "../group.ts";
import type { ArmErrorBody } from "./errors.ts";
import { eventView } from "./view.ts";
import type { Shown } from "./view.ts";

/** What a long-running request started (ARM "Track asynchronous Azure operations"). */
export interface Operation {
  /** The id of the request that started it. */
  readonly id: string;
  readonly subscription: string;
  readonly location: string;
  readonly startTime: number;
  readonly kind: "create" | "delete" | "start" | "restart";
  readonly resourceGroup: string;
  readonly group: string;
  readonly cause: Cause;
  /** Whether the group was there before. */
  readonly existed: boolean;
  outcome:
    | { readonly status: "Running" }
    | { readonly status: "Succeeded"; readonly endTime: number }
    | { readonly status: "Failed" | "Canceled"; readonly endTime: number; readonly error: ArmErrorBody };
}

/** How many finished operations can still be asked for. */
const KEPT = 20_000;

export class Operations {
  readonly #known = new Map<string, Operation>();

  begin(operation: Omit<Operation, "outcome">): Operation {
    const begun: Operation = { ...operation, outcome: { status: "Running" } };
    this.#known.set(operation.id, begun);
    if (this.#known.size > KEPT) this.#forgetOldest();
    return begun;
  }

  find(subscription: string, id: string): Operation | undefined {
    const found = this.#known.get(id.toLowerCase());
    return found?.subscription.toLowerCase() === subscription.toLowerCase() ? found : undefined;
  }

  clear(): void {
    this.#known.clear();
  }

  #forgetOldest(): void {
    for (const [id, { outcome }] of this.#known) {
      if (outcome.status === "Running") continue;
      this.#known.delete(id);
      return;
    }
  }
}

export const operationPath = (operation: Operation, segment: "operations" | "operationResults"): string =>
  `/subscriptions/${operation.subscription}/providers/Microsoft.ContainerInstance/locations/${operation.location}` +
  `/${segment}/${operation.id}`;

/** The body behind `Azure-AsyncOperation`, as recordings of the service show it: the id is the group's. */
export function operationBody(operation: Operation, group: Shown | undefined): Record<string, unknown> {
  const { outcome } = operation;
  const events = group?.life.members.flatMap((member) => member.events) ?? [];
  return {
    id: resourceId({ ...operation, name: operation.group }),
    status: outcome.status === "Running" ? underWay(operation, group) : outcome.status,
    startTime: new Date(operation.startTime).toISOString(),
    properties: { events: events.map((event) => eventView(event)) },
    ...("error" in outcome ? { error: outcome.error } : {}),
  };
}

const underWay = ({ kind }: Operation, group: Shown | undefined): string =>
  kind === "delete" ? "Deleting" : group?.life.provisioning === "Creating" ? "Creating" : "Pending";
