/** What a program gets that is written in TypeScript: types made from the description, whose every member can be used. */
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { describeApi } from "../../../src/http/openapi/document.ts";

const api = describeApi("https://proxy.example");
const schemas = z
  .looseObject({
    components: z.looseObject({
      schemas: z.record(z.string(), z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() })),
    }),
  })
  .parse(api).components.schemas;

let types: string;
beforeAll(async () => {
  types = astToString(await openapiTS(JSON.stringify(api)));
}, 60_000);

/** What the compiler says of a program beside the types. */
function complaints(program: string): readonly string[] {
  const files = new Map([
    ["/api.ts", types],
    ["/program.ts", program],
  ]);
  const options: ts.CompilerOptions = { strict: true, noEmit: true, skipLibCheck: true, types: [] };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    getSourceFile: (name, how) => {
      const text = files.get(name);
      return text === undefined ? disk.getSourceFile(name, how) : ts.createSourceFile(name, text, how);
    },
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    readFile: (name) => files.get(name) ?? disk.readFile(name),
  };
  return ts
    .getPreEmitDiagnostics(ts.createProgram(["/program.ts"], options, host))
    .map(({ messageText, start = 0, file }) => {
      const line = file?.text.slice(0, start).split("\n").length ?? 0;
      return `${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
}

test("a program that uses every member of every reply compiles, and every member has a type", () => {
  const members = Object.entries(schemas).flatMap(([name, { properties = {} }]) =>
    Object.keys(properties).map((member) => `use<components["schemas"]["${name}"]["${member}"]>();`),
  );
  expect(members.length).toBeGreaterThan(150);
  const program = [
    'import type { components } from "./api.js";',
    "type Untyped<T> = unknown extends T ? true : [keyof T] extends [never] ? ([T] extends [object] ? true : false) : false;",
    "declare function use<T>(...typed: Untyped<T> extends true ? [never] : []): T;",
    ...members,
  ];
  expect(complaints(program.join("\n"))).toEqual([]);
}, 60_000);

test("a program that asks for what there is not does not compile", () => {
  const program = [
    'import type { components } from "./api.js";',
    'declare const status: components["schemas"]["Status"];',
    "status.exitcode;",
    'const reason: components["schemas"]["Reason"] = "Tired";',
  ];
  expect(complaints(program.join("\n"))).toHaveLength(2);
}, 60_000);
