/** `npm run groups [-- JOBS KILLS]`: the full size of the trial of a group's limit; prints its figures as JSON, and fails if they are not right. */
import { groupTrial } from "../test/system/recovery/groups.ts";

const [jobs = 200, kills = 2] = process.argv.slice(2).map(Number);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const figures = await groupTrial({ jobs, kills, factor: 20, tell });
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
process.exitCode = figures.wrong.length === 0 && figures.mostLive <= 3 ? 0 : 1;
