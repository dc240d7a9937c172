import { expect, test } from "vitest";
import { sizeOf } from "../../kit/size.ts";
import { soak } from "./soak/soak.ts";

/** The shortest form of `npm run soak`: each kind of trouble, and each that befalls a job, once. */
const shortest = { minutes: 5, most: sizeOf(4, 6), factor: 20, strikes: sizeOf(3, 4), burst: 6 };

test(
  "with everything going wrong at once no job is lost, doubled or leaked, and no foreign group is touched",
  { timeout: 480_000 },
  async () => {
    const seed = Number(process.env["SOAK_SEED"] ?? 1);
    const figures = await soak({ seed, ...shortest, tell: () => undefined });
    expect(figures).toMatchObject({
      lost: [],
      doubled: [],
      leaked: [],
      foreignTouched: [],
      wrongVerdicts: [],
      brokenPolls: [],
      takenWithoutIndex: [],
    });
  },
);
