import { describe, expect, it } from "vitest";
import { createFailure, readErrorBody } from "../../../src/shared/aci/error-body.ts";
import { readRefusal } from "../../../src/shared/job/arm-errors.ts";

const body = (error: unknown) => JSON.stringify({ error });
const read = (error: unknown) => readErrorBody(body(error));
const refusal = (httpStatus: number, error: unknown) => readRefusal({ httpStatus, ...read(error) });

const quota = {
  code: "ContainerGroupQuotaReached",
  message: "Resource type 'x' container group quota 'StandardCores' exceeded. Limit: '10', Usage: '2' Requested: '16'.",
};
const shell = (...details: unknown[]) => ({
  code: "DeploymentFailed",
  message: "At least one resource deployment operation failed. Please list deployment operations for details.",
  details,
});

describe("an error of ARM", () => {
  it("alone says what it says", () => {
    expect(read(quota)).toEqual({ ...quota, inner: [], summary: `${quota.code}: ${quota.message}` });
    expect(read({ code: "Lonely" }).summary).toBe("Lonely: ");
  });

  it("that passes on others is explained by the innermost, which decide where its own code says nothing", () => {
    const nested = shell({ code: "Conflict", message: "It failed.", details: [quota] });
    expect(read(nested)).toMatchObject({
      code: "DeploymentFailed",
      message: nested.message,
      inner: [{ code: "Conflict" }, quota],
      summary: `${quota.code}: ${quota.message}`,
    });
    expect(refusal(409, nested)).toMatchObject({
      reason: "QuotaTooSmall",
      detail: "The group asks for 16 StandardCores; the limit is 10, and 2 are in use.",
    });
  });

  it.each([
    ["ServiceUnavailable", "It is busy.", [{ code: "RequestDisallowedByPolicy", message: "" }], "PolicyDenied"],
    ["ServiceUnavailable", "It is busy.", [{ code: "SomethingNew", message: "" }], "NoCapacity"],
    ["OperationNotAllowed", "It results in exceeding the approved cores quota.", [], "QuotaReached"],
    ["ScopeLocked", "It is locked.", [quota], "ResourceLocked"],
    ["Conflict", "", [{ code: "BadRequest", message: "The subnet is full." }], "SubnetFull"],
    ["InvalidTemplateDeployment", "", [{ code: "ContainerGroupTransitioning", message: "" }], "GroupBusy"],
  ])("%s %s with %j is %s", (code, message, details, reason) => {
    expect(refusal(409, { code, message, details }).reason).toBe(reason);
  });

  it("that holds another as JSON in its message is read through", () => {
    const inside = { code: "SubnetMissingRequiredDelegation", message: "Subnet missing required delegation." };
    const { summary } = read(shell({ code: "BadRequest", message: body(inside) }));
    expect(summary).toBe("SubnetMissingRequiredDelegation: Subnet missing required delegation.");
  });

  it("names the policies that forbid something", () => {
    const violation = (info: object) => ({ type: "PolicyViolation", info });
    const { summary } = read({
      code: "RequestDisallowedByPolicy",
      message: "Resource 'job' was disallowed by policy.",
      additionalInfo: [
        violation({ policyDefinitionDisplayName: "Allowed locations", policyAssignmentName: "eu-only" }),
        violation({ policyDefinitionName: "tags", policyAssignmentName: "tags" }),
        violation({ evaluationDetails: { expressionValue: "something secret" } }),
        { type: "Other", info: { policyDefinitionName: "other" } },
      ],
    });
    expect(summary).toBe(
      "RequestDisallowedByPolicy: Resource 'job' was disallowed by policy. Policy: Allowed locations, assigned as eu-only. Policy: tags.",
    );
  });

  it("is redacted at every depth", () => {
    const redact = (text: string) => text.replaceAll("hunter2", "***");
    const told = readErrorBody(body(shell({ code: "hunter2", message: "hunter2 is wrong" })), redact);
    expect(JSON.stringify(told)).not.toContain("hunter2");
  });

  it.each([
    ["no JSON", "<html>"],
    ["a list", "[]"],
    ["an error that is text", body("no")],
    ["nothing", undefined],
  ])("is not there: %s", (_, text) => {
    expect(readErrorBody(text)).toEqual({ code: "", message: "", inner: [], summary: "" });
  });

  it("is read as far as it can be, and no further than a few levels", () => {
    expect(read({ code: 7, message: ["x"], details: "many" })).toMatchObject({ code: "", message: "", inner: [] });
    const deep = (depth: number): unknown => ({
      code: `L${depth}`,
      message: "",
      details: depth > 0 ? [deep(depth - 1)] : [],
    });
    expect(read(deep(500)).inner.length).toBeLessThan(10);
    expect(read(shell(...Array.from({ length: 1000 }, () => quota))).inner.length).toBeLessThan(10);
  });
});

describe("an operation of ARM's", () => {
  const failed = (error: unknown) => createFailure({ status: "Failed", error });

  it("that failed says why its create did, by the code where that is known", () => {
    expect(failed(quota)).toMatchObject({
      reason: "QuotaTooSmall",
      azure: { code: quota.code, message: quota.message },
    });
    expect(failed(shell({ code: "InaccessibleImage", message: "x" }))).toMatchObject({ reason: "InaccessibleImage" });
    expect(failed({ code: "BrandNew", message: "x" })).toEqual({
      azure: { code: "BrandNew", message: "x", httpStatus: 200 },
    });
  });

  it("that is under way, ended well, was preempted, or names no error says nothing", () => {
    for (const status of ["Running", "Succeeded", "Canceled", "Brandnew"])
      expect(createFailure({ status, error: quota })).toBe("none");
    expect(failed(undefined)).toBe("none");
    for (const odd of [undefined, null, [], "Failed", {}, { status: 1 }]) expect(createFailure(odd)).toBeUndefined();
  });
});
