/** Stored definitions with parameters: what is stored, read, listed and refused. */
import { describe, expect, it } from "vitest";
import { deleteTemplate, listTemplates, getTemplate } from "../../src/http/operate/templates.ts";
import { openBench, useAzurite } from "./kit.ts";
import { call, nightly, put } from "./templates-kit.ts";

useAzurite();

describe("a template", () => {
  it("gets a new version with each PUT, never the same twice, and can be read, listed and deleted", async () => {
    const bench = await openBench();
    expect(await put(bench, "Nightly", nightly())).toMatchObject({ status: 200, etag: '"1"', body: { version: 1 } });
    expect(await put(bench, "nightly", nightly("", "2"))).toMatchObject({ body: { version: 2 } });
    expect(await call(getTemplate, bench, "NIGHTLY")).toMatchObject({
      status: 200,
      etag: '"2"',
      body: {
        definition: nightly("", "2"),
        parameters: {
          password: { type: "string", secret: true, required: true },
          words: { type: "list", default: [] },
        },
        versions: [{ version: 2 }, { version: 1 }],
      },
    });
    expect((await call(getTemplate, bench, "nightly", { query: "version=1" })).body.definition).toBe(nightly());
    await put(bench, "other", nightly());
    expect((await call(listTemplates, bench)).body.templates).toMatchObject([
      { name: "Nightly", parameterNames: ["name", "words", "note", "password"] },
      { name: "other" },
    ]);
    const first = await call(listTemplates, bench, "", { query: "top=1" });
    expect(first.body).toMatchObject({ templates: [{ name: "Nightly" }], continuation: "Nightly" });
    expect((await call(listTemplates, bench, "", { query: "continuation=nightly" })).body.templates).toMatchObject([
      { name: "other" },
    ]);
    expect(await call(deleteTemplate, bench, "nightly")).toMatchObject({ status: 200 });
    expect(await call(deleteTemplate, bench, "nightly")).toMatchObject({ status: 200 });
    expect(await call(deleteTemplate, bench, "never")).toMatchObject({ status: 404 });
    expect(await call(getTemplate, bench, "nightly")).toMatchObject({
      status: 404,
      body: { code: "TemplateNotFound" },
    });
    expect(await call(getTemplate, bench, "nightly", { query: "version=1" })).toMatchObject({ status: 404 });
    expect(await put(bench, "nightly", nightly())).toMatchObject({ body: { version: 3 } });
    expect((await call(getTemplate, bench, "nightly")).body.versions).toMatchObject([{ version: 3 }]);
  });

  it("keeps its newest hundred versions", async () => {
    const bench = await openBench();
    for (let version = 1; version <= 103; version++) await put(bench, "busy", nightly());
    const { versions = [] } = (await call(getTemplate, bench, "busy")).body;
    expect(versions.map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, n) => 103 - n));
    expect(await call(getTemplate, bench, "busy", { query: "version=3" })).toMatchObject({ status: 404 });
    expect(await call(deleteTemplate, bench, "busy")).toMatchObject({ status: 200 });
    expect(await bench.deps.templates.versions("busy")).toEqual([]);
  });

  it("honours If-Match and If-None-Match, also of two PUTs at once", async () => {
    const bench = await openBench();
    expect(await put(bench, "t", nightly(), { "if-match": '"1"' })).toMatchObject({ status: 412 });
    expect(await put(bench, "t", nightly(), { "if-none-match": "*" })).toMatchObject({ status: 200 });
    expect(await put(bench, "t", nightly(), { "if-none-match": "*" })).toMatchObject({ status: 412 });
    const both = await Promise.all([1, 2].map(() => put(bench, "t", nightly(), { "if-match": '"1"' })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect(await put(bench, "t", nightly(), { "if-match": "later" })).toMatchObject({ status: 400 });
    expect(await call(deleteTemplate, bench, "t", { headers: { "if-match": '"1"' } })).toMatchObject({ status: 412 });
    const many = await Promise.all([1, 2, 3].map(() => put(bench, "t", nightly())));
    expect(many.map(({ body }) => body.version).sort()).toEqual([3, 4, 5]);
  });

  it("is stored sealed, in half a megabyte too, and what GET replied can be stored again", async () => {
    const bench = await openBench();
    const random = Array.from({ length: 120_000 }, () => Math.random().toString(36).slice(2, 6)).join("");
    const large = `# ${random}\n${nightly()}`;
    expect(await put(bench, "large", large)).toMatchObject({ status: 200 });
    expect((await call(getTemplate, bench, "large")).body.definition).toBe(large);
    for await (const row of bench.storage.table("control").listEntities())
      expect(JSON.stringify(row)).not.toContain("registry.example");
    await put(bench, "t", nightly());
    const { body } = await call(getTemplate, bench, "t");
    expect(await put(bench, "t", JSON.stringify(body))).toMatchObject({ body: { version: 2 } });
    expect((await call(getTemplate, bench, "t")).body.definition).toBe(nightly());
  });

  it.each([
    ["a literal secret", nightly().replace("${param:password}", "hunter2"), "A template holds no secret"],
    [
      "a literal credential",
      nightly().replace("${param:note}", "AccountKey=aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ="),
      "holds no secret",
    ],
    [
      "a secret parameter in the open",
      nightly().replace("${param:note}", "${param:password}"),
      "Parameter password is secret",
    ],
    [
      "a secret parameter in an option",
      nightly("x-aciproxy: {tags: {a: '${param:password}'}}"),
      "Parameter password is secret",
    ],
    [
      "a plain parameter as a secret",
      nightly().replace('secureValue: "${param:password}"', 'secureValue: "${param:note}"'),
      "holds no secret",
    ],
    ["an unknown option", nightly("x-aciproxy: {retires: 1}"), "Unknown option retires"],
    ["an unknown option that is opened", nightly("x-aciproxy-allow: [retires]"), "x-aciproxy-allow must name options"],
    [
      "a definition that is wrong whatever the values are",
      nightly().replace("osType: Linux", "osType: BeOS"),
      "osType must be",
    ],
    [
      "a parameter in a name",
      nightly("tags: {'${param:note}': x}"),
      "The template can't be taken: line 7: A parameter may stand in a value only",
    ],
    ["what the policy forbids", nightly().replace("registry.example", "elsewhere.example"), "POLICY_REGISTRIES"],
  ])("is refused with %s", async (_, text, message) => {
    const bench = await openBench({ POLICY_REGISTRIES: "registry.example" });
    const refused = await put(bench, "t", text);
    expect(refused).toMatchObject({ status: 400 });
    expect(JSON.stringify(refused.body)).toContain(message);
    expect(JSON.stringify(refused.body)).not.toContain("hunter2");
    expect(await call(getTemplate, bench, "t")).toMatchObject({ status: 404 });
  });

  it.each(["a/b", "-a", "a".repeat(65), "a b", "ä"])("can't be called %j", async (name) => {
    const bench = await openBench();
    expect(await put(bench, name, nightly())).toMatchObject({ status: 400, body: { errors: [{ path: "name" }] } });
  });
});
