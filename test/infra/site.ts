import { z } from "zod";
import type { Evaluated } from "./bicep.ts";
import { ofType } from "./environments.ts";

const site = z.object({
  publicNetworkAccess: z.string(),
  virtualNetworkSubnetId: z.string().nullish(),
  functionAppConfig: z.object({
    scaleAndConcurrency: z.object({ alwaysReady: z.array(z.object({ name: z.string(), instanceCount: z.number() })) }),
  }),
  siteConfig: z.object({
    ipSecurityRestrictions: z.array(z.looseObject({ ipAddress: z.string(), tag: z.string() })).nullish(),
    ipSecurityRestrictionsDefaultAction: z.string().nullish(),
    scmIpSecurityRestrictionsUseMain: z.boolean().nullish(),
    appSettings: z.array(z.object({ name: z.string(), value: z.string() })),
  }),
});
/** What the tests ask of the Function App on Flex Consumption. */
export const siteOf = (deployment: Evaluated): z.infer<typeof site> =>
  site.parse(ofType(deployment, "Microsoft.Web/sites")[0]?.properties);
