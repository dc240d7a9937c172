// Longer than 350 lines: all of it shares one browser tab; a second file would start a browser of its own.
import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessFaults, noBrowser, openTab, type Tab, type View } from "../../kit/page/browser.ts";
import { many, nights, recordOf, rowOf } from "../../kit/page/data.ts";
import { fullKey, PageService, readKey } from "../../kit/page/service.ts";
import { until } from "../../kit/until.ts";
import { isWanted } from "../../kit/wanted.ts";

/** The operators' page in a real browser, in front of an invented service. */

test("the page, all in one, has at most 60 kB gzipped", () => {
  const html = readFileSync(new URL("../../../dist/dashboard/index.html", import.meta.url));
  expect(gzipSync(html).length).toBeLessThan(60_000);
  expect(html.toString()).not.toMatch(/(?:src|href)="?https?:/);
});

if (!isWanted(noBrowser)) test.skip(`the operators' page: skipped, because ${noBrowser}`);

describe.runIf(isWanted(noBrowser))("the operators' page", () => {
  let tab: Tab;
  beforeAll(async () => (tab = await openTab()));
  afterAll(() => tab.close());

  const start = Date.parse("2026-11-28T06:42:00Z");
  const invented = (): PageService => new PageService(nights(Date.now()));
  const failedIn = (service: PageService) => service.jobs.find(({ state }) => state === "Failed") ?? service.jobs[0];
  const open = (service: PageService, view?: View): Promise<Page> => tab.open(service, view);
  const row = (page: Page, text: string) => page.locator(".body .tr", { hasText: text }).first();

  describe("who may", () => {
    test("without a key nothing is asked for, and a wrong one is refused", async () => {
      const service = invented();
      const page = await open(service, { key: "" });
      await page.getByLabel("Key").fill("wrong");
      expect(service.calls).toEqual([]);
      await page.getByRole("button", { name: "Open" }).click();
      await page.getByText("The key is not accepted.").waitFor();
      expect(await page.locator("nav").count()).toBe(0);
    });

    test("a key stays in the tab and out of the address; the view of the address opens", async () => {
      const page = await open(invented(), { key: "", view: "#/jobs?state=Failed" });
      await page.getByLabel("Key").fill(fullKey);
      await page.getByLabel("Key").press("Enter");
      await row(page, "nightly-invoices").waitFor();
      expect(page.url()).toMatch(/#\/jobs\?state=Failed$/);
      expect(await page.evaluate("sessionStorage.getItem('key')")).toBe(fullKey);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Key").waitFor();
      expect(await page.evaluate("sessionStorage.length + localStorage.length")).toBe(0);
    });

    test("who has the key that reads is offered nothing else", async () => {
      const service = invented();
      const page = await open(service, { key: readKey, view: `#/job/${failedIn(service)?.id ?? ""}` });
      await page.locator(".log .l").first().waitFor();
      await page.getByText("Read only").waitFor();
      expect(await page.getByRole("button", { name: /Run again|Cancel/ }).count()).toBe(0);
      expect(service.calls.filter((call) => !/ \/api\/read\/| \/api\/caller$/.test(call))).toEqual([]);
    });

    test("a key that stops being valid asks for another, and the view goes on", async () => {
      const service = invented();
      const page = await open(service, { view: "#/jobs" });
      await row(page, "nightly-orders").waitFor();
      service.keys = [];
      await page.getByRole("button", { name: "Refresh" }).click();
      await page.getByText("The key is no longer accepted.").waitFor();
      await page.locator("#key:focus").waitFor();
      service.keys = [fullKey];
      await page.getByLabel("Key").fill(fullKey);
      await page.getByLabel("Key").press("Enter");
      await row(page, "nightly-orders").waitFor();
      expect(page.url()).toMatch(/#\/jobs$/);
      await page.locator("#main:focus").waitFor();
    });

    test("a service that is away as the page is opened asks for no key: it is tried again with the one that the tab has", async () => {
      const service = invented();
      service.isAway = true;
      const page = await open(service, { view: "#/jobs" });
      await page.getByText("The page keeps trying with the key that this tab has.").waitFor();
      service.isAway = false;
      await page.clock.runFor(10_000);
      await row(page, "nightly-orders").waitFor();
    });
  });

  describe("access", () => {
    const views = (service: PageService) => {
      const failed = failedIn(service)?.id ?? "";
      return [
        ["#/", ".chart"],
        ["#/jobs?by=run&state=Failed", ".body .tr"],
        [`#/job/${failed}`, ".log .l"],
        ["#/job/unknown", ".notice"],
      ] as const;
    };

    test.each(["light", "dark"] as const)("axe-core finds nothing on any view, %s", async (colorScheme) => {
      const service = invented();
      const failed = failedIn(service);
      if (failed)
        service.records.set(
          failed.id,
          recordOf(failed, {
            warnings: [{ path: "properties", line: 1, column: 1, message: "Has no effect." }],
            azure: { code: "QuotaExceeded", message: "Too much.", httpStatus: 409 },
          }),
        );
      const page = await open(service, { colorScheme });
      const found: string[] = [];
      for (const [view, shown] of views(service)) {
        await page.goto(`http://page.test/api/dashboard${view}`);
        await page.locator(shown).first().waitFor();
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
        found.push(...(await accessFaults(page)).map((fault) => `${view} ${fault}`));
      }
      await page.goto(`http://page.test/api/dashboard#/job/${failed?.id ?? ""}`);
      await page.getByRole("button", { name: "Run again" }).click();
      await page.getByRole("dialog").waitFor();
      found.push(...(await accessFaults(page)));
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Key").waitFor();
      found.push(...(await accessFaults(page)));
      expect(found).toEqual([]);
    });

    test.each([390, 320])("no view scrolls sideways at %s pixels", async (width) => {
      const service = invented();
      const page = await open(service, { width });
      for (const [view, shown] of views(service)) {
        await page.goto(`http://page.test/api/dashboard${view}`);
        await page.locator(shown).first().waitFor();
        expect(await page.evaluate("document.documentElement.scrollWidth"), view).toBeLessThanOrEqual(width);
      }
    });

    test("times are in the reader's zone, and in UTC on hover", async () => {
      const service = new PageService([rowOf("timed", start, 60)]);
      const page = await open(service, { view: "#/jobs" });
      const time = row(page, "timed").locator("time");
      expect(await time.textContent()).toContain("15:42:00");
      expect(await time.getAttribute("title")).toBe("2026-11-28 06:42:00 UTC");
    });

    test("the keyboard alone leads from the overview to a job's log", async () => {
      const page = await open(invented());
      await page.locator(".chart").first().waitFor();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter"); // skip to content
      await until("a failure has the focus", async () => {
        await page.keyboard.press("Tab");
        return (await page.evaluate("document.activeElement.className")) === "row-link" ? true : undefined;
      });
      await page.keyboard.press("Enter");
      await page.locator(".log .l").first().waitFor();
      await page.locator("#main:focus").waitFor();
    });
  });

  describe("jobs", () => {
    test("a filter is an address, which can be gone back from and shared", async () => {
      const service = invented();
      const page = await open(service, { view: "#/jobs" });
      await page.getByLabel("State").focus();
      await page.getByLabel("State").selectOption("Failed,TimedOut,Stopped");
      await page.waitForURL(/state=Failed/);
      await page.getByRole("button", { name: "Remove the filter State" }).waitFor();
      await page.locator("[name=state]:focus").waitFor();
      await page.getByLabel("Name").fill("geo-tiles");
      await page.getByLabel("Name").press("Enter");
      await page.waitForURL(/name=geo-tiles/);
      await until("only these", async () =>
        (await page.locator(".body .tr").count()) ===
        (await page.locator(".body .tr", { hasText: "geo-tiles" }).count())
          ? true
          : undefined,
      );
      await page.getByRole("button", { name: "Clear all" }).click();
      await page.waitForURL(/#\/jobs$/);
      await page.goBack();
      await page.waitForURL(/name=geo-tiles/);
      expect(await page.getByRole("combobox", { name: "State" }).inputValue()).toBe("Failed,TimedOut,Stopped");
      await page.goBack();
      await row(page, "nightly-invoices").waitFor();
      await page.getByLabel("By pipeline run").check();
      await page.getByText("not succeeded").first().waitFor();
      expect(page.url()).toMatch(/by=run/);
      expect(service.calls.join()).not.toContain("key");
    });

    test("10,000 jobs come in pages as they are scrolled to, and few rows exist at once", async () => {
      const service = new PageService(many(start, 10_000));
      const page = await open(service, { view: "#/jobs" });
      await row(page, "batch-a").waitFor();
      const pages = (): number => service.calls.filter((call) => /\/api\/jobs\?top=\d{3}/.test(call)).length;
      expect(pages()).toBe(1);
      await until("the 1,000th job", async () => {
        await page.evaluate("scrollBy(0, 20_000)");
        return /^1,[1-9]/.test((await page.locator(".count").textContent()) ?? "") ? true : undefined;
      });
      expect(pages()).toBeLessThan(12);
      expect(await page.locator(".body .tr").count()).toBeLessThan(80);
      const place = 30_000;
      await page.evaluate(`scrollTo(0, ${place})`);
      const inSight = "document.elementFromPoint(300, 400)?.closest('.tr')?.querySelector('a')?.getAttribute('href')";
      const address = await until("a job is in sight", () => page.evaluate<string | undefined>(inSight));
      await page.locator(`a[href="${address}"]`).click();
      await page.getByRole("heading", { name: "Timeline" }).waitFor();
      await page.goBack();
      await until("the job has the focus where it was", async () =>
        (await page.evaluate("document.activeElement.getAttribute('href')")) === address ? true : undefined,
      );
      expect(await page.evaluate("scrollY")).toBe(place);
    });

    test("jobs that can't be scrolled to are said, and asked for once more on request alone", async () => {
      const service = new PageService(many(start, 300));
      const page = await open(service, { view: "#/jobs" });
      await row(page, "batch-a").waitFor();
      service.isAway = true;
      await page.mouse.wheel(0, 20_000);
      await page.getByText("The jobs before these could not be read: Storage can't be reached.").waitFor();
      const asked = service.calls.length;
      await page.clock.runFor(1000);
      expect(service.calls.length).toBe(asked);
      service.isAway = false;
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText("300 jobs").waitFor();
    });

    test("a refresh takes in what is new and what changed, and drops what no longer fits", async () => {
      const service = invented();
      const page = await open(service, { view: "#/jobs?state=active" });
      await row(page, "hourly-import").waitFor();
      service.jobs = [
        rowOf("brand-new", Date.now(), 0, { state: "Running", finishedAt: undefined }),
        ...service.jobs.filter(({ name }) => name !== "hourly-import"),
      ];
      await page.getByRole("button", { name: "Refresh" }).click();
      await row(page, "brand-new").waitFor();
      expect(await row(page, "hourly-import").count()).toBe(0);
    });

    test("storage that goes away is said, what was read stays, and the page recovers", async () => {
      const service = invented();
      const page = await open(service, { view: "#/jobs" });
      await row(page, "nightly-orders").waitFor();
      service.isAway = true;
      await page.getByRole("button", { name: "Refresh" }).click();
      await page.getByText("Storage can't be reached.").waitFor();
      expect(await row(page, "nightly-orders").count()).toBe(1);
      service.isAway = false;
      // Without a click: it keeps trying.
      await page.clock.runFor(10_000);
      await page.getByText("Storage can't be reached.").waitFor({ state: "detached" });
    });

    test("while it is read anew, the button that asked for it keeps the focus", async () => {
      const service = invented();
      const page = await open(service, { view: "#/jobs" });
      await row(page, "nightly-orders").waitFor();
      let answer = (): void => undefined;
      const answered = new Promise<void>((resolve) => (answer = resolve));
      await page.route(/\/api\/jobs\?/, (route) => answered.then(() => route.fallback()));
      const refresh = page.getByRole("button", { name: "Refresh" });
      await refresh.press("Enter");
      await page.locator("[aria-disabled=true]").waitFor();
      await page.clock.runFor(100);
      await page.locator("button:focus", { hasText: "Refresh" }).waitFor();
      answer();
      await page.locator("[aria-disabled=true]").waitFor({ state: "detached" });
      await page.unroute(/\/api\/jobs\?/);
    });

    test("a hidden tab asks nothing", async () => {
      const service = invented();
      const page = await open(service, { view: "#/jobs" });
      await row(page, "nightly-orders").waitFor();
      const hide = (isHidden: boolean): Promise<unknown> =>
        page.evaluate(
          `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true }); document.dispatchEvent(new Event("visibilitychange")); 0`,
        );
      // What the page asked for before this call has been counted when it is answered.
      const calls = async (): Promise<number> => {
        await page.evaluate("fetch('/nothing').then(() => 0)");
        return service.calls.length;
      };
      const first = await calls();
      await page.clock.runFor(30_000);
      expect(await calls()).toBeGreaterThan(first);
      await hide(true);
      const second = await calls();
      await page.clock.runFor(600_000);
      expect(await calls()).toBe(second);
      await hide(false);
      await page.clock.runFor(1000);
      expect(await calls()).toBeGreaterThan(second);
    });
  });

  describe("a job", () => {
    const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

    test("hostile names, tags and outputs stay text", async () => {
      const bad = rowOf(hostile, Date.now() - 60_000, 5, {
        tags: { [hostile]: hostile },
        message: hostile,
        pipeline: hostile,
        pipelineRunId: hostile,
        state: "Failed",
      });
      const service = new PageService([bad]);
      service.logs.set(bad.id, `${hostile}\n\u001b[31m${hostile}\u001b[0m\u0000\ud800\n${"x".repeat(4_000_000)}\n`);
      const page = await open(service);
      for (const view of ["#/", "#/jobs?by=run", `#/jobs?name=${encodeURIComponent(hostile)}`, `#/job/${bad.id}`]) {
        await page.goto(`http://page.test/api/dashboard${view}`);
        await page.getByText("onerror").first().waitFor();
      }
      await page.locator(".log .l").nth(2).waitFor();
      expect(await page.locator(".log .l").first().textContent()).toBe(`${hostile}\n`);
      expect(await page.locator("img, main script").count()).toBe(0);
      expect(await page.title()).toBe(`${hostile.slice(0, 80)}: Failed · ACI Proxy`);
      expect(tab.complaints).toEqual([]);
    });

    test("its log has colours, marked gaps, search, wrap and a download", async () => {
      const service = invented();
      const failed = failedIn(service);
      const page = await open(service, { view: `#/job/${failed?.id ?? ""}` });
      expect(await page.locator(".log .a-red").textContent()).toBe("ERROR");
      expect(await page.locator(".log .gap").textContent()).toContain("Lines may be missing here");
      await page.getByLabel("Search").fill("batch");
      await page.getByText("1 of 24").waitFor();
      await page.getByLabel("Search").press("Shift+Enter");
      await page.getByText("24 of 24").waitFor();
      expect(await page.locator(".log .current mark").textContent()).toBe("batch");
      await page.getByLabel("Wrap").uncheck();
      expect(await page.locator(".log.wrap").count()).toBe(0);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Download" }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/^[\w-]+-[0-9a-f]{6}\.log$/);
      await page.getByRole("combobox", { name: "Container" }).selectOption("sidecar");
      await page.waitForURL(/container=sidecar/);
      await until("its log", () =>
        Promise.resolve(
          service.calls.some((call) => call.includes(`/logs/${failed?.id ?? ""}/sidecar`)) ? true : undefined,
        ),
      );
    });

    test("every line of a long log can be reached, and a download that fails is said", async () => {
      const service = invented();
      const { id = "" } = failedIn(service) ?? {};
      service.logs.set(id, Array.from({ length: 2500 }, (_, index) => `line ${index + 1}\n`).join(""));
      const page = await open(service, { view: `#/job/${id}` });
      const first = page.locator(".log .l").first();
      expect(await first.textContent()).toBe("line 1501\n");
      await page.getByRole("button", { name: "1,000 earlier lines" }).click();
      await page.getByRole("button", { name: "500 earlier lines" }).click();
      await page.locator(".log button").waitFor({ state: "detached" });
      expect(await first.textContent()).toBe("line 1\n");
      service.isAway = true;
      await page.getByRole("button", { name: "Download" }).click();
      await page.getByText("Not downloaded: Storage can't be reached.").waitFor();
    });

    test("that waits and has ended by the next look shows its log", async () => {
      const service = invented();
      const waiting = service.jobs.find(({ state }) => state === "Queued") ?? rowOf("none", start, 1);
      service.logs.set(waiting.id, "[aci-proxy] app has not started.\n");
      const page = await open(service, { view: `#/job/${waiting.id}` });
      await page.getByText("has not started").waitFor();
      service.logs.set(waiting.id, "what it wrote\n");
      service.jobs = [rowOf("ended", start, 5, { id: waiting.id })];
      await page.clock.runFor(20_000);
      await page.getByText("what it wrote").waitFor();
    });

    test("that ends while its log is followed is shown as ended when the log has ended", async () => {
      const service = invented();
      const running = service.jobs.find(({ state }) => state === "Running") ?? rowOf("none", start, 1);
      const page = await open(service, { view: `#/job/${running.id}` });
      await page.locator(".log .l").first().waitFor();
      service.jobs = [rowOf("ended", start, 5, { id: running.id, state: "Failed" })];
      await page.clock.runFor(10_000);
      await page.locator(".title .state", { hasText: "Failed" }).waitFor();
      await page.getByRole("link", { name: "log of sidecar" }).click();
      await page.locator("#log:focus").waitFor();
    });

    test("cancel and run again ask first, and their answer stays", async () => {
      const service = invented();
      const running = service.jobs.find(({ state }) => state === "Running");
      const changes = (): string[] => service.calls.filter((call) => !call.startsWith("GET"));
      const page = await open(service, { view: `#/job/${running?.id ?? ""}` });
      expect(await page.getByRole("button", { name: "Run again" }).count()).toBe(0);
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.getByRole("button", { name: "Keep as it is" }).click();
      await page.locator("button:focus", { hasText: "Cancel" }).waitFor();
      expect(changes()).toEqual([]);
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.getByRole("button", { name: "Cancel this job" }).click();
      await page.getByText("is being deleted").waitFor();
      expect(changes()).toEqual([`DELETE /api/delete/${running?.id ?? ""}`]);
      await page.getByRole("button", { name: "Refresh" }).click();
      await page.getByText("Updated just now").waitFor();
      expect(await page.getByText("is being deleted").count()).toBe(1);
      await page.getByRole("button", { name: "Dismiss" }).click();
      service.isAway = true;
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.getByRole("button", { name: "Cancel this job" }).click();
      await page.getByText("Not canceled, as far as is known: Storage can't be reached.").waitFor();
      service.isAway = false;
      const failed = failedIn(service);
      await page.goto(`http://page.test/api/dashboard#/job/${failed?.id ?? ""}`);
      await page.getByRole("button", { name: "Run again" }).click();
      await page.getByRole("button", { name: "Run it again" }).click();
      await page.getByRole("link", { name: "Open the new job" }).waitFor();
      expect(changes().at(-1)).toBe(`POST /api/jobs/${failed?.id ?? ""}/rerun`);
    });
  });

  describe("a job's containers and definition", () => {
    test("each container has its own state while it runs, and how long it has run", async () => {
      const service = invented();
      const running = service.jobs.find(({ state }) => state === "Running");
      const started = new Date((await tab.now()) - 125_000).toISOString().slice(0, 19);
      const none = { exit_code: null, finish_time: null };
      if (running)
        service.records.set(
          running.id,
          recordOf(running, {
            containers: {
              load: {
                ...none,
                start_time: started,
                finish_time: started,
                state: "Terminated",
                exit_code: 0,
                detail_status: "Completed",
                init: true,
              },
              app: { ...none, start_time: started, state: "Running", detail_status: "" },
              sidecar: {
                ...none,
                start_time: null,
                state: "Waiting",
                detail_status: "CrashLoopBackOff",
                restart_count: 3,
              },
              late: {},
            },
          }),
        );
      const page = await open(service, { view: `#/job/${running?.id ?? ""}` });
      const line = (name: string) => page.locator("tr", { hasText: name });
      await line("app")
        .getByText(/^[2-5] min/)
        .waitFor();
      expect(await line("load").textContent()).toContain("Completed0");
      expect(await line("sidecar").textContent()).toContain("Waiting: CrashLoopBackOff (restarted ×3)");
      expect(await line("late").textContent()).toContain("Not started");
    });

    test("a waiting job shows its position and when it is expected to start and to end", async () => {
      const service = invented();
      const waiting = service.jobs.find(({ state }) => state === "Queued");
      const times = { expectedStartAt: "2026-11-24T12:34:56.000Z", expectedEndAt: "2026-11-24T13:45:00.000Z" };
      if (waiting)
        service.records.set(waiting.id, recordOf(waiting, { ...times, queue: { position: 3, of: 12 }, late: true }));
      const page = await open(service, { view: `#/job/${waiting?.id ?? ""}` });
      const fact = (name: string) => page.locator(".facts div", { has: page.getByText(name, { exact: true }) });
      expect(await fact("Place in the queue").locator("dd").textContent()).toBe("3 of 12");
      expect(await fact("Expected start").locator("time").getAttribute("dateTime")).toBe(times.expectedStartAt);
      expect(await fact("Expected end").locator("time").getAttribute("dateTime")).toBe(times.expectedEndAt);
      expect(await fact("Expected end").textContent()).toContain("late");
    });

    test("the definition is asked for when somebody opens it", async () => {
      const service = invented();
      const failed = failedIn(service)?.id ?? "";
      const page = await open(service, { view: `#/job/${failed}` });
      await page.locator(".log .l").first().waitFor();
      const asked = (): readonly string[] => service.calls.filter((call) => call.endsWith("/definition"));
      expect(asked()).toEqual([]);
      await page.getByText("Definition", { exact: true }).click();
      await page.locator("pre", { hasText: '"secureValue": "***"' }).waitFor();
      expect(asked()).toHaveLength(1);
      expect(await accessFaults(page)).toEqual([]);
    });
  });

  describe("walks of at most three clicks", () => {
    test("an operator at night sees why the one pipeline failed: one click", async () => {
      const page = await open(invented());
      await page.locator(".row-link", { hasText: "nightly-invoices" }).first().click();
      await page.getByText("exit 137 OutOfMemory").first().waitFor();
      await page.locator(".log .l", { hasText: "Killed" }).waitFor();
    });

    test("an author finds last night's run of an activity, and its log: two clicks", async () => {
      const page = await open(invented());
      await page.locator(".strip-name", { hasText: "forecast-train" }).click();
      await page.locator(".body .tr a.name").first().click();
      await page.locator(".lead", { hasText: "forecast-train" }).waitFor();
      await page.locator(".log .l").first().waitFor();
    });

    test("somebody on a phone sees whether it runs: no click, and one for its log", async () => {
      const page = await open(invented(), { width: 390 });
      const job = page.locator(".row-link", { hasText: "hourly-import" });
      await job.getByText("Running").waitFor();
      await job.click();
      await page.locator(".log .l").first().waitFor();
    });
  });
});
