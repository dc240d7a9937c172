import type { z } from "zod";
import type { faultSchema } from "../aci/control/faults.ts";
import type { Decision, ProxiedCall, Refusal } from "./proxy.ts";

/** What can be made to go wrong on the local stack, and how. The app knows nothing of it: only what is around it changes. */
export type Drill = { readonly says: string } & (
  | {
      /** A fault of the local ACI. */
      readonly kind: "arm";
      readonly fault: z.input<typeof faultSchema>;
    }
  | {
      /** What becomes of the app's calls to storage and vault. */
      readonly kind: "calls";
      readonly to: "storage" | "sealKey" | "vault";
      readonly decide: (call: ProxiedCall) => Decision | Promise<Decision>;
    }
  | {
      /** A message on a queue, which goes when the drill ends, if it is still there. */
      readonly kind: "message";
      readonly queue: string;
      readonly text: string;
    }
  | {
      /** The control endpoint's own `/callback` refuses. */
      readonly kind: "callback";
    }
);

/** Beyond the two seconds from which on health calls storage slow. */
const slowness = 3000;

const everyCall = (status: number, code: string, retryAfter?: number): z.input<typeof faultSchema> => ({
  effect: { type: "status", status, code, ...(retryAfter === undefined ? {} : { retryAfter }) },
});
const create = (code: string, message?: string): z.input<typeof faultSchema> => ({
  match: { kind: "put" },
  effect: { type: "status", code, ...(message === undefined ? {} : { status: 409, message }) },
});

export const drills = {
  "arm-403": {
    says: "Azure Resource Manager refuses every call: 403 AuthorizationFailed.",
    kind: "arm",
    fault: everyCall(403, "AuthorizationFailed"),
  },
  "arm-gone": {
    says: "Azure Resource Manager cuts every connection.",
    kind: "arm",
    fault: { effect: { type: "drop", when: "before" } },
  },
  "arm-throttling": {
    says: "Azure Resource Manager answers every call with 429 and asks for a minute's rest.",
    kind: "arm",
    fault: everyCall(429, "TooManyRequests", 60),
  },
  "region-full": {
    says: "Azure has no capacity for new groups.",
    kind: "arm",
    fault: create(
      "ServiceUnavailable",
      "The requested resource is not available in the location 'westeurope' at this moment. Please retry with a different resource request or in another location.",
    ),
  },
  "quota-full": {
    says: "The region's quota is used up by others.",
    kind: "arm",
    fault: create("ContainerGroupQuotaReached"),
  },
  "registry-refusing": {
    says: "The registry refuses to give images.",
    kind: "arm",
    fault: create("RegistryErrorResponse"),
  },
  "seal-key-gone": {
    says: "The vault refuses the sealing key: 403.",
    kind: "calls",
    to: "sealKey",
    decide: ({ service, url }) =>
      service === "vault" && url.pathname.startsWith("/keys/") ? refusal(403, "Forbidden") : "pass",
  },
  "vault-gone": {
    says: "The vault that definitions refer to does not answer.",
    kind: "calls",
    to: "vault",
    decide: ({ service, url }) => (service === "vault" && url.pathname.startsWith("/secrets/") ? "cut" : "pass"),
  },
  "table-slow": {
    says: "Every call to a table takes three seconds.",
    kind: "calls",
    to: "storage",
    decide: async ({ service }): Promise<Decision> => {
      if (service === "table") await new Promise((resolve) => setTimeout(resolve, slowness));
      return "pass";
    },
  },
  "queue-frozen": {
    says: "Queues take messages and do not deliver them.",
    kind: "calls",
    to: "storage",
    decide: ({ service, method, url }) =>
      service === "queue" &&
      method === "GET" &&
      url.pathname.endsWith("/messages") &&
      url.searchParams.get("peekonly") !== "true"
        ? noMessages
        : "pass",
  },
  "timer-dead": {
    says: "The platform's timer does not run: nobody gets its lock.",
    kind: "calls",
    to: "storage",
    decide: ({ service, url }) =>
      service === "blob" &&
      url.searchParams.get("comp") === "lease" &&
      decodeURIComponent(url.pathname).includes("/locks/") &&
      url.pathname.endsWith("Host.Functions.sweep.Listener")
        ? refusal(409, "LeaseAlreadyPresent")
        : "pass",
  },
  "poison-message": {
    says: "A message is on aci-jobs-poison, as one that failed ten times.",
    kind: "message",
    queue: "aci-jobs-poison",
    text: '{"version": 1, "definition": "name: drill"}',
  },
  "group-undeletable": {
    says: "A resource lock forbids to delete container groups.",
    kind: "arm",
    fault: { match: { kind: "delete" }, effect: { type: "locked" } },
  },
  "callback-dead": {
    says: "The address http://localhost:PORT/callback, which takes callbacks otherwise, answers 500.",
    kind: "callback",
  },
  "log-storage-refusing": {
    says: "Storage refuses to write captured logs: 403.",
    kind: "calls",
    to: "storage",
    decide: ({ service, method, url }) =>
      service === "blob" && method === "PUT" && url.pathname.includes("/aci-logs/")
        ? refusal(403, "AuthorizationPermissionMismatch")
        : "pass",
  },
} as const satisfies Readonly<Record<string, Drill>>;

export type DrillName = keyof typeof drills;
export const drillNames = Object.keys(drills) as DrillName[]; // its own keys

/** As storage and Key Vault say no. */
function refusal(status: number, code: string): Refusal {
  return {
    status,
    headers: { "content-type": "application/json", "x-ms-error-code": code },
    body: JSON.stringify({ error: { code, message: `A drill answers ${code}.` } }),
  };
}

const noMessages: Refusal = {
  status: 200,
  headers: { "content-type": "application/xml" },
  body: '<?xml version="1.0" encoding="utf-8"?><QueueMessagesList/>',
};
