import { expect, test } from "vitest";
import { definitionName } from "../../../src/shared/store/blobs.ts";

test.each(["a.yaml", "team/a.yaml", "a..b/.hidden/c...", "team\\a.yaml"])(
  "definitionBlob names a blob of its container: %s",
  (name) => expect(definitionName(`aci-definitions/${name}`)).toBe(name),
);

test.each([
  "../aci-sealed/x",
  "a/../../aci-sealed/x",
  "..\\aci-sealed\\x",
  "a\\..\\..\\aci-sealed/x",
  "a/..\\x",
  "./x",
  "a/. /x",
  " ../x",
  "..\u0000/x",
  "..\u200b\\x",
  ".../x",
  "a/..",
])("a definitionBlob leads out of its container by no trick: %j", (name) => {
  expect(definitionName(`aci-definitions/${name}`)).toBeUndefined();
});

test("a definitionBlob with half a character names nothing: no address can have it", () => {
  expect(definitionName("aci-definitions/a\ud800.yaml")).toBeUndefined();
  expect(definitionName("aci-definitions/\u{1F600}.yaml")).toBe("\u{1F600}.yaml");
});
