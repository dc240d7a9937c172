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

describe("the offline check with options beside the file", () => {
  test("lets them win over those in the file, and reports their faults under their names", () => {
    const text = definition("x-aciproxy: {timeout: soon, main: other}\n");
    expect(check(text, { timeout: "PT1H", main: "app" })).toMatchObject({ faults: [], warnings: [] });
    expect(check(definition(), { retries: "11", pack: "2" }).faults).toMatchObject([
      { path: "retries" },
      { path: "pack" },
    ]);
  });

  test("judges what options and definition are together", () => {
    const large = definition().replace("cpu: 1", "cpu: 4");
    const { faults } = check(large, { array: "60", pack: "60" });
    expect(faults).toMatchObject([
      { path: "pack", message: expect.stringContaining("pack may be at most 7") as unknown },
    ]);
  });
});

describe("the offline check of an array", () => {
  const text = definition().replace("image: busybox", "image: 'busybox:${item.tag}'");

  test("puts every item in its place, and reports a fault with its index", () => {
    expect(check(text, { array: [{ tag: "1" }, { tag: "2" }] })).toMatchObject({ faults: [], warnings: [] });
    const { faults } = check(text, { array: [{ tag: "1" }, { other: "2" }] });
    expect(faults).toMatchObject([{ line: 10, message: expect.stringContaining("Index 1:") as unknown }]);
  });

  test("reports a number that no array can have", () => {
    expect(check(definition(), { array: "10001" }).faults).toMatchObject([{ path: "array" }]);
  });
});
