import { app, output, type StorageQueueHandler } from "@azure/functions";
import { note } from "./runs.ts";

const connection = "AzureWebJobsStorage";

function queue(name: string, queueName: string, then: StorageQueueHandler, from = connection): void {
  app.storageQueue(name, {
    queueName,
    connection: from,
    handler: async (message, context) => {
      note(name, { message, metadata: context.triggerMetadata });
      await then(message, context);
    },
  });
}

const fail = (): never => {
  throw new Error("on purpose");
};

queue("seen", "seen", () => undefined);
queue("failing", "%FAILING_QUEUE%", fail);
queue("ownPoison", "own-poison", fail);
queue("gated", "gated", (message) => {
  const gates = (globalThis.fixtureGates ??= new Map());
  return new Promise<void>((resolve) => gates.set(String(message), resolve));
});
queue("slow", "slow", async (message) => {
  await new Promise((resolve) => setTimeout(resolve, Number(message)));
  note("slow-end", { message });
});
queue("missingName", "%NOT_SET%", () => undefined);
queue("missingConnection", "seen", () => undefined, "NoSuchStorage");

const fanned = output.storageQueue({ queueName: "fanned", connection });
app.http("fan", {
  methods: ["POST"],
  authLevel: "anonymous",
  extraOutputs: [fanned],
  handler: async (request, context) => {
    context.extraOutputs.set(fanned, await request.json());
    return { status: 202 };
  },
});
const seen = output.storageQueue({ queueName: "seen", connection });
app.storageQueue("relay", {
  queueName: "relay",
  connection,
  return: seen,
  handler: (message) => ({ relayed: message }),
});
