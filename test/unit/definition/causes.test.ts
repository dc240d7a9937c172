import { describe, expect, test } from "vitest";
import { fixture, faultsOf, group, warningsOf } from "./kit.ts";

const yaml = fixture("init-containers.yaml");
const json = group();
/** As `curl -d @FILE` sends a file: without its line breaks. */
const posted = (text: string): string => text.replaceAll(/[\r\n\0]/g, "");

describe("what happened to a text on its way is named first, with its place and what to do", () => {
  test.each<[string, string, RegExp, string]>([
    ["curl -d @FILE", posted(yaml), /line breaks are gone.*curl --data-binary @FILE/, "1:1"],
    ["curl -d @FILE, with a comment first", posted(`# my job: nightly\n${yaml}`), /line breaks are gone/, "1:1"],
    ["curl -d @FILE, with a document's start", posted(`---\n${yaml}`), /line breaks are gone/, "1:1"],
    ["an unquoted $(cat FILE)", yaml.replaceAll(/\s+/g, " "), /line breaks are gone/, "1:1"],
    ["line breaks as \\n", "name: a\\nproperties:\\n  osType: Linux\\n", /two characters \\n/, "1:8"],
    ["line breaks as \\r\\n", "name: a\\r\\nproperties:\\r\\n  osType: Linux", /two characters \\n/, "1:8"],
    ["JSON with line breaks as \\n", json.replaceAll("\n", "\\n"), /two characters \\n/, "1:1"],
    ["Python's b'...'", `b'${yaml.replaceAll("\n", "\\n")}'`, /Python's notation of bytes/, "1:1"],
    ['Python\'s b"..."', `b"${posted(yaml)}"`, /Python's notation of bytes/, "1:1"],
    ["Python's b'...' of base64", `b'${Buffer.from(yaml).toString("base64")}'`, /Python's notation of bytes/, "1:1"],
    ["an expression as the body", "@concat('name: ', pipeline().parameters.name)", /Data Factory expression/, "1:1"],
    ["an expression in braces as the body", "@{variables('body')}", /Data Factory expression/, "1:1"],
    ["a file's name", "@examples/job.yaml\n", /'@' and a file's name/, "1:1"],
    ["a form", "name%3A%20a%0Aproperties%3A", /URL-encoded/, "1:1"],
    [
      "a multipart form",
      `--------d74496d66958873e\r\nContent-Disposition: form-data\r\n\r\n${yaml}`,
      /multipart form/,
      "1:1",
    ],
    ["a web page", "<!DOCTYPE html>\n<html></html>", /HTML or XML/, "1:1"],
    ["quotes around it", `"${yaml.replaceAll('"', "'")}"`, /stands in quotes/, "1:1"],
    [
      "no-break spaces as indentation",
      yaml.replace("\n  osType", "\n\u00A0\u00A0osType"),
      /no-break space \(U\+00A0\)/,
      "5:1",
    ],
    ["a no-break space after a colon", yaml.replace("osType: ", "osType:\u00A0"), /no-break space/, "5:10"],
    ["a no-break space after a name", json.replace('"group"', '"group\u00A0"'), /no-break space/, "2:16"],
    ["a zero-width space", yaml.replace("\n  osType", "\n  \u200BosType"), /zero-width space/, "5:3"],
    ["a template's value", yaml.replace("osType: Linux", "osType: {{ os }}"), /\{\{ \.\.\. \}\}/, "5:12"],
    ["a template inside a value", yaml.replace("osType: Linux", "osType: {{ a }}-{{ b }}"), /\{\{ \.\.\. \}\}/, "5:11"],
    ["a template's statement", yaml.replace("  osType", "{% if linux %}\n  osType"), /\{\{ \.\.\. \}\}/, "5:1"],
    [
      "an expression in a value",
      yaml.replace("osType: Linux", "osType: @pipeline().parameters.os"),
      /Data Factory expression/,
      "5:11",
    ],
  ])("%s", (_, text, message, place) => {
    const [first] = faultsOf(text);
    expect(first?.message).toMatch(message);
    expect(`${first?.line}:${first?.column}`).toBe(place);
    expect(first?.message.length).toBeLessThan(160);
  });
});

describe("nothing of that is said", () => {
  test("of a good text that looks a little like it", () => {
    const script = groupOfCommand(["sh", "-c", "echo a\\nb; printf '%0A' {{.Names}} b'x' \u00A0"]);
    for (const text of [script, posted(script), `# a: b\n${yaml}`]) {
      expect(faultsOf(text)).toEqual([]);
      expect(warningsOf(text)).toEqual([]);
    }
  });

  test("where the parser's own words are right", () => {
    expect(faultsOf("name: [a\nb: c\n")[0]?.message).not.toMatch(/line breaks|template|Python/);
    expect(faultsOf("name: a")[0]?.message).toMatch(/properties is missing/);
    expect(faultsOf("")[0]?.message).toMatch(/text is empty/);
  });
});

function groupOfCommand(command: string[]): string {
  const container = {
    name: "a",
    properties: { image: "b", command, resources: { requests: { cpu: 1, memoryInGB: 1 } } },
  };
  return group({ containers: [container] });
}
