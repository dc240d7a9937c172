import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright-core";
import { nights, recordOf } from "../test/kit/page/data.ts";
import { address, fullKey, PageService } from "../test/kit/page/service.ts";

/** Makes the pictures of the operators' page for README and docs, with invented jobs. Usage: npm run screenshots [-- FOLDER] */
const folder = process.argv[2] ?? fileURLToPath(new URL("../docs/images", import.meta.url));
const program = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const now = Date.parse("2026-11-28T06:42:00Z");

const desktop = { width: 1280, height: 860 };
const phone = { width: 390, height: 844 };

const service = new PageService(nights(now), () => now);
const failed = service.jobs.find(({ state }) => state === "Failed");
if (failed) service.records.set(failed.id, recordOf(failed));
const views = {
  overview: "#/",
  jobs: "#/jobs",
  runs: "#/jobs?by=run",
  job: `#/job/${failed?.id ?? ""}`,
  templates: "#/templates",
  template: "#/template/nightly-invoices",
  difference: "#/template/nightly-invoices?version=3&against=1",
  form: "#/template/forecast-score",
  groups: "#/groups",
} as const;

const isView = (text: string): text is keyof typeof views => text in views;
const nameOf = (view: string, size: typeof desktop, scheme: string): string =>
  `page-${view}-${size === phone ? "phone" : "desktop"}-${scheme}`;
/** Those that pages of the repository show. */
const inDocs = [
  "page-overview-desktop-light",
  "page-job-desktop-dark",
  "page-overview-phone-light",
  "page-difference-desktop-dark",
  "page-template-phone-light",
  "page-groups-desktop-light",
];

async function shoot(browser: Browser, view: keyof typeof views, size: typeof desktop, colorScheme: "light" | "dark") {
  const context = await browser.newContext({
    viewport: size,
    colorScheme,
    timezoneId: "Europe/Berlin",
    reducedMotion: "reduce",
  });
  await context.route("http://page.test/**", (route) => service.answer(route));
  const page = await context.newPage();
  await page.clock.setFixedTime(now);
  await page.addInitScript(`sessionStorage.setItem("key", ${JSON.stringify(fullKey)})`);
  await page.goto(`${address}${views[view]}`);
  await page.locator(".fresh .muted", { hasText: "Updated" }).first().waitFor();
  if (view === "overview") await page.locator(".chart").first().waitFor();
  if (view === "job") await page.locator(".log .l").first().waitFor();
  const file = join(folder, `${nameOf(view, size, colorScheme)}.png`);
  await page.screenshot({ path: file, fullPage: process.env["FULL"] === "1" });
  await context.close();
  return file;
}

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
try {
  const all = Object.keys(views).flatMap((view) =>
    [desktop, phone].flatMap((size) => (["light", "dark"] as const).map((scheme) => ({ view, size, scheme }))),
  );
  for (const { view, size, scheme } of all) {
    const name = nameOf(view, size, scheme);
    if (!isView(view) || (process.env["ALL"] !== "1" && !inDocs.includes(name))) continue;
    const file = await shoot(browser, view, size, scheme);
    process.stdout.write(`${file} ${Math.round((await stat(file)).size / 1024)} KiB\n`);
  }
} finally {
  await browser.close();
}
