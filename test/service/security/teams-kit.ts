/** Callers of two teams and of no team, with their tokens. */
import { afterAll, beforeAll } from "vitest";
import { z } from "zod";
import { adopt } from "../../../src/http/adopt.ts";
import { caller } from "../../../src/http/caller.ts";
import { remove } from "../../../src/http/delete.ts";
import { healthDetails } from "../../../src/http/health.ts";
import { definition } from "../../../src/http/jobs/definition.ts";
import { jobs } from "../../../src/http/jobs/list.ts";
import { job } from "../../../src/http/jobs/record.ts";
import { summary } from "../../../src/http/jobs/summary.ts";
import { logs } from "../../../src/http/logs.ts";
import { cancelMany } from "../../../src/http/operate/cancel-many.ts";
import { getGroup, listGroups } from "../../../src/http/operate/groups.ts";
import { listPoison } from "../../../src/http/operate/poison.ts";
import { setPriority } from "../../../src/http/operate/priority.ts";
import { rerunMany } from "../../../src/http/operate/rerun-many.ts";
import { rerun } from "../../../src/http/operate/rerun.ts";
import { status } from "../../../src/http/status.ts";
import { trigger } from "../../../src/http/trigger.ts";
import type { JobId } from "../../../src/shared/base/ids.ts";
import { audience, claimsOf, startAuthority, tenant, type Authority } from "../../kit/authority.ts";
import { openBench, type Bench } from "../kit.ts";
import type { Gate } from "../../kit/proxy.ts";
import { callGuarded, type Call, type Guarded } from "./guarded-call.ts";

let authority: Authority;

/** In a file's head: its tokens are signed here. */
export function useAuthority(): void {
  beforeAll(async () => void (authority = await startAuthority()));
  afterAll(() => authority.stop());
}

export const ids = {
  alice: "11111111-aaaa-bbbb-cccc-00000000000a",
  bob: "11111111-aaaa-bbbb-cccc-00000000000b",
  nobody: "11111111-aaaa-bbbb-cccc-00000000000c",
};
const securityGroup = "22222222-aaaa-bbbb-cccc-00000000000b";
const teams = { a: { callers: [ids.alice] }, b: { callers: [securityGroup], queue: true } };

const handlers = {
  trigger: ["submit", "POST", trigger],
  status: ["read", "GET", status],
  delete: ["cancel", "DELETE", remove],
  record: ["read", "GET", job],
  definition: ["read", "GET", definition],
  logs: ["read", "GET", logs],
  list: ["read", "GET", jobs],
  summary: ["read", "GET", summary],
  rerun: ["steer", "POST", rerun],
  rerunMany: ["operate", "POST", rerunMany],
  cancelMany: ["operate", "POST", cancelMany],
  priority: ["operate", "POST", setPriority],
  groups: ["read", "GET", listGroups],
  group: ["read", "GET", getGroup],
  adopt: ["read", "GET", adopt],
  poison: ["read", "GET", listPoison],
  health: ["read", "GET", healthDetails],
  caller: ["read", "GET", caller],
} as const satisfies Record<string, Guarded>;

interface Told {
  readonly status: number;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly id: JobId;
  readonly location: string;
}

export async function as(
  who: keyof typeof ids,
  bench: Bench,
  what: keyof typeof handlers,
  call: Call = {},
): Promise<Told> {
  const token = await tokenOf(who, bench.clock.now(), call.roles ?? ["Job.Submit"]);
  const told = await callGuarded(bench, handlers[what], token, call);
  const text = told.body ?? "";
  const parsed: unknown = text.startsWith("{") ? JSON.parse(text) : {};
  const members = z.record(z.string(), z.unknown()).parse(parsed);
  const location = new Headers(told.headers as Record<string, string>).get("location") ?? ""; // ours are plain records
  return { status: told.status, text, body: members, id: members["id"] as JobId, location }; // every 2xx here has one
}

export const open = (more: Record<string, string> = {}, gate?: Gate): Promise<Bench> =>
  openBench(
    {
      AUTH_MODE: "entra",
      ENTRA_TENANT_ID: tenant,
      ENTRA_AUDIENCE: audience,
      ENTRA_AUTHORITY: authority.url,
      TEAMS: JSON.stringify(teams),
      ...more,
    },
    gate,
  );

/** Posts, and moves the clock on. */
export async function submit(who: keyof typeof ids, bench: Bench, text: string, call: Call = {}): Promise<Told> {
  bench.clock.advance(1000);
  return as(who, bench, "trigger", { ...call, body: text });
}

export function tokenOf(
  who: keyof typeof ids,
  now: number,
  roles: readonly string[] = ["Job.Submit"],
): Promise<string> {
  const groups = who === "bob" ? { groups: [securityGroup.toUpperCase()] } : {};
  return authority.sign({ ...claimsOf(ids[who], "", now), roles, ...groups });
}
