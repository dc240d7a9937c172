import fc from "fast-check";
import { reachHereDirectly } from "../../local/stack/proxies.ts";

/**
 * Every property is tried on the same values in every run, so that a change is what makes a test fail. TEST_SEED tries others: any
 * whole number.
 */
fc.configureGlobal({ seed: Number(process.env["TEST_SEED"] ?? 20261124) });

// Each worker has ports of its own: two that start a stack at once could choose the same.
const worker = Number(process.env["VITEST_POOL_ID"] ?? 0) % 10;
process.env["STACK_PORTS"] = `${12_000 + 1000 * worker}-${13_000 + 1000 * worker}`;

// All that tests call is on this machine, whatever proxy it has.
Object.assign(process.env, reachHereDirectly(process.env));
