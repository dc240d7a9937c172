import { describe, expect, it } from "vitest";
import { check } from "../../../src/shared/intake/submission.ts";
import { submission, settings } from "../../kit/kit.ts";

const good = `
name: bellaciao
properties:
  osType: Linux
  containers:
    - name: app
      properties: { image: busybox, resources: { requests: { cpu: 1, memoryInGB: 1 } } }
`;

function faultsOf(...given: Parameters<typeof submission>): { code: string; paths: readonly string[] } {
  const checked = check(submission(...given), settings({ POLICY_REGISTRIES: "registry.example" }));
  if (checked.ok) return { code: "", paths: checked.value.warnings.map(({ path }) => path) };
  return { code: checked.error.code, paths: (checked.error.errors ?? []).map(({ path }) => path) };
}

describe("every fault of a submission is reported at once", () => {
  it("of the definition, its block, the query, and the addresses", () => {
    const text = `x-aciproxy: { retries: 99 }\nname: Not_A_Name\nproperties: { osType: Linux, containers: [] }\n`;
    const changes = { query: { tomeout: "1" }, callBackUri: "http://example.com", replyTo: "nobody" };
    expect(faultsOf(text, changes)).toEqual({
      code: "InvalidDefinition",
      paths: ["name", "properties.containers", "tomeout", "x-aciproxy.retries", "callBackUri", "replyTo"],
    });
  });

  it("of options where the text is no YAML", () => {
    expect(faultsOf("name: [", { query: { retries: "11" } }).paths).toEqual(["", "retries"]);
  });

  it("of what definition and options are together, and of the operator's policy", () => {
    expect(faultsOf(good, { query: { polling: "true", lease: "PT10M" }, callBackUri: "https://x.example" })).toEqual({
      code: "InvalidOptions",
      paths: ["lease", "callBackUri", "properties.containers[0].properties.image"],
    });
    expect(faultsOf(good, { query: { polling: "true" } })).toEqual({
      code: "NeverEnds",
      paths: ["properties.restartPolicy", "properties.containers[0].properties.image"],
    });
  });

  it("but a container that main doesn't name is no second fault of a definition that can't be read", () => {
    expect(faultsOf("name: x\nproperties: { containers: 1 }", { query: { main: "app" } }).paths).not.toContain("main");
    expect(faultsOf(good, { query: { main: "other" } }).paths).toContain("main");
  });
});

it("labels in the block are a mapping, a list or a text, as in the query", () => {
  const image = good.replace("busybox", "registry.example/busybox").replace("osType", "restartPolicy: Never\n  osType");
  for (const tags of [
    "{ team: 007, nightly: }",
    "[team=007, nightly]",
    '"team=007, nightly"',
    "\n    - team=007\n    - nightly",
  ]) {
    const checked = check(submission(`x-aciproxy:\n  tags: ${tags}${image}`), settings());
    expect(checked.ok && checked.value.options.tags, tags).toEqual({ team: "007", nightly: "" });
  }
});
