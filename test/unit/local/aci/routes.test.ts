import { describe, expect, it } from "vitest";
import { route } from "../../../../local/aci/arm/routes.ts";

const PROVIDER = "/subscriptions/S/resourceGroups/R/providers/Microsoft.ContainerInstance";

describe("ARM's paths", () => {
  it.each([
    ["PUT", `${PROVIDER}/containerGroups/G`, "put"],
    ["GET", `${PROVIDER.toUpperCase()}/CONTAINERGROUPS/G`, "get"],
    ["PATCH", `${PROVIDER}/containerGroups/G`, "patch"],
    ["DELETE", `${PROVIDER}/containerGroups/G/`, "delete"],
    ["GET", `${PROVIDER}/containerGroups`, "list"],
    ["GET", "/subscriptions/S/providers/Microsoft.ContainerInstance/containerGroups", "listBySubscription"],
    ["POST", `${PROVIDER}/containerGroups/G/start`, "start"],
    ["POST", `${PROVIDER}/containerGroups/G/Stop`, "stop"],
    ["POST", `${PROVIDER}/containerGroups/G/restart`, "restart"],
    ["GET", `${PROVIDER}/containerGroups/G/start`, "unknown"],
    ["GET", `${PROVIDER}/containerGroups/G/containers/C/logs`, "logs"],
    ["POST", `${PROVIDER}/containerGroups/G/containers/C/exec`, "exec"],
    ["POST", `${PROVIDER}/containerGroups/G/containers/C/attach`, "attach"],
    ["GET", `${PROVIDER}/containerGroupProfiles/P`, "notEmulated"],
    ["GET", "/subscriptions/S/providers/Microsoft.ContainerInstance/locations/westus/usages", "usages"],
    ["GET", "/subscriptions/S/providers/Microsoft.ContainerInstance/locations/westus/operations/ID", "operation"],
    [
      "GET",
      "/subscriptions/S/providers/Microsoft.ContainerInstance/locations/westus/operationResults/ID",
      "operationResult",
    ],
    ["GET", `${PROVIDER}/locations/westus/operations/ID`, "operation"],
    ["GET", "/subscriptions/S/resourceGroups/R", "resourceGroup"],
    ["GET", "/subscriptions/S", "subscription"],
    ["GET", "/providers/Microsoft.ContainerInstance/operations", "providerOperations"],
    ["GET", "/", "unknown"],
    ["GET", "/subscriptions/S/resourceGroups/R/providers/Microsoft.Storage/storageAccounts/x", "unknown"],
  ])("%s %s is %s", (method, path, kind) => {
    expect(route(method, path).kind).toBe(kind);
  });

  it("keeps names as written", () => {
    expect(route("GET", `${PROVIDER}/containerGroups/My%20Group/containers/C/logs`)).toMatchObject({
      subscription: "S",
      resourceGroup: "R",
      name: "My Group",
      item: "C",
    });
  });
});
