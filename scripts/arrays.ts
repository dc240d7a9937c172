/** `npm run arrays [-- SIZE KILLS]`: the full size of the trial of arrays; prints its figures as JSON, and fails if they are not right. */
import { arrayTrial } from "../test/system/recovery/arrays.ts";

const [size = 300, kills = 5] = process.argv.slice(2).map(Number);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const parallelism = 20;
const failing = 17;
const figures = await arrayTrial({ size, failing, parallelism, kills, faults: 0.1, factor: 20, tell });
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
const isRight = figures.wrong.length === 0 && figures.mostLive <= parallelism && figures.rerun === failing;
process.exitCode = isRight ? 0 : 1;
