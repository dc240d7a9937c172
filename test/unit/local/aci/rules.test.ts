import { describe, expect, it } from "vitest";
import { ArmError } from "../../../../local/aci/arm/errors.ts";
import { definitionShape } from "../../../../local/aci/definition/definition.ts";
import { checkDefinition } from "../../../../local/aci/definition/rules.ts";

const container = (more: object = {}, name = "app"): object => ({
  name,
  properties: { image: "nginx:1", resources: { requests: { cpu: 1, memoryInGB: 1.5 } }, ...more },
});

const properties = (more: object = {}): object => ({ osType: "Linux", containers: [container()], ...more });

function code(definition: object, name = "group-1"): string {
  try {
    checkDefinition(name, definitionShape.read({ location: "westus", ...definition }, "") ?? {});
    return "accepted";
  } catch (error) {
    if (error instanceof ArmError) return error.code;
    throw error;
  }
}

describe("the rules of the service", () => {
  it.each([
    ["the least that works", properties(), "accepted"],
    ["no osType", properties({ osType: null }), "InvalidOsType"],
    ["an unknown osType", properties({ osType: "Linu" }), "InvalidOsType"],
    ["no containers", properties({ containers: [] }), "MissingContainers"],
    ["no image", properties({ containers: [container({ image: null })] }), "MissingImage"],
    [
      "a placeholder for an image",
      properties({ containers: [container({ image: "<registry>/app" })] }),
      "InaccessibleImage",
    ],
    ["no requests", properties({ containers: [container({ resources: null })] }), "ResourceRequestsNotSpecified"],
    [
      "no memory request",
      properties({ containers: [container({ resources: { requests: { cpu: 1 } } })] }),
      "ResourceRequestsNotSpecified",
    ],
    [
      "a limit above the group's total",
      properties({
        containers: [container({ resources: { requests: { cpu: 1, memoryInGB: 1 }, limits: { cpu: 2 } } })],
      }),
      "ContainerLimitGreaterThanContainerGroupTotalRequest",
    ],
    [
      "a limit below the request",
      properties({
        containers: [container({ resources: { requests: { cpu: 2, memoryInGB: 1 }, limits: { cpu: 1 } } })],
      }),
      "ResourceLimitsLessThanRequests",
    ],
    [
      "a limit within the total of two containers",
      properties({
        containers: [
          container({ resources: { requests: { cpu: 1, memoryInGB: 1 }, limits: { cpu: 2 } } }),
          container({}, "other"),
        ],
      }),
      "accepted",
    ],
    [
      "more than a group can have",
      properties({ containers: [container({ resources: { requests: { cpu: 32, memoryInGB: 1 } } })] }),
      "ServiceUnavailable",
    ],
    ["an upper-case container name", properties({ containers: [container({}, "App")] }), "InvalidContainerName"],
    ["two containers of a name", properties({ containers: [container(), container()] }), "DuplicateContainerName"],
    ["no address ports", properties({ ipAddress: { type: "Public", ports: [] } }), "MissingIpAddressPorts"],
    [
      "an address port that no container has",
      properties({ ipAddress: { type: "Public", ports: [{ port: 80 }] } }),
      "UnreferencedIpAddressPorts",
    ],
    [
      "an address port that a container has",
      properties({
        containers: [container({ ports: [{ port: 80 }] })],
        ipAddress: { type: "Public", ports: [{ port: 80 }], dnsNameLabel: "my-label" },
      }),
      "accepted",
    ],
    [
      "a public address in a network",
      properties({
        containers: [container({ ports: [{ port: 80 }] })],
        ipAddress: { type: "Public", ports: [{ port: 80 }] },
        subnetIds: [
          { id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n" },
        ],
      }),
      "InvalidIpAddressTypeForNetworkProfile",
    ],
    ["a subnet that is no id", properties({ subnetIds: [{ id: "<subnet>" }] }), "LinkedInvalidPropertyId"],
    [
      "one port in two containers",
      properties({ containers: [container({ ports: [{ port: 80 }] }), container({ ports: [{ port: 80 }] }, "b")] }),
      "DuplicateContainerPorts",
    ],
    [
      "a mount without a volume",
      properties({ containers: [container({ volumeMounts: [{ name: "data1", mountPath: "/data" }] })] }),
      "VolumeNotFound",
    ],
    ["a volume of two types", properties({ volumes: [{ name: "data1", emptyDir: {}, secret: {} }] }), "InvalidVolume"],
    ["an unknown priority", properties({ priority: "Low" }), "PriorityNotSpecified"],
    [
      "Spot with an address",
      properties({
        priority: "Spot",
        containers: [container({ ports: [{ port: 80 }] })],
        ipAddress: { type: "Public", ports: [{ port: 80 }] },
      }),
      "SpotPriorityContainerGroupNotSupportedForInboundConnectivity",
    ],
    [
      "Spot in another SKU",
      properties({ priority: "Spot", sku: "Confidential" }),
      "SpotPriorityContainerGroupNotSupportedInSku",
    ],
    [
      "a registry with a protocol",
      properties({ imageRegistryCredentials: [{ server: "https://r.azurecr.io", username: "u", password: "p" }] }),
      "InvalidImageRegistryCredential",
    ],
    ["a probe of two kinds", properties({ containers: [container({ livenessProbe: {} })] }), "InvalidProbe"],
  ])("%s: %s", (_, given, expected) => {
    expect(code({ properties: given })).toBe(expected);
  });

  it.each([
    ["a", "accepted"],
    ["My-Group-1", "accepted"],
    ["a".repeat(63), "accepted"],
    ["a".repeat(64), "InvalidContainerGroupName"],
    ["-a", "InvalidContainerGroupName"],
    ["a--b", "InvalidContainerGroupName"],
    ["a_b", "InvalidContainerGroupName"],
    ["$", "InvalidContainerGroupName"],
  ])("the group's name %s: %s", (name, expected) => {
    expect(code({ properties: properties() }, name)).toBe(expected);
  });

  it("a group without a location: LocationRequired", () => {
    expect(code({ location: null, properties: properties() })).toBe("LocationRequired");
  });
});

describe("what ARM itself refuses of a group", () => {
  const tags = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`tag-${n}`, "x"]));
  it.each([
    ["50 tags", { tags: tags(50) }, "accepted"],
    ["51 tags", { tags: tags(51) }, "TooManyTags"],
    ["a tag's name with a slash", { tags: { "a/b": "x" } }, "InvalidTag"],
    ["a tag's value of 257 characters", { tags: { a: "x".repeat(257) } }, "InvalidTag"],
    ["a zone", { zones: ["1"] }, "accepted"],
    ["two zones", { zones: ["1", "2"] }, "ResourceTypeNotSupportMultiZones"],
  ])("%s: %s", (_, more, expected) => {
    expect(code({ properties: properties(), ...more })).toBe(expected);
  });

  it("Spot in a zone", () => {
    const spot = { zones: ["1"], properties: properties({ priority: "Spot" }) };
    expect(code(spot)).toBe("SpotPriorityContainerGroupNotSupportedInZones");
  });
});
