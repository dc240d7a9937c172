import { describe, expect, test } from "vitest";
import { check } from "../../../client/validate.ts";

const definition = (more = ""): string => `${more}name: nightly
apiVersion: 2023-05-01
location: westeurope
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: app
      properties:
        image: busybox
        resources: { requests: { cpu: 1, memoryInGB: 1 } }
`;

describe("the offline check of a definition", () => {
  test("finds nothing in a good one", () => {
    expect(check(definition())).toMatchObject({ faults: [], warnings: [] });
  });

  test("reports a fault with its position", () => {
    const { faults } = check(definition().replace("osType: Linux", "osType: Amiga"));
    expect(faults).toMatchObject([{ path: "properties.osType", line: 5 }]);
  });

  test("reports text that is not YAML", () => {
    expect(check("name: [").faults.length).toBeGreaterThan(0);
  });

  test("reads the options in the definition too, with their places", () => {
    const { faults } = check(definition("x-aciproxy:\n  timeout: soon\n  main: other\n"));
    expect(faults).toMatchObject([
      { path: "x-aciproxy.timeout", line: 2 },
      { path: "main", line: 1 },
    ]);
  });
});

describe("the offline check of an array", () => {
  const text = definition().replace("image: busybox", "image: 'busybox:${item.tag}'");

  test("puts every item in its place, and reports a fault with its index", () => {
    expect(check(text, [{ tag: "1" }, { tag: "2" }])).toMatchObject({ faults: [], warnings: [] });
    const { faults } = check(text, [{ tag: "1" }, { other: "2" }]);
    expect(faults).toMatchObject([{ line: 10, message: expect.stringContaining("Index 1:") as unknown }]);
  });

  test("reports a number that no array can have", () => {
    expect(check(definition(), "10001").faults).toMatchObject([{ path: "array" }]);
  });
});
