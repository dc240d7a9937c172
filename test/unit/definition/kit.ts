import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { parseDefinition, type Definition, type Fault, type Parsed } from "../../../src/shared/definition/index.ts";
import type { JsonObject, JsonValue } from "../../../src/shared/base/json.ts";

export const defaultApiVersion = "2025-09-01";

export function parse(text: string): Parsed {
  return parseDefinition(text, { defaultApiVersion });
}

export function parseFixture(name: string): Parsed {
  return parse(fixture(name));
}

export function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/definitions/${name}`, import.meta.url), "utf8");
}

export type Good = Extract<Parsed, { ok: true }>;

/** What an accepted definition gave; the test fails, with its faults, where it was refused. */
export function accepted(parsed: Parsed): Good {
  expect(parsed.ok ? [] : parsed.faults).toEqual([]);
  if (!parsed.ok) throw new Error("refused");
  return parsed;
}

export function definitionOf(text: string): Definition {
  return accepted(parse(text)).definition;
}

/** The faults of a refused definition; empty for an accepted one. */
export function faultsOf(text: string): readonly Fault[] {
  const parsed = parse(text);
  return parsed.ok ? [] : parsed.faults;
}

export function warningsOf(text: string): readonly Fault[] {
  return parse(text).warnings;
}

/** `path: message` of findings, for a readable comparison. */
export function reported(findings: readonly Fault[]): string[] {
  return findings.map(({ path, message }) => `${path}: ${message}`);
}

export function pathsOf(findings: readonly Fault[]): string[] {
  return findings.map(({ path }) => path);
}

/** A container that the service takes, with `properties` changed or added. */
export function container(properties: JsonObject = {}, name: JsonValue = "main"): JsonObject {
  const resources = { requests: { cpu: 1, memoryInGB: 1.5 } };
  return { name, properties: { image: "demo.azurecr.io/tool:1", resources, ...properties } };
}

/** The text of a group that the service takes, with `properties` and top-level members changed or added. */
export function group(properties: JsonObject = {}, top: JsonObject = {}): string {
  const base = { osType: "Linux", restartPolicy: "Never", containers: [container()] };
  return JSON.stringify(
    { name: "group", location: "westeurope", ...top, properties: { ...base, ...properties } },
    null,
    1,
  );
}

/** The text of a group with one container that is changed. */
export function groupOf(properties: JsonObject): string {
  return group({ containers: [container(properties)] });
}
