import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inventedArray } from "../../kit/page/arrays.ts";
import { accessFaults, noBrowser, openTab, type Tab } from "../../kit/page/browser.ts";
import { many } from "../../kit/page/data.ts";
import { PageService, readKey } from "../../kit/page/service.ts";
import { isWanted } from "../../kit/wanted.ts";

/** Arrays on the operators' page. */

if (!isWanted(noBrowser)) test.skip(`arrays on the operators' page: skipped, because ${noBrowser}`);

describe.runIf(isWanted(noBrowser))("an array on the operators' page", () => {
  let tab: Tab;
  beforeAll(async () => (tab = await openTab()));
  afterAll(() => tab.close());

  const ended = `${"S".repeat(40)}F${"S".repeat(78)}TC${"S".repeat(179)}`;
  const active = `${"S".repeat(100)}FF${"A".repeat(20)}${".".repeat(178)}`;
  const serviceOf = (ends: string): PageService => {
    const now = Date.now();
    const running = ends.includes("A")
      ? { state: "Running", finishedAt: undefined, reason: undefined }
      : { state: "Failed" };
    const array = inventedArray("nightly", now - 600_000, ends, running);
    const service = new PageService([array.row, ...many(now - 700_000, 5)]);
    service.addArray(array);
    return service;
  };
  const idOf = (service: PageService): string => service.arrays[0]?.row.id ?? "";
  const openArray = async (ends: string, more: { readonly key?: string; readonly width?: number } = {}) => {
    const service = serviceOf(ends);
    const page = await tab.open(service, { view: `#/job/${idOf(service)}`, ...more });
    await page.getByRole("gridcell").first().waitFor();
    return { service, page };
  };
  const cell = (page: Page, name: string) => page.getByRole("gridcell", { name, exact: true });

  test("stands in the list as one row with a bar, and the words of its counts", async () => {
    const page = await tab.open(serviceOf(ended), { view: "#/jobs" });
    const row = page.locator(".body .tr", { hasText: "nightly" });
    await row.getByText("297 of 300, 2 failed, 1 canceled").waitFor();
    expect(await page.locator(".body .tr").count()).toBe(6);
    expect(await row.locator(".bar i").count()).toBe(3);
  });

  test("has a cell for each index, whose sign and name say what became of it", async () => {
    const { page } = await openArray(active);
    expect(await page.getByRole("gridcell").count()).toBe(300);
    expect(await cell(page, "100 Failed").textContent()).toBe("✕");
    expect(await cell(page, "102 Active").textContent()).toBe("▶");
    expect(await cell(page, "299 Not started").textContent()).toBe("·");
    await page.getByText("at most 100 at once").waitFor();
    expect(await page.locator(".log-bar").count()).toBe(0);
  });

  test("shows the cells of one outcome alone on request", async () => {
    const { page } = await openArray(ended);
    await page.getByRole("button", { name: "Timed out 1" }).click();
    expect(await page.getByRole("gridcell").count()).toBe(1);
    await cell(page, "119 Timed out").waitFor();
    expect(page.url()).toMatch(/\?show=T$/);
    await page.getByRole("button", { name: "All 300" }).click();
    expect(await page.getByRole("gridcell").count()).toBe(300);
  });

  test("shows item, wait and job of the index that is pointed at, and asks nothing for those passed on the way", async () => {
    const { service, page } = await openArray(ended);
    for (const name of ["38 Succeeded", "39 Succeeded", "40 Failed"]) await cell(page, name).hover();
    const picked = page.locator(".picked");
    await picked.getByText("region-40").waitFor();
    await picked.getByText("Index 40").waitFor();
    expect(await picked.textContent()).toMatch(/Reason\s*NonZeroExit.*Exit code\s*1.*Waited\s*40 s/);
    await page.clock.runFor(90_000);
    expect(service.calls.filter((call) => call.includes("/results"))).toHaveLength(1);
    await picked.getByRole("link", { name: "Open its job" }).click();
    await page.getByText("index 40").waitFor();
    await page.getByRole("link", { name: `…${idOf(service).slice(-6)}` }).click();
    await page.getByRole("gridcell").first().waitFor();
  });

  test("is walked by the keyboard alone, down to the job of an index", async () => {
    const { page } = await openArray(ended);
    await page.getByRole("button", { name: /^\S* ?Succeeded/ }).focus();
    await page.keyboard.press("Tab");
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) await page.keyboard.press(key);
    await page.locator('[aria-label="1 Succeeded"]:focus').waitFor();
    await page.keyboard.press("End");
    await page.locator('[aria-label="299 Succeeded"]:focus').waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("index 299").waitFor();
  });

  test("names its first failures, each with a link to its job", async () => {
    const { page } = await openArray(ended);
    const failures = page.getByRole("region", { name: "Failures, table" });
    expect(await failures.locator("tbody tr").count()).toBe(3);
    await failures.getByRole("link", { name: "#119" }).click();
    await page.getByText("index 119").waitFor();
  });

  test("that ended is run again for what did not succeed, and its child is not", async () => {
    const { service, page } = await openArray(ended);
    await page.getByRole("button", { name: "Rerun 3 failed" }).click();
    await page.getByRole("button", { name: "Run it again" }).click();
    await page.getByText("Run again:").waitFor();
    expect(service.calls.some((call) => call === `POST /api/jobs/${idOf(service)}/rerun`)).toBe(true);
    await page.goto(`http://page.test/api/dashboard#/job/${idOf(service)}?index=40`);
    await page.getByText("index 40").waitFor();
    expect(await page.getByRole("button", { name: /Run again|Rerun/ }).count()).toBe(0);
  });

  test("of which an index has no job yet says so, and leads back", async () => {
    const service = serviceOf(active);
    const page = await tab.open(service, { view: `#/job/${idOf(service)}?index=299` });
    await page.getByText("This index has no job yet.").waitFor();
    await page.getByRole("link", { name: "To the array" }).click();
    await page.getByRole("gridcell").first().waitFor();
  });

  test("is shown to the key that reads", async () => {
    const { page, service } = await openArray(ended, { key: readKey });
    expect(await page.getByRole("button", { name: /Rerun/ }).count()).toBe(0);
    await cell(page, "40 Failed").hover();
    await page.locator(".picked").getByText("region-40").waitFor();
    expect(service.calls.filter((call) => !/ \/api\/read\/| \/api\/caller$/.test(call))).toEqual([]);
  });

  test.each(["light", "dark"] as const)("has nothing that axe-core finds, %s", async (colorScheme) => {
    const service = serviceOf(active);
    const page = await tab.open(service, { view: `#/job/${idOf(service)}`, colorScheme });
    await cell(page, "101 Failed").hover();
    await page.locator(".picked").getByText("region-101").waitFor();
    expect(await accessFaults(page)).toEqual([]);
    await page.goto("http://page.test/api/dashboard#/jobs");
    await page.locator(".bar").waitFor();
    expect(await accessFaults(page)).toEqual([]);
  });

  test("does not scroll sideways at 390 pixels", async () => {
    const { page } = await openArray(active, { width: 390 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  });

  test("of 10,000 has only the rows in sight in the page, and the focus outlives scrolling", async () => {
    const { page } = await openArray("S".repeat(9_999) + "F");
    expect(await page.getByRole("gridcell").count()).toBeLessThan(1_500);
    await cell(page, "0 Succeeded").click();
    await page.evaluate("document.querySelector('.indexes').scrollTop = 1e6");
    await cell(page, "9999 Failed").waitFor();
    await page.locator('[aria-label="0 Succeeded"]:focus').waitFor();
  });
});
