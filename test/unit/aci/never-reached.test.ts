import { describe, expect, it } from "vitest";
import { neverReachedAci } from "../../../src/shared/aci/governed-client.ts";
import { noToken } from "../../../src/shared/aci/no-token.ts";
import type { CreateAnswer } from "../../../src/shared/job/arm-answers.ts";

const azure = (httpStatus: number, code: string) => ({ httpStatus, code, message: "" });
const refused = (httpStatus: number, code: string): CreateAnswer => ({
  kind: "refused",
  reason: "Throttled",
  azure: azure(httpStatus, code),
  retryAfter: undefined,
});

describe("whether a create reached ACI, whose limit counts only what did", () => {
  it.each<[string, boolean, CreateAnswer]>([
    ["accepted", true, { kind: "accepted" }],
    ["429 of ARM", false, refused(429, "SubscriptionRequestsThrottled")],
    ["401", false, refused(401, "InvalidAuthenticationToken")],
    ["403", false, refused(403, "AuthorizationFailed")],
    ["409 of a lock", false, refused(409, "ScopeLocked")],
    ["404 of the resource group", false, refused(404, "ResourceGroupNotFound")],
    ["400 of ACI", true, refused(400, "InvalidImage")],
    ["409 of ACI", true, refused(409, "ContainerGroupTransitioning")],
    ["a quota, with any status", true, { ...refused(403, "QuotaExceeded"), reason: "QuotaReached" } as CreateAnswer],
    ["no connection", false, { kind: "unclear", azure: azure(0, "ECONNREFUSED") }],
    ["no token for us", false, { kind: "unclear", azure: azure(0, noToken) }],
    ["no answer", true, { kind: "unclear", azure: azure(0, "ECONNRESET") }],
    ["500", true, { kind: "unclear", azure: azure(500, "InternalServerError") }],
    ["nothing known", true, { kind: "unclear", azure: undefined }],
  ])("%s: %s", (_, reached, answer) => expect(neverReachedAci(answer)).toBe(!reached));
});
