/**
 * `npm run crash [-- FROM HOSTS SCENARIO]`: the host is killed at every crash point, one after another; prints how each went. With two
 * hosts the call of either is cut, and the first is killed.
 */
import { crashEnvironment, findPoints, Killer, shown, tryPoint } from "../test/system/recovery/points.ts";
import { World } from "../test/system/recovery/world.ts";

const [from = 0, hosts = 1] = process.argv.slice(2, 4).map(Number);
const scenario = process.argv[4];
const killer = new Killer();
const world = (killer.world = await World.start({
  factor: 20,
  gate: killer,
  environment: crashEnvironment,
  clocks: Array.from({ length: hosts }, () => 0),
}));
let failed = 0;
let struck = 0;
try {
  const points = await findPoints(world, killer);
  process.stdout.write(`${points.length} points\n`);
  for (const [n, point] of points.entries()) {
    if (n < from || (scenario !== undefined && !point.scenario.startsWith(scenario))) continue;
    try {
      const result = await tryPoint(world, killer, point, `crash-${n}`);
      if (result.struck) struck++;
      process.stdout.write(`${n} ${result.struck ? "ok" : "not reached this time"}: ${shown(point)}\n`);
    } catch (error) {
      failed++;
      process.stdout.write(`${n} FAILED: ${shown(point)}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
} finally {
  await world.stop();
}
process.stdout.write(`${struck} crashes, ${failed} failures\n`);
process.exitCode = failed === 0 ? 0 : 1;
