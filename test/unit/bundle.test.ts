import { expect, test } from "vitest";
import { readBundle } from "../../bench/bundle.ts";

/**
 * Of the built app. Who needs more says here what for: each start reads and compiles what is loaded at the start. A quarter of that
 * is the app's own code, which grew by a hundredth when views of groups and arrays were judged more carefully.
 */
const ceiling = { all: 7_200_000, atStart: 4_090_000 } as const;

/** Large, and needed by some installations or some calls alone. */
const onDemand = [
  "@azure/identity",
  "@azure/msal-node",
  "@azure/keyvault-keys",
  "@azure/keyvault-secrets",
  "@azure/eventgrid",
  "@azure/arm-containerinstance",
  "@azure/monitor-opentelemetry-exporter",
  "@opentelemetry/api",
  "@opentelemetry/core",
  "@opentelemetry/sdk-metrics",
  "@opentelemetry/sdk-trace-base",
] as const;

const { bytes, bytesAtStart, packages } = readBundle();

test("the app is no larger than it was", () => {
  expect(bytes).toBeLessThan(ceiling.all);
});

test("a start loads no more than it did", () => {
  expect(bytesAtStart).toBeLessThan(ceiling.atStart);
});

test.each(onDemand)("%s is loaded when it is needed, not at the start", (name) => {
  expect(packages.get(name)?.all).toBeGreaterThan(0);
  expect(packages.get(name)?.atStart).toBe(0);
});
