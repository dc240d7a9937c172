import { expect, it } from "vitest";
import { sizeOf } from "../kit/size.ts";
import { packingTrial } from "../model/packing.ts";

/**
 * Packs under Azure's published limits. The suite looks at a short array; `PACKING_ITEMS=1000` looks at the full one, and at the same
 * without packs.
 */
const items = Number(process.env["PACKING_ITEMS"] ?? 100);
const isFull = items >= 1000;
const right = { state: "Failed", wrong: [], ranAgain: [] };

it("items in packs of twenty take few creates, and each ends as it should", { timeout: 600_000 }, async () => {
  const figures = await packingTrial({ items, pack: 20 });
  if (isFull) console.info(JSON.stringify(figures));
  expect(figures).toMatchObject(right);
  expect(figures.creates).toBeLessThanOrEqual(1.2 * (items / 20));
});

it("interruptions in the middle run no item again that ended with 0", { timeout: 600_000 }, async () => {
  const figures = await packingTrial({ items, pack: 20, interruptEvery: 2 });
  if (isFull) console.info(JSON.stringify(figures));
  expect(figures).toMatchObject(right);
  expect(figures.interrupted).toBeGreaterThan(0);
});

if (isFull)
  it("without packs the same takes hours", { timeout: 3_600_000 }, async () => {
    const figures = await packingTrial({ items });
    console.info(JSON.stringify(figures));
    expect(figures).toMatchObject(right);
    expect(figures.hours).toBeGreaterThan(3);
  });

it(
  "wherever the host dies, each item ends once, and no item runs again that ended with 0",
  { timeout: 3_600_000 },
  async () => {
    const trial = { items: 6, pack: 3 };
    const { calls } = await packingTrial(trial);
    // Around each call in turn; the suite looks at every 151st, or 61st.
    for (let call = 1; call < calls; call += isFull ? 1 : sizeOf(151, 61)) {
      for (const when of ["before", "after"] as const) {
        const figures = await packingTrial({ ...trial, crash: { call, when } });
        expect(figures, `${when} call ${call}`).toMatchObject({ ...right, isEachOnce: true });
      }
    }
  },
);
