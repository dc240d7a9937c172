import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { infra } from "./bicep.ts";

/** The one table of roles: the templates read it, docs/identity.md shows it, and tests hold both to it. */
const row = z.strictObject({
  principal: z.enum(["app", "pull", "topic", "factory", "administrator"]),
  role: z.string(),
  id: z.union([z.uuid(), z.literal("custom")]),
  scope: z.string(),
  when: z.enum(["always", "network", "eventTopic", "administrator"]),
  why: z.string(),
  /** What of the role is needed. */
  calls: z.array(z.string()).min(1),
});
export type RoleRow = z.infer<typeof row>;

export const roleTable: readonly RoleRow[] = z
  .object({ roles: z.array(row) })
  .parse(JSON.parse(readFileSync(join(infra, "roles.json"), "utf8"))).roles;
