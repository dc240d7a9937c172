import { expect, test } from "vitest";
import { groupUrl, templateOf } from "../../../src/shared/aci/urls.ts";

const placed = { subscriptionId: "s", resourceGroup: "rg", location: "westeurope" };

test("a span names no subscription, group, region or operation", () => {
  expect(templateOf(groupUrl(placed, "nightly"))).toBe(
    "/subscriptions/{name}/resourceGroups/{name}/providers/Microsoft.ContainerInstance/containerGroups/{name}",
  );
  const operation = "/subscriptions/s/providers/Microsoft.ContainerInstance/locations/westeurope/operations/0a1b";
  expect(templateOf(operation)).toBe(
    "/subscriptions/{name}/providers/Microsoft.ContainerInstance/locations/{name}/operations/{name}",
  );
});
