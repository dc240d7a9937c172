/** `npm run soak [-- SEED MINUTES]`: everything goes wrong at once, for minutes; prints its figures as JSON, and fails if they are not right. */
import { soak } from "../test/system/recovery/soak/soak.ts";

const [seed = Math.floor(Date.now() / 1000), minutes = 8] = process.argv.slice(2).map(Number);
process.stderr.write(`seed ${seed}\n`);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const burst = Math.ceil(30 * minutes);
const figures = await soak({ seed, minutes, most: Infinity, factor: 10, strikes: Infinity, burst, tell });
process.stdout.write(`${JSON.stringify({ seed, ...figures }, null, 2)}\n`);
const { lost, doubled, leaked, foreignTouched, wrongVerdicts, brokenPolls, takenWithoutIndex } = figures;
const faults = [lost, doubled, leaked, foreignTouched, wrongVerdicts, brokenPolls, takenWithoutIndex].flat();
process.exitCode = faults.length === 0 ? 0 : 1;
