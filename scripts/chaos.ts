/** `npm run chaos [-- JOBS KILLS SEED]`: the full size of the chaos test; prints its figures as JSON, and fails if they are not right. */
import { chaos } from "../test/system/recovery/chaos.ts";

const [jobs = 500, kills = 10, seed = Math.floor(Date.now() / 1000)] = process.argv.slice(2).map(Number);
process.stderr.write(`seed ${seed}\n`);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const figures = await chaos({ jobs, kills, faults: 0.1, seed, factor: 10, tell });
process.stdout.write(`${JSON.stringify({ seed, ...figures }, null, 2)}\n`);
const { lost, doubled, leaked, overLimit, alive, wrong } = figures;
process.exitCode = lost + doubled + leaked + overLimit + alive + wrong.length === 0 ? 0 : 1;
