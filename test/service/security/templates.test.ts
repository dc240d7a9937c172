/** A caller with the role Job.Run alone, as an attacker would try: nothing but a template's own definition reaches Azure. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { remove } from "../../../src/http/delete.ts";
import { putTemplate, deleteTemplate } from "../../../src/http/operate/templates.ts";
import { rerun } from "../../../src/http/operate/rerun.ts";
import { status } from "../../../src/http/status.ts";
import { trigger } from "../../../src/http/trigger.ts";
import { audience, claimsOf, startAuthority, tenant, type Authority } from "../../kit/authority.ts";
import { follow, groupsOf, jobOf, openBench, post, useAzurite, yaml, type Bench } from "../kit.ts";
import { callGuarded, type Call, type Guarded } from "./guarded-call.ts";
import { nightly, put, secret, variablesOf } from "../templates-kit.ts";

useAzurite();

let authority: Authority;
beforeAll(async () => (authority = await startAuthority()));
afterAll(() => authority.stop());

const runner = "11111111-aaaa-bbbb-cccc-000000000001";
const other = "11111111-aaaa-bbbb-cccc-000000000002";

const handlers = {
  trigger: ["submit", "POST", trigger],
  status: ["read", "GET", status],
  delete: ["cancel", "DELETE", remove],
  rerun: ["steer", "POST", rerun],
  put: ["operate", "PUT", putTemplate],
  drop: ["operate", "DELETE", deleteTemplate],
} as const satisfies Record<string, Guarded>;

const told = z.looseObject({ id: z.string().optional(), message: z.string().optional(), code: z.string().optional() });

/** A call of an application with the role Job.Run. */
async function call(
  bench: Bench,
  what: keyof typeof handlers,
  { appId = runner, roles = ["Job.Run"], ...sent }: Call & { readonly appId?: string } = {},
) {
  const token = await authority.sign({ ...claimsOf(appId, "", bench.clock.now()), roles });
  const { status, body = "{}" } = await callGuarded(bench, handlers[what], token, sent);
  return { status, ...told.parse(JSON.parse(body)) };
}

const open = (): Promise<Bench> =>
  openBench({
    AUTH_MODE: "entra",
    ENTRA_TENANT_ID: tenant,
    ENTRA_AUDIENCE: audience,
    ENTRA_AUTHORITY: authority.url,
    CALLBACK_HOSTS: "adf.example",
  });

it("runs a template, reads its job and deletes it", async () => {
  const bench = await open();
  await put(bench, "nightly", nightly("x-aciproxy-allow: [Retries]"));
  const query = "template=nightly&polling=true&retries=2";
  const accepted = await call(bench, "trigger", { query, body: { parameters: secret } });
  expect(accepted).toMatchObject({ status: 202 });
  const id = accepted.id ?? "";
  expect(await call(bench, "status", { params: { idOrName: id } })).toMatchObject({ status: 202 });
  expect(await call(bench, "delete", { params: { idOrName: id }, appId: other })).toMatchObject({ status: 403 });
  expect(await call(bench, "delete", { params: { idOrName: id } })).toMatchObject({ status: 200 });
});

it("gets no definition, rerun, template or option of its own through", async () => {
  const bench = await open();
  await put(bench, "nightly", nightly("x-aciproxy: {timeout: PT1H}"));
  const evil = yaml("evil").replace("registry.example", "evil.example");
  const theirs = await post(bench.deps, yaml("theirs"));
  await follow(bench, theirs.id);
  const query = "template=nightly";
  const tries: readonly (readonly [string, keyof typeof handlers, Call])[] = [
    ["a definition", "trigger", { body: evil }],
    ["a definition in an envelope", "trigger", { body: { version: 1, definition: evil } }],
    ["an empty template", "trigger", { query: "template=", body: evil }],
    ["a definition beside the template", "trigger", { query, body: evil }],
    ["an envelope beside the template", "trigger", { query, body: { version: 1, definition: evil } }],
    [
      "properties beside the parameters",
      "trigger",
      { query, body: { parameters: {}, definition: { properties: {} } } },
    ],
    ["two templates", "trigger", { query: "template=nightly&Template=other", body: {} }],
    ["an option", "trigger", { query: `${query}&env=true`, body: { parameters: secret } }],
    ["an option in other letters", "trigger", { query: `${query}&KEEP=always`, body: { parameters: secret } }],
    ["an option in the body", "trigger", { query, body: { parameters: secret, options: { tags: { a: "b" } } } }],
    ["a source by header", "trigger", { query, body: { parameters: secret }, headers: { "x-adf-run": "f/p/r/a" } }],
    ["somebody else's job again", "rerun", { params: { id: theirs.id } }],
    ["a template of its own", "put", { params: { name: "mine" }, body: nightly() }],
    ["a template's end", "drop", { params: { name: "nightly" } }],
    ["somebody else's job deleted", "delete", { params: { idOrName: theirs.id } }],
    ["somebody else's job deleted by name", "delete", { params: { idOrName: "theirs" } }],
    ["an unknown job deleted", "delete", { params: { idOrName: runner } }],
  ];
  for (const [what, which, made] of tries) {
    const { status } = await call(bench, which, made);
    expect([what, status === 403 || status === 400]).toEqual([what, true]);
  }
  expect(groupsOf(bench)).toEqual([]);
  expect((await jobOf(bench.deps, theirs.id)).cancel).toBeUndefined();
});

it("may send a definition where it has Job.Submit too", async () => {
  const bench = await open();
  const roles = ["Job.Run", "Job.Submit"];
  expect(await call(bench, "trigger", { body: yaml("own"), roles })).toMatchObject({ status: 200 });
  expect(await call(bench, "trigger", { body: yaml("none"), roles: ["Job.Read"] })).toMatchObject({ status: 403 });
});

it("can't break out of a value", async () => {
  const bench = await open();
  await put(bench, "nightly", nightly());
  const note = '"}]}}], "identity": {"type": "SystemAssigned"}, "x": [{"a": {"b": [{"c": "${keyvault:job-x}';
  const body = { parameters: { ...secret, note, words: [note] } };
  const { id = "" } = await call(bench, "trigger", { query: "template=nightly", body });
  const stored = await bench.deps.jobs.find(id as never); // an id that the service gave
  await follow(bench, stored?.job.id as never, ({ phase }) => phase.state === "Running");
  expect(variablesOf(bench, "nightly")).toMatchObject({
    command: [note],
    environmentVariables: [{ name: "SIM_RUN_SECONDS" }, { name: "NOTE", value: note }, { name: "PASSWORD" }],
  });
});
