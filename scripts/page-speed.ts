import { inventedArray } from "../test/kit/page/arrays.ts";
import { openTab } from "../test/kit/page/browser.ts";
import { many } from "../test/kit/page/data.ts";
import { PageService } from "../test/kit/page/service.ts";

/**
 * Measures the operators' page with 10,000 jobs: the time to the first rows, and the frames while it scrolls through all of them; and
 * with an array of 10,000: the frames while its grid is scrolled, filtered and walked through.
 */
const jobs = 10_000;
const [maxFirst, maxFrame, maxGridFrame] = [1000, 100, 50];

/** Runs in the page: notes when the first row stands there, and every frame that took long. */
const watch = `
  window.frames_ = [];
  new PerformanceObserver((list) => window.frames_.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "long-animation-frame", buffered: true });
  const look = () => {
    if (document.querySelector(".body .tr a.name")) window.first_ = performance.now();
    else requestAnimationFrame(look);
  };
  look();
`;

/** Runs in the page: half a window a frame, and waits at the end while the next rows come. */
const scrollThrough = (count: number): string => `new Promise((done) => {
  window.frames_.length = 0;
  let [shown, last, gaps] = [0, performance.now(), []];
  const limit = last + 120000;
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    shown++;
    scrollBy(0, innerHeight / 2);
    const isLast = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const all = document.querySelector(".count").textContent.startsWith("${count.toLocaleString("en-GB")} jobs") && !document.querySelector(".count").textContent.includes("so far");
    if ((isLast && all) || now > limit) done({ shown, all, longest: Math.max(0, ...window.frames_), gap: Math.max(...gaps) });
    else requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})`;

/** Runs in the page: through the grid row by row with scrolling, then with a key, then one outcome after the other. */
const throughGrid = `new Promise((done) => {
  const grid = document.querySelector(".indexes");
  const choices = [...document.querySelectorAll(".chip")];
  const steps = [];
  for (let top = 0; top < grid.scrollHeight; top += 60) steps.push(() => (grid.scrollTop = top));
  steps.push(() => grid.querySelector("[tabindex='0']").focus());
  for (let row = 0; row < 150; row++)
    steps.push(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true })));
  for (const choice of [...choices, choices[0]]) steps.push(() => choice.click());
  window.frames_.length = 0;
  const count = steps.length;
  let [last, gap] = [performance.now(), 0];
  const step = (now) => {
    gap = Math.max(gap, now - last);
    last = now;
    const next = steps.shift();
    if (next === undefined) return done({ shown: count, all: true, longest: Math.max(0, ...window.frames_), gap });
    next();
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})`;

interface Scrolled {
  readonly shown: number;
  readonly all: boolean;
  readonly longest: number;
  readonly gap: number;
}

const tab = await openTab({}, false);
try {
  const service = new PageService(many(Date.now(), jobs));
  await tab.page.addInitScript(watch);
  const page = await tab.open(service, { view: "#/jobs" });
  await page.locator(".body .tr a.name").first().waitFor();
  const first = await page.evaluate<number>("window.first_");
  const { shown, all, longest, gap } = await page.evaluate<Scrolled>(scrollThrough(jobs));
  const rows = await page.locator(".body .tr").count();
  const ends = Array.from({ length: jobs }, (_, index) => "SSSSSSSFTOCA."[(index * 7919) % 13]).join("");
  const array = inventedArray("grid", Date.now() - 60_000, ends, { state: "Running", finishedAt: undefined });
  service.addArray(array);
  await page.goto(`http://page.test/api/dashboard#/job/${array.row.id}`);
  await page.getByRole("gridcell").first().waitFor();
  const grid = await page.evaluate<Scrolled>(throughGrid);
  const cells = await page.getByRole("gridcell").count();
  process.stdout.write(
    [
      `first rows after ${first.toFixed(0)} ms (at most ${maxFirst})`,
      `longest frame while scrolling through ${all ? jobs : "not all"} jobs: ${longest === 0 ? "under 50" : longest.toFixed(0)} ms (at most ${maxFrame})`,
      `${shown} frames, longest time between two: ${gap.toFixed(0)} ms; ${rows} rows in the page at the end`,
      `longest frame in a grid of ${jobs} indexes: ${grid.longest === 0 ? "under 50" : grid.longest.toFixed(0)} ms (at most ${maxGridFrame})`,
      `${grid.shown} frames, longest time between two: ${grid.gap.toFixed(0)} ms; ${cells} cells in the page`,
      "",
    ].join("\n"),
  );
  if (first > maxFirst || longest > maxFrame || grid.longest > maxGridFrame || !all) process.exitCode = 1;
} finally {
  await tab.close();
}
