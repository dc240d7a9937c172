import { describe, expect, it } from "vitest";
import { faultOf, registryOf, withTag } from "../../../../local/aci/engines/container/images.ts";

describe("an image's reference", () => {
  it.each([
    ["busybox", "docker.io", "busybox:latest"],
    ["team/job:1", "docker.io", "team/job:1"],
    ["r.azurecr.io/team/job", "r.azurecr.io", "r.azurecr.io/team/job:latest"],
    ["127.0.0.1:5000/job", "127.0.0.1:5000", "127.0.0.1:5000/job:latest"],
    ["localhost/job@sha256:ab", "localhost", "localhost/job@sha256:ab"],
  ])("%s is of %s, and %s", (image, registry, tagged) => {
    expect([registryOf(image), withTag(image)]).toEqual([registry, tagged]);
  });
});

describe("what a registry says", () => {
  it.each([
    ["reading manifest v1 in 127.0.0.1:5000/job: unauthorized: authentication required", "InaccessibleImage"],
    ["reading manifest v2: manifest unknown: manifest unknown", "InaccessibleImage"],
    ["pinging container registry r: dial tcp 127.0.0.1:1: connect: connection refused", "InaccessibleImage"],
    ["toomanyrequests: You have reached your pull rate limit", "RegistryErrorResponse"],
    ["received unexpected HTTP status: 503 Service Unavailable", "RegistryErrorResponse"],
  ])("%s: %s", (message, code) => {
    expect(faultOf("r.io/job:1", new Error(message)).code).toBe(code);
  });
});
