import { describe, expect, it } from "vitest";
import { catalogue, isReason, reasonOfArmError, reasonOfExit, type Reason } from "../../../src/shared/job/reasons.ts";

const every = Object.keys(catalogue).filter(isReason);

describe("every reason", () => {
  it.each(every)("%s says whose fault it is, what is done, and what to do", (reason) => {
    const { party, rule, advice } = catalogue[reason];
    expect(party).toMatch(/^(definition|image|quota|capacity|network|identity|platform|program|caller)$/);
    expect(rule).toMatch(/^(end|caller|free|wait|few)$/);
    if (reason !== "Completed") expect(advice).toMatch(/^[A-Z].*\.$/);
    expect(advice.length).toBeLessThan(160);
  });

  it("names only reasons", () => {
    expect(isReason("Completed")).toBe(true);
    for (const other of ["", "completed", "toString", "__proto__"]) expect(isReason(other)).toBe(false);
  });
});

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
    [404, "ResourceGroupNotFound", "", "InvalidDefinition"],
    [429, "TooManyRequests", "", "Throttled"],
    [429, "SubscriptionRequestsThrottled", "", "Throttled"],
    [429, "", "", "Throttled"],
    [500, "InternalServerError", "", "ArmUnavailable"],
    [503, "", "", "ArmUnavailable"],
    [408, "", "", "ArmUnavailable"],
    [400, "OsVersionNotSupported", "", "InvalidDefinition"],
    [400, "ContainerLimitGreaterThanContainerGroupTotalRequest", "", "InvalidDefinition"],
    [400, "InvalidRequestContent", "", "InvalidDefinition"],
  ])("%i %s %j: %4$s", (httpStatus, code, message, reason) => {
    expect(reasonOfArmError({ httpStatus, code, message })).toBe(reason);
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

describe("what an exit code means", () => {
  it.each<[number, string | undefined, Reason]>([
    [0, undefined, "Completed"],
    [1, "Error", "ExitCode"],
    [137, "OOMKilled", "OutOfMemory"],
    [137, undefined, "OutOfMemory"],
    [1, "OOMKilled", "OutOfMemory"],
    [139, "Error", "ExitCode"],
    [7147, "Error", "PlatformRestart"],
    [7148, "Error", "PlatformRestart"],
  ])("%i %s: %s", (exitCode, detailStatus, reason) => expect(reasonOfExit(exitCode, detailStatus)).toBe(reason));

  it("what the platform ended is tried again at nobody's expense", () => {
    expect(catalogue.PlatformRestart.rule).toBe("free");
    expect(catalogue.SpotEvicted.rule).toBe("free");
  });
});
