/**
 * `npm run verify:azure -- --subscription ID --resource-group NAME`: asks Azure the open questions of docs/open-questions.md, with a few
 * small container groups that it removes again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { DefaultAzureCredential } from "@azure/identity";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import { Aci } from "../src/shared/aci/client.ts";
import { InstallationTag } from "../src/shared/aci/installation-tag.ts";
import { messageOf } from "../src/shared/base/errors.ts";
import { isLoopback, parseSettings } from "../src/shared/config/settings.ts";
import { removeLeftovers, type Usage, type World } from "./verify-azure/bench.ts";
import { questions } from "./verify-azure/questions.ts";
import { planOf, run } from "./verify-azure/run.ts";

const flagShape = z.object({
  subscription: z.string(),
  resourceGroup: z.string(),
  location: z.string().optional(),
  image: z.string(),
  only: z.array(z.string()).default(questions.map(({ id }) => id)),
  yes: z.boolean().default(false),
  clean: z.boolean().default(false),
});

const command = new Command("verify:azure")
  .description("Asks Azure the open questions of docs/open-questions.md.")
  .requiredOption("--subscription <id>", "subscription", process.env["AZURE_SUBSCRIPTION_ID"])
  .requiredOption("--resource-group <name>", "an existing resource group", process.env["AZURE_RESOURCE_GROUP"])
  .option("--location <region>", "region of the groups; the resource group's unless set")
  .option("--image <image>", "a small image with a shell", "mcr.microsoft.com/cbl-mariner/busybox:2.0")
  .option("--only <id...>", "ask these questions alone")
  .option("--yes", "make the groups; without it only the plan is printed")
  .option("--clean", "only remove what earlier runs left, also of the last hour")
  .exitOverride();

const usages = z.looseObject({
  value: z.array(
    z.looseObject({ name: z.looseObject({ value: z.string() }), currentValue: z.number(), limit: z.number() }),
  ),
});

async function main(): Promise<number> {
  const flags = flagShape.parse(command.parse().opts());
  const asked = questions.filter(({ id }) => flags.only.includes(id));
  const unknown = flags.only.filter((id) => !questions.some((question) => question.id === id));
  if (unknown.length > 0)
    throw new Error(`No question ${unknown.join(", ")}: there are ${questions.map(({ id }) => id).join(", ")}`);

  const settings = parseSettings({ AZURE_RESOURCE_MANAGER_ENDPOINT: process.env["AZURE_RESOURCE_MANAGER_ENDPOINT"] });
  const endpoint = settings.armEndpoint;
  const credential = new DefaultAzureCredential();
  const now = Date.now;
  const tag = new InstallationTag({ id: "verify", tagKey: "verify" });
  const aci = new Aci({ endpoint, credential, tag, now });
  const target = { subscriptionId: flags.subscription, resourceGroup: flags.resourceGroup, location: flags.location };
  const location = await aci.locationOf(target);
  if (location.kind !== "value")
    throw new Error(
      `Resource group ${flags.resourceGroup} can't be read: ${location.kind === "unknown" ? (location.azure?.message ?? location.reason) : "there is none"}`,
    );

  const authorization = async (): Promise<Record<string, string>> =>
    isLoopback(endpoint)
      ? {}
      : { authorization: `Bearer ${(await credential.getToken(`${endpoint}/.default`)).token}` };
  const usage = async (name: string): Promise<Usage | undefined> => {
    const [subscription, region] = [flags.subscription, location.value].map(encodeURIComponent);
    const path = `/subscriptions/${subscription}/providers/Microsoft.ContainerInstance/locations/${region}/usages`;
    const reply = await fetch(`${endpoint}${path}?api-version=2023-05-01`, {
      headers: await authorization(),
      signal: AbortSignal.timeout(30_000),
    });
    const found = usages
      .safeParse(await reply.json().catch(() => undefined))
      .data?.value.find((each) => each.name.value === name);
    return found && { used: found.currentValue, limit: found.limit };
  };

  const interruption = new AbortController();
  const world: World = {
    aci,
    target: { ...target, location: location.value },
    location: location.value,
    image: flags.image,
    usage,
    now,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    interrupted: interruption.signal,
    say: (line) => console.log(line),
  };

  if (flags.clean) {
    const removed = await removeLeftovers(world, true);
    if (removed === undefined)
      throw new Error("The resource group's container groups can't be listed; nothing was removed.");
    console.log(removed.length === 0 ? "Nothing was left." : `Removed ${removed.join(", ")}`);
    return 0;
  }

  console.log(`In resource group ${flags.resourceGroup}, ${location.value}, one after the other:`);
  for (const line of planOf(asked, { vcpuHour: settings.priceVcpuHour, gbHour: settings.priceGbHour }))
    console.log(line);
  if (!flags.yes) {
    console.log("Nothing was made. Add --yes to ask.");
    return 0;
  }
  let interruptedAt = Infinity;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      // One Ctrl-C may come twice: from the terminal, and from npm.
      if (now() > interruptedAt + 1000) process.exit(130);
      if (interruption.signal.aborted) return;
      interruptedAt = now();
      interruption.abort();
      console.error("Removing the groups. A second Ctrl-C leaves them; --clean removes them later.");
    });
  const { left, interrupted } = await run(world, asked);
  if (left.length > 0) console.error(`May still be there, and cost: ${left.join(", ")}. Run this with --clean.`);
  return interrupted ? 130 : left.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CommanderError)) console.error(messageOf(error));
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 1;
}
