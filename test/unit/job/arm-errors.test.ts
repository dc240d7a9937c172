import { describe, expect, it } from "vitest";
import { readRefusal } from "../../../src/shared/job/arm-errors.ts";
import { catalogue, type Reason } from "../../../src/shared/job/reasons.ts";

describe("what Azure's refusal of a create means", () => {
  it.each<[number, string, string, Reason]>([
    [409, "ServiceUnavailable", "The requested resource is not available in the location 'westeurope'.", "NoCapacity"],
    [
      409,
      "ServiceUnavailable",
      "Resource type container group quota 'ContainerGroups' exceeded in region. Limit: '0'",
      "QuotaReached",
    ],
    [409, "ContainerGroupQuotaReached", "Resource type ... exceeded", "QuotaReached"],
    [400, "ContainerGroupSpotQuotaReached", "", "QuotaReached"],
    [403, "QuotaExceeded", "", "QuotaReached"],
    [
      409,
      "ContainerGroupTransitioning",
      "The container group is still transitioning, please retry later.",
      "GroupBusy",
    ],
    [409, "Conflict", "", "GroupBusy"],
    [409, "constructor", "", "GroupBusy"],
    [409, "SomethingNew", "", "GroupBusy"],
    [
      409,
      "RegistryErrorResponse",
      "An error response is received from the docker registry 'index.docker.io'. Please retry later.",
      "RegistryBusy",
    ],
    [400, "InaccessibleImage", "The image 'x' in container group 'y' is not accessible.", "InaccessibleImage"],
    [403, "LinkedAuthorizationFailed", "", "IdentityRefused"],
    [403, "AuthorizationFailed", "", "NotAuthorized"],
    [401, "InvalidAuthenticationToken", "", "NotAuthorized"],
    [401, "ExpiredAuthenticationToken", "", "NotAuthorized"],
    [404, "ResourceGroupNotFound", "", "TargetGone"],
    [404, "SubscriptionNotFound", "", "TargetGone"],
    [
      409,
      "MissingSubscriptionRegistration",
      "The subscription is not registered to use namespace",
      "SubscriptionNotReady",
    ],
    [409, "SubscriptionNotRegistered", "", "SubscriptionNotReady"],
    [400, "MissingRegistrationForLocation", "", "SubscriptionNotReady"],
    [400, "InvalidSubscriptionRegistrationState", "", "SubscriptionNotReady"],
    [403, "LinkedAccessCheckFailed", "", "IdentityRefused"],
    [409, "OperationNotAllowed", "", "GroupBusy"],
    [409, "ReadOnlyDisabledSubscription", "", "SubscriptionNotReady"],
    [409, "ScopeLocked", "", "ResourceLocked"],
    [403, "RequestDisallowedByPolicy", "disallowed by policy", "PolicyDenied"],
    [409, "InvalidResourceLocation", "", "NameTaken"],
    [400, "SubnetIsFull", "", "SubnetFull"],
    [409, "ServiceAssociationLinkNotReady", "", "GroupBusy"],
    [400, "DnsNameLabelNotAvailable", "", "InvalidDefinition"],
    [400, "ResourceTypeNotSupportMultiZones", "", "InvalidDefinition"],
    [400, "ResourceLimitsLessThanRequests", "", "InvalidDefinition"],
    [
      400,
      "InaccessibleImage",
      "The image 'contoso.azurecr.io/quota-service:1' is not accessible.",
      "InaccessibleImage",
    ],
    [400, "InaccessibleImage", "The image x/quota:1 exceeded the quota of the registry.", "InaccessibleImage"],
    [503, "ServiceUnavailable", "", "NoCapacity"],
    [429, "TooManyRequests", "", "Throttled"],
    [429, "SubscriptionRequestsThrottled", "", "Throttled"],
    [429, "", "", "Throttled"],
    [500, "InternalServerError", "", "ArmUnavailable"],
    [503, "", "", "ArmUnavailable"],
    [408, "", "", "ArmUnavailable"],
    [400, "", "", "ArmUnavailable"],
    [404, "", "", "ArmUnavailable"],
    [421, "", "", "ArmUnavailable"],
    [400, "OsVersionNotSupported", "", "InvalidDefinition"],
    [400, "ContainerLimitGreaterThanContainerGroupTotalRequest", "", "InvalidDefinition"],
    [400, "InvalidRequestContent", "", "InvalidDefinition"],
  ])("%i %s %j: %4$s", (httpStatus, code, message, reason) => {
    expect(readRefusal({ httpStatus, code, message }).reason).toBe(reason);
  });

  it("throttling and quota delay a job and never fail it", () => {
    for (const reason of [
      "Throttled",
      "QuotaReached",
      "NoCapacity",
      "CreateLimit",
      "GroupBusy",
      "ArmUnavailable",
    ] as const)
      expect(catalogue[reason].rule).toBe("wait");
  });
});

describe("the numbers of a quota", () => {
  const refusal = (numbers: string, code = "ContainerGroupQuotaReached") =>
    readRefusal({ httpStatus: 409, code, message: `container group quota 'StandardCores' exceeded. ${numbers}` });

  it("of a group that can never fit are reported, and end the job", () => {
    const { reason, detail } = refusal("Limit: '10', Usage: '2' Requested: '16'.");
    expect(reason).toBe("QuotaTooSmall");
    expect(detail).toBe("The group asks for 16 StandardCores; the limit is 10, and 2 are in use.");
    expect(catalogue.QuotaTooSmall.rule).toBe("end");
  });

  it.each([
    "Limit: '10', Usage: '10' Requested: '1'.",
    "Limit: '10', Usage: '5' Requested: '10'.",
    "Limit: ten, Usage: some Requested: '16'.",
    "",
  ])("that may be met later, or can't be read, mean wait: %j", (numbers) => {
    expect(refusal(numbers).reason).toBe("QuotaReached");
  });

  it("of a limit of 0 mean wait where Azure's fraud detection says so", () => {
    expect(refusal("Limit: '0', Usage: '0' Requested: '1'", "ServiceUnavailable").reason).toBe("QuotaReached");
  });
});

it("a code that nobody knows is doubtful where it may pass, and final where it is the caller's", () => {
  expect(readRefusal({ httpStatus: 500, code: "InternalServerError", message: "" }).doubtful).toBe(true);
  expect(readRefusal({ httpStatus: 409, code: "SomethingNew", message: "" }).doubtful).toBe(true);
  expect(readRefusal({ httpStatus: 400, code: "SomethingNew", message: "" })).toMatchObject({
    doubtful: false,
    reason: "InvalidDefinition",
  });
});
