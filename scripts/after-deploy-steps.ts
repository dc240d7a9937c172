import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

/** The steps of after-deploy.ts, each of which may be repeated. */
export interface Arm {
  /** `https://management.azure.com`, without a slash at its end. */
  readonly endpoint: string;
  readonly token: () => Promise<string>;
}

export interface DeployTarget {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
}

export interface Pace {
  /** Between two looks, in milliseconds. */
  readonly pause: number;
  /** How often something that takes its time is looked at before giving up. */
  readonly looks: number;
}

/** A sentence for whoever runs the script. */
export class DeployError extends Error {
  override readonly name = "DeployError";
}

/**
 * The resource providers of everything that is deployed or used. Azure registers those of a template's resources by itself; the one
 * of container groups is in no template.
 */
export const providers = [
  "Microsoft.ContainerInstance",
  "Microsoft.ContainerRegistry",
  "Microsoft.DataFactory",
  "Microsoft.EventGrid",
  "Microsoft.Insights",
  "Microsoft.KeyVault",
  "Microsoft.ManagedIdentity",
  "Microsoft.Network",
  "Microsoft.OperationalInsights",
  "Microsoft.Storage",
  "Microsoft.Web",
] as const;

const provider = z.looseObject({ registrationState: z.string() });
const sites = z.looseObject({
  value: z.array(
    z.looseObject({
      id: z.string(),
      name: z.string(),
      tags: z.record(z.string(), z.string()).nullish(),
      properties: z.looseObject({ defaultHostName: z.string() }),
    }),
  ),
});
const hostKeys = z.looseObject({ functionKeys: z.record(z.string(), z.string()) });

/** @returns the providers that were not registered yet */
export async function registerProviders(arm: Arm, subscriptionId: string, pace: Pace): Promise<readonly string[]> {
  const address = (name: string): string => `/subscriptions/${subscriptionId}/providers/${name}`;
  const stateOf = async (name: string): Promise<string> =>
    provider.parse(await call(arm, "GET", address(name), "2021-04-01")).registrationState;
  const states = await Promise.all(providers.map(async (name) => ({ name, state: await stateOf(name) })));
  const missing = states.filter(({ state }) => state !== "Registered").map(({ name }) => name);
  for (const name of missing) await call(arm, "POST", `${address(name)}/register`, "2021-04-01");
  for (const name of missing) {
    await until(
      pace,
      `Azure has not registered the resource provider ${name} yet: run this again in some minutes.`,
      async () => {
        return (await stateOf(name)) === "Registered" || undefined;
      },
    );
  }
  return missing;
}

export interface App {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly vault: string;
}

/** The Function App that the templates made: they tag it with the vault that its key belongs in. */
export async function findApp(arm: Arm, { subscriptionId, resourceGroup }: DeployTarget): Promise<App> {
  const path = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/sites`;
  const found = sites
    .parse(await call(arm, "GET", path, "2024-11-01"))
    .value.flatMap(({ id, name, tags, properties }) => {
      const vault = tags?.["aci-proxy-vault"];
      return vault === undefined ? [] : [{ id, name, host: properties.defaultHostName, vault }];
    });
  const [app, ...others] = found;
  if (app === undefined)
    throw new DeployError(`Resource group ${resourceGroup} has no Function App that infra/main.bicep made.`);
  if (others.length > 0)
    throw new DeployError(
      `Resource group ${resourceGroup} has several of our Function Apps; deploy each into a group of its own.`,
    );
  return app;
}

/** This many refusals in a row are no start that takes its time. */
const refusals = 3;

/**
 * A first start takes some time: the package is fetched, roles take effect.
 *
 * @returns `closed` where the app takes no calls from this machine: health is anonymous, so that only access restrictions or a private
 *   endpoint answer 403
 */
export async function waitForHealth(address: string, pace: Pace): Promise<"answers" | "closed"> {
  let refused = 0;
  return until(pace, `${address}/api/health does not answer 200. See docs/runbook.md, Nothing moves.`, async () => {
    const response = await fetch(`${address}/api/health`, { signal: AbortSignal.timeout(30_000) }).catch(
      () => undefined,
    );
    await response?.body?.cancel();
    refused = response?.status === 403 ? refused + 1 : 0;
    if (refused === refusals) return "closed";
    return response?.status === 200 ? "answers" : undefined;
  });
}

/** Through Azure Resource Manager on both sides, so that no access to the vault's data is needed. */
export async function storeKey(arm: Arm, place: DeployTarget, app: App, pace: Pace): Promise<void> {
  const key = await until(pace, `The host of ${app.name} has no key yet: run this again in some minutes.`, async () => {
    const keys = hostKeys.safeParse(
      await call(arm, "POST", `${app.id}/host/default/listKeys`, "2024-11-01").catch(() => undefined),
    );
    return keys.data?.functionKeys["default"];
  });
  const { subscriptionId, resourceGroup } = place;
  const vault = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.KeyVault/vaults/${app.vault}`;
  await call(arm, "PUT", `${vault}/secrets/ACI-PROXY-KEY`, "2024-11-01", { properties: { value: key } });
}

async function until<T>({ pause, looks }: Pace, otherwise: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < looks; i++) {
    if (i > 0) await delay(pause);
    const seen = await look();
    if (seen !== undefined) return seen;
  }
  throw new DeployError(otherwise);
}

const armError = z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string() }) });

/** @throws DeployError with Azure's own words; never with a body that was sent */
async function call(
  arm: Arm,
  method: "GET" | "POST" | "PUT",
  path: string,
  version: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${arm.endpoint}${path}?api-version=${version}`, {
    method,
    headers: { authorization: `Bearer ${await arm.token()}`, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  const parsed: unknown = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return parsed;
  const { data } = armError.safeParse(parsed);
  throw new DeployError(
    `${method} ${path} was answered ${response.status} ${data?.error.code ?? ""}: ${data?.error.message ?? ""}`,
  );
}
