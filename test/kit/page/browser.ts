import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type BrowserContextOptions, type Page } from "playwright-core";
import type { AxeResults } from "axe-core";
import { address, fullKey, PageService, type Answering } from "./service.ts";

/** The page in a real browser, in front of an invented service. One tab is opened for all: a new one takes longer than a test. */
const program = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
export const noBrowser = existsSync(program) ? undefined : `${program} is not installed`;

export interface View {
  /** What stands behind `#`. */
  readonly view?: string;
  /** Empty: no key is kept. */
  readonly key?: string;
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

export interface Tab {
  readonly page: Page;
  /** What the browser complained of since the page was opened. */
  readonly complaints: string[];
  /** Opens the page anew in front of that service. */
  open(service: Answering, view?: View): Promise<Page>;
  /** What the browser's clock says, in milliseconds: tests let it run ahead. */
  now(): Promise<number>;
  close(): Promise<void>;
}

/** Far from where tests run, so that a time in another zone shows. */
const zone = "Asia/Tokyo";

/** @param ownClock false where times are measured */
export async function openTab(options: BrowserContextOptions = {}, ownClock = true): Promise<Tab> {
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ reducedMotion: "reduce", timezoneId: zone, ...options });
  let service: Answering = new PageService([]);
  await context.route("http://page.test/**", (route) => service.answer(route));
  const page = await context.newPage();
  // Time runs as usual, until a test lets it run ahead.
  if (ownClock) await page.clock.install();
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  return {
    page,
    complaints,
    async open(next, { view = "#/", key = fullKey, width = 1280, colorScheme = "light" } = {}) {
      await page.goto("http://page.test/nothing");
      service = next;
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      await page.evaluate(`sessionStorage.clear(); ${key && `sessionStorage.setItem("key", ${JSON.stringify(key)})`}`);
      await page.goto(`${address}${view}`);
      complaints.length = 0;
      return page;
    },
    now: () => page.evaluate<number>("Date.now()"),
    close: () => browser.close(),
  };
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds wrong, one line each. */
export async function accessFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ""}`),
  );
}
