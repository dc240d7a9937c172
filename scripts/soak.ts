/** `npm run soak [-- SEED MINUTES]`: everything goes wrong at once, for minutes; prints its figures as JSON, and fails if they are not right. */
import { soak } from "../test/system/recovery/soak/soak.ts";

const [seed = Math.floor(Date.now() / 1000), minutes = 8] = process.argv.slice(2).map(Number);
process.stderr.write(`seed ${seed}\n`);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const figures = await soak({ seed, minutes, factor: 10, burst: Math.ceil(40 * minutes), tell });
process.stdout.write(`${JSON.stringify({ seed, ...figures }, null, 2)}\n`);
const { lost, doubled, leaked, foreignTouched, wrongVerdicts, brokenPolls } = figures;
process.exitCode = [lost, doubled, leaked, foreignTouched, wrongVerdicts, brokenPolls].every(
  (list) => list.length === 0,
)
  ? 0
  : 1;
