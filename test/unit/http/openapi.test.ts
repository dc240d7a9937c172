import { expect, it } from "vitest";
import { z } from "zod";
import { describeApi } from "../../../src/http/openapi/document.ts";

const operation = z.looseObject({ operationId: z.string(), responses: z.record(z.string(), z.unknown()) });
const { paths } = z
  .looseObject({ paths: z.record(z.string(), z.record(z.string(), operation)) })
  .parse(describeApi("https://proxy.example"));
const doors = ["401", "403"];
const calls = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, call]) => ({ path, method, ...call })),
);

it("each call has a name of its own", () => {
  const names = calls.map(({ operationId }) => operationId);
  expect(new Set(names).size).toBe(names.length);
});

it.each([
  ["post /api/trigger", ["400", "404", "408", "409", "413", "422", "429"]],
  ["put /api/templates/{name}", ["400", "408", "412", "413"]],
  ["delete /api/templates/{name}", ["400", "404", "412"]],
  ["get /api/jobs", ["400"]],
  ["post /api/jobs/{id}/rerun", ["400", "404", "409", "429"]],
  ["post /api/jobs/cancel", ["400", "408", "413"]],
  ["get /api/logs/{idOrName}", ["400", "404"]],
  ["get /api/logs/{idOrName}/{container}", ["400", "404"]],
  ["post /api/pause", ["400", "408", "413"]],
  ["post /api/poison/replay", ["400", "404", "408", "413"]],
  ["post /api/poison/drop", ["400", "404", "408", "413"]],
])("%s describes how it refuses", (call, refusals) => {
  const found = calls.find(({ method, path }) => `${method} ${path}` === call);
  const told = Object.keys(found?.responses ?? {}).filter((status) => status.startsWith("4"));
  expect(told.filter((status) => !doors.includes(status))).toEqual(refusals);
});

it("each call but the open ones names its guard", () => {
  const open = calls.filter(({ responses }) => !doors.every((status) => status in responses));
  expect(open.map(({ path }) => path)).toEqual([
    "/api/link/{token}",
    "/api/result/{token}",
    "/api/health",
    "/api/dashboard",
  ]);
});

it("what every JSON reply and body refers to is described", () => {
  const text = JSON.stringify(describeApi("https://proxy.example"));
  const { components } = z
    .looseObject({ components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }) })
    .parse(JSON.parse(text));
  const wanted = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
  expect([...new Set(wanted)].filter((name) => !Object.hasOwn(components.schemas, name ?? ""))).toEqual([]);
});

it("the calls that READ_KEY opens are described, each as the call that it is a copy of", () => {
  const copies = calls.filter(({ path }) => path.startsWith("/api/read/"));
  expect(copies.map(({ path }) => path.replace("/api/read/", ""))).toEqual([
    "caller",
    "status/{idOrName}",
    "jobs",
    "jobs/summary",
    "jobs/{id}",
    "jobs/{id}/results",
    "jobs/{id}/definition",
    "logs/{idOrName}",
    "logs/{idOrName}/{container}",
    "health/details",
  ]);
  for (const { path, method, responses } of copies) {
    const original = calls.find((call) => call.method === method && call.path === path.replace("/read/", "/"));
    expect(responses).toEqual(original?.responses);
  }
});

it("each reply describes its members", () => {
  const empty = calls.flatMap(({ path, responses }) =>
    Object.entries(responses)
      .filter(([status, reply]) => !doors.includes(status) && !("content" in Object(reply)))
      .map(([status]) => `${path} ${status}`),
  );
  expect(empty).toEqual([]);
});
