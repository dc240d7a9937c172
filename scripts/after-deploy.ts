/**
 * What only can be done once the code runs: registers the resource providers that no template brings, waits until the app answers,
 * and puts the host's key into the vault as ACI-PROXY-KEY, where pipelines look for it. May be repeated; prints no secret.
 *
 *   npx tsx scripts/after-deploy.ts [SUBSCRIPTION RESOURCE-GROUP]
 *
 * Without arguments it takes AZURE_SUBSCRIPTION_ID and AZURE_RESOURCE_GROUP, as azd sets them. It signs in as azd or the Azure CLI
 * did. AZURE_RESOURCE_MANAGER_ENDPOINT names another cloud's.
 */
import { AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential } from "@azure/identity";
import {
  DeployError,
  findApp,
  registerProviders,
  storeKey,
  waitForHealth,
  type Arm,
  type Pace,
} from "./after-deploy-steps.ts";

const [subscriptionId = process.env["AZURE_SUBSCRIPTION_ID"], resourceGroup = process.env["AZURE_RESOURCE_GROUP"]] =
  process.argv.slice(2);
const pace: Pace = { pause: 10_000, looks: 60 };

function arm(): Arm {
  const endpoint = (process.env["AZURE_RESOURCE_MANAGER_ENDPOINT"] ?? "https://management.azure.com").replace(
    /\/+$/,
    "",
  );
  const credential = new ChainedTokenCredential(new AzureCliCredential(), new AzureDeveloperCliCredential());
  return { endpoint, token: async () => (await credential.getToken(`${endpoint}/.default`)).token };
}

try {
  if (!subscriptionId || !resourceGroup)
    throw new DeployError("Usage: npx tsx scripts/after-deploy.ts SUBSCRIPTION RESOURCE-GROUP");
  const place = { subscriptionId, resourceGroup };
  const azure = arm();
  const app = await findApp(azure, place);
  const registered = await registerProviders(azure, subscriptionId, pace);
  console.log(registered.length === 0 ? "Resource providers: all registered." : `Registered ${registered.join(", ")}.`);
  const health = await waitForHealth(`https://${app.host}`, pace);
  console.log(
    health === "answers"
      ? `https://${app.host}/api/health answers.`
      : `${app.host} takes no calls from this machine, so whether it is well was not asked (docs/deploy.md, "Behind a network").`,
  );
  await storeKey(azure, place, app, pace);
  console.log(`The key of ${app.name} is secret ACI-PROXY-KEY of vault ${app.vault}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
