// Longer than 350 lines: all of it shares one browser tab; a second file would start a browser of its own.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessFaults, noBrowser, openTab, type Tab, type View } from "../../kit/page/browser.ts";
import { nights, recordOf } from "../../kit/page/data.ts";
import { address, fullKey, PageService, readKey } from "../../kit/page/service.ts";
import { until } from "../../kit/until.ts";
import { isWanted } from "../../kit/wanted.ts";

/** Templates and groups on the operators' page, in a real browser, in front of an invented service. */

if (!isWanted(noBrowser)) test.skip(`templates and groups on the page: skipped, because ${noBrowser}`);

describe.runIf(isWanted(noBrowser))("templates and groups on the page", () => {
  let tab: Tab;
  beforeAll(async () => (tab = await openTab()));
  afterAll(() => tab.close());

  const invented = (): PageService => new PageService(nights(Date.now()));
  const open = (service: PageService, view?: View): Promise<Page> => tab.open(service, view);
  const changes = ({ calls }: PageService): readonly string[] => calls.filter((call) => !call.startsWith("GET"));
  const views = [
    ["#/templates", ".row-link"],
    ["#/template/nightly-invoices?version=3&against=1", ".difference .added"],
    ["#/template/forecast-score", ".run"],
    ["#/template/unknown", ".notice"],
    ["#/groups", ".group"],
  ] as const;
  const goTo = async (page: Page, view: string, shown: string): Promise<void> => {
    await page.goto(`${address}${view}`);
    await page.locator(shown).first().waitFor();
  };

  /** What is made only when it is opened, too. */
  const openAll = (page: Page): Promise<unknown> =>
    page.evaluate(`
      for (const each of document.querySelectorAll("details")) each.open = true;
      new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))`);

  describe("access", () => {
    test.each(["light", "dark"] as const)("axe-core finds nothing on any view, %s", async (colorScheme) => {
      const page = await open(invented(), { colorScheme });
      const found: string[] = [];
      const look = async (view: string): Promise<void> => {
        found.push(...(await accessFaults(page)).map((fault) => `${view} ${fault}`));
      };
      for (const [view, shown] of views) {
        await goTo(page, view, shown);
        await openAll(page);
        await look(view);
      }
      await page.getByRole("button", { name: "Limit…" }).first().click();
      await page.getByRole("dialog").waitFor();
      await look("the dialog");
      await goTo(page, "#/template/forecast-score", ".run");
      await page.getByRole("button", { name: "Run version 7" }).click();
      await page.locator(".error").first().waitFor();
      await look("a form with faults");
      expect(found).toEqual([]);
    });

    test("no view scrolls sideways at 390 pixels, nor does any in which a form or a dialog is open", async () => {
      const page = await open(invented(), { width: 390 });
      const wide = () => page.evaluate("document.documentElement.scrollWidth");
      for (const [view, shown] of views) {
        await goTo(page, view, shown);
        await openAll(page);
        expect(await wide(), view).toBeLessThanOrEqual(390);
      }
      await page.getByRole("button", { name: "Pause…" }).first().click();
      await page.getByRole("dialog").waitFor();
      expect(await wide()).toBeLessThanOrEqual(390);
    });

    test("the read key is offered neither, and their addresses say why", async () => {
      const service = invented();
      const page = await open(service, { key: readKey, view: "#/template/nightly-invoices" });
      await page.getByText("The read key opens jobs, logs and health only.").waitFor();
      expect(await page.locator("nav a").allTextContents()).toEqual(["Overview", "Jobs"]);
      const job = service.jobs.find(({ template }) => template !== undefined);
      await goTo(page, `#/job/${job?.id ?? ""}`, ".facts");
      await page.getByText("nightly-invoices, version 3").waitFor();
      expect(await page.getByRole("link", { name: /version 3|other values/ }).count()).toBe(0);
      expect(service.calls.filter((call) => /templates|groups/.test(call))).toEqual([]);
    });

    test("who may run templates alone sees no Delete, no limit, and Cancel at no job of somebody else", async () => {
      const service = invented();
      service.may = ["read", "submit", "cancel"];
      const page = await open(service, { view: "#/template/nightly-invoices" });
      await page.getByRole("button", { name: "Run version 3" }).waitFor();
      expect(await page.getByRole("button", { name: /Delete/ }).count()).toBe(0);
      expect(await page.getByText(/^Edit version/).count()).toBe(0);
      expect(await page.getByText("Read only").count()).toBe(0);
      const failed = service.jobs.find(({ template }) => template !== undefined);
      await goTo(page, `#/job/${failed?.id ?? ""}`, ".log .l");
      expect(await page.getByRole("link", { name: "Run with other values" }).count()).toBe(1);
      await goTo(page, "#/groups", ".group");
      expect(await page.getByRole("button", { name: /Limit|Pause|Resume/ }).count()).toBe(0);
      const running = service.jobs.find(({ state }) => state === "Running");
      await goTo(page, `#/job/${running?.id ?? ""}`, ".log .l");
      expect(await page.getByRole("button", { name: "Cancel" }).count()).toBe(0);
    });

    test("who may operate and submit nothing sees the parameters and no form", async () => {
      const service = invented();
      service.may = ["read", "cancel", "steer", "operate"];
      const page = await open(service, { view: "#/template/nightly-invoices" });
      await page.getByRole("button", { name: "Delete…" }).waitFor();
      await page.getByRole("cell", { name: "the day to load" }).waitFor();
      expect(await page.locator(".run").count()).toBe(0);
    });
  });

  describe("templates", () => {
    test("the list names versions and parameters, and leads to what changed between two versions", async () => {
      const page = await open(invented(), { view: "#/templates" });
      const row = page.locator(".row-link", { hasText: "nightly-invoices" });
      await row.getByText("version 3").waitFor();
      expect(await row.textContent()).toContain("day, memory · stored by olga@contoso.com");
      await row.click();
      await page.getByRole("link", { name: "from version 2" }).click();
      const lines = (kind: string) => page.locator(`.difference .${kind}`);
      await lines("added").filter({ hasText: "invoices:4.2" }).waitFor();
      expect(await lines("removed").allTextContents()).toEqual([
        "−         image: contoso.azurecr.io/data/invoices:4.1",
      ]);
      await page.getByLabel("From").selectOption("Version 1");
      await page.waitForURL(/version=3&against=1$/);
      await lines("removed").filter({ hasText: "default: 2" }).waitFor();
      await page.getByLabel("To").selectOption("Version 1");
      await page.getByText("The two are equal.").waitFor();
      await page.goBack();
      await lines("removed").first().waitFor();
    });

    test("a form sends what was written, with its types, and the link to the new job stays", async () => {
      const service = invented();
      const page = await open(service, { view: "#/template/forecast-score" });
      await page.getByLabel("share").fill("0.25");
      await page.getByLabel("west").check();
      await page.getByLabel("north").uncheck();
      await page.getByLabel("arguments").fill("--part\n1\n");
      await page.getByRole("combobox", { name: "full" }).selectOption("true");
      await page.getByLabel("password").fill("hunter2");
      await page.getByRole("button", { name: "Run version 7" }).click();
      const link = page.getByRole("link", { name: "Open the new job" });
      await link.waitFor();
      const parameters = { share: 0.25, stores: ["south", "west"], arguments: ["--part", "1"], full: true };
      expect(service.operated.runs).toEqual([
        { parameters: { ...parameters, password: "hunter2" }, key: expect.any(String) as string },
      ]);
      expect(changes(service)).toEqual(["POST /api/trigger?template=forecast-score&version=7"]);
      expect(await page.getByLabel("password").inputValue()).toBe("");
      expect(await page.getByLabel("password").getAttribute("type")).toBe("password");
      expect(await page.evaluate("JSON.stringify([sessionStorage, localStorage, location.href])")).not.toContain(
        "hunter2",
      );
      await page.getByRole("button", { name: "Refresh" }).click();
      await page.getByText("Updated just now").waitFor();
      await page.getByRole("link", { name: "Jobs", exact: true }).click();
      await page.goBack();
      await link.click();
      await page.waitForURL(/#\/job\//);
    });

    test("what is missing or does not match is said at its field before anything is sent", async () => {
      const service = invented();
      const page = await open(service, { view: "#/template/nightly-invoices" });
      const run = page.getByRole("button", { name: "Run version 3" });
      await run.click();
      await page.getByText("This is needed: it has no default.").waitFor();
      await page.locator("[name=p-day]:focus").waitFor();
      await page.getByLabel("day").fill("yesterday");
      await run.click();
      await page.getByText("This must match \\d{4}-\\d{2}-\\d{2}").waitFor();
      expect(changes(service)).toEqual([]);
      await page.getByLabel("day").fill("2026-11-28");
      await run.click();
      await page.getByRole("link", { name: "Open the new job" }).waitFor();
      expect(service.operated.runs.map(({ parameters }) => parameters)).toEqual([{ day: "2026-11-28" }]);
    });

    test("faults that the service finds stand at their fields, others above the button, and a secret stays until it runs", async () => {
      const service = invented();
      service.operated.refusal = {
        message: "The parameters are wrong.",
        code: "InvalidParameters",
        requestId: "r",
        errors: [
          { path: "parameters.password", line: 3, column: 5, message: "Parameter password is too short." },
          { path: "properties.containers[0].name", line: 9, column: 5, message: "It is no name." },
        ],
      };
      const page = await open(service, { view: "#/template/forecast-score" });
      await page.getByLabel("share").fill("1");
      await page.getByLabel("password").fill("x");
      await page.getByRole("button", { name: "Run version 7" }).click();
      await page.getByText("Parameter password is too short.").waitFor();
      expect(await page.getByLabel("password").getAttribute("aria-invalid")).toBe("true");
      await page.locator("[name=p-password]:focus").waitFor();
      expect(await page.getByRole("alert").filter({ hasText: "It does not run." }).textContent()).toContain(
        "properties.containers[0].name It is no name.",
      );
      expect(await page.getByLabel("password").inputValue()).toBe("x");
    });

    test("a run whose answer was lost is sent again under the same key, other values under another", async () => {
      const service = invented();
      const page = await open(service, { view: "#/template/nightly-invoices" });
      const run = page.getByRole("button", { name: "Run version 3" });
      await page.getByLabel("day").fill("2026-11-28");
      service.operated.loses = true;
      await run.click();
      await page.getByText("It may not have begun.").waitFor();
      service.operated.loses = false;
      await run.click();
      await page.getByRole("link", { name: "Open the new job" }).waitFor();
      await run.click();
      await until("three runs", () => (service.operated.runs.length === 3 ? true : undefined));
      const [first, second, third] = service.operated.runs.map(({ key }) => key);
      expect(second).toBe(first);
      expect(third).not.toBe(first);
    });

    test("a name that is taken leads to the job that has it, or the run waits for that one's end", async () => {
      const service = invented();
      const [job] = service.jobs;
      service.operated.refusal = {
        message: "nightly-invoices is still Running.",
        code: "NameActive",
        requestId: "r",
        ...(job === undefined ? {} : { id: job.id }),
      };
      const page = await open(service, { view: "#/template/nightly-invoices" });
      await page.getByLabel("day").fill("2026-11-28");
      await page.getByRole("button", { name: "Run version 3" }).click();
      expect(await page.getByRole("link", { name: "Open that job" }).getAttribute("href")).toBe(
        `#/job/${job?.id ?? ""}`,
      );
      await page.getByRole("button", { name: "Run once that job has ended" }).click();
      await page.getByRole("link", { name: "Open the new job" }).waitFor();
      expect(service.operated.runs.map(({ options }) => options)).toEqual([undefined, { onConflict: "wait" }]);
    });

    test("a deletion asks first, and what the service answers stays on the list", async () => {
      const service = invented();
      const page = await open(service, { view: "#/template/reindex-search" });
      await page.getByText("It has no parameters.").waitFor();
      await page.getByRole("button", { name: "Delete…" }).click();
      await page.getByRole("button", { name: "Keep as it is" }).click();
      expect(changes(service)).toEqual([]);
      await page.getByRole("button", { name: "Delete…" }).click();
      await page.getByRole("button", { name: "Delete this template" }).click();
      await page.getByText("Template reindex-search is deleted.").waitFor();
      expect(page.url()).toMatch(/#\/templates$/);
      await page.locator(".row-link", { hasText: "forecast-score" }).waitFor();
      expect(await page.locator(".row-link").count()).toBe(2);
    });

    test("an edited text becomes a new version, and its difference is shown; a new template can be stored", async () => {
      const service = invented();
      const page = await open(service, { view: "#/template/nightly-invoices?version=2" });
      await page.getByText("Edit version 2").click();
      const text = page.getByLabel("Definition with parameters");
      await text.fill((await text.inputValue()).replace("invoices:4.1", "invoices:4.3"));
      // What is written outlives a key that is no longer accepted.
      service.keys = [];
      await page.getByRole("button", { name: "Store a new version" }).click();
      await page.getByLabel("Key").waitFor();
      expect(await page.getByRole("button", { name: "Store a new version" }).count()).toBe(0);
      service.keys = [fullKey];
      await page.getByLabel("Key").fill(fullKey);
      await page.getByLabel("Key").press("Enter");
      await page.getByLabel("Key").waitFor({ state: "detached" });
      service.operated.refusal = {
        message: "The definition is wrong.",
        code: "InvalidDefinition",
        requestId: "r",
        errors: [{ path: "properties.osType", line: 7, column: 3, message: "It is no system." }],
      };
      await page.getByRole("button", { name: "Store a new version" }).click();
      await page.getByText("Line 7, column 3: properties.osType It is no system.").waitFor();
      await page.getByRole("button", { name: "Store a new version" }).click();
      await page.getByText("is stored as version 4.").waitFor();
      await page.locator(".difference .added", { hasText: "invoices:4.3" }).waitFor();
      expect(page.url()).toMatch(/#\/template\/nightly-invoices\?version=4&against=3$/);
      expect(await page.getByRole("button", { name: "Run version 4" }).count()).toBe(1);
      await page.getByRole("link", { name: "Templates", exact: true }).click();
      await page.getByText("Store a new template").click();
      await page.getByLabel("Name").fill("brand-new");
      await page.getByLabel("Definition with parameters").fill("name: brand-new");
      await page.getByRole("button", { name: "Store it" }).click();
      await page.getByText("Template brand-new is stored as version 1.").waitFor();
      expect(changes(service).at(-1)).toBe("PUT /api/templates/brand-new");
    });

    test("hostile names, definitions and descriptions stay text", async () => {
      const hostile = `<img src=x onerror="document.title='owned'">`;
      const service = invented();
      const [newest, ...older] = service.operated.templates.get("nightly-invoices") ?? [];
      if (newest)
        service.operated.templates.set("nightly-invoices", [
          {
            ...newest,
            createdBy: hostile,
            definition: hostile,
            parameters: {
              day: { type: "string", secret: false, required: true, description: hostile, pattern: hostile },
            },
          },
          ...older,
        ]);
      service.operated.groups = service.operated.groups.map((group) => ({ ...group, group: hostile }));
      const page = await open(service);
      for (const view of ["#/templates", "#/template/nightly-invoices?version=3&against=2", "#/groups"]) {
        await page.goto(`${address}${view}`);
        await page.getByText("onerror").first().waitFor();
      }
      expect(await page.locator("img, main script").count()).toBe(0);
      expect(await page.title()).toBe("Groups · ACI Proxy");
      expect(tab.complaints).toEqual([]);
    });
  });

  describe("groups", () => {
    const row = (page: Page, name: string) => page.locator(".group", { hasText: name });

    test("the list says what is held, who waits and what leaked, and leads to a group's jobs", async () => {
      const service = invented();
      const page = await open(service, { view: "#/groups" });
      await row(page, "gpu").getByText("2 of 2 held").waitFor();
      expect(await row(page, "gpu").textContent()).toContain("3 jobs wait, the next for 9 min");
      expect(await row(page, "team/crm").textContent()).toContain("Paused");
      expect(await row(page, "warehouse").textContent()).toContain("does not confirm as stopped");
      await row(page, "gpu").getByText("Its jobs").click();
      await row(page, "gpu").getByText("waits in place 3").waitFor();
      await page.getByRole("link", { name: "warehouse" }).click();
      await page.waitForURL(/#\/jobs\?group=warehouse$/);
      await page.locator(".body .tr", { hasText: "nightly-invoices" }).first().waitFor();
      expect(await page.getByRole("textbox", { name: "Group" }).inputValue()).toBe("warehouse");
    });

    test("limit, pause and resume ask first, and their answer stays", async () => {
      const service = invented();
      const page = await open(service, { view: "#/groups" });
      await row(page, "gpu").getByRole("button", { name: "Limit…" }).click();
      await page.getByLabel("Slots").fill("5");
      await page.getByRole("button", { name: "Keep as it is" }).click();
      expect(changes(service)).toEqual([]);
      await row(page, "gpu").getByRole("button", { name: "Limit…" }).click();
      await page.getByLabel("Slots").fill("5");
      await page.getByLabel("Slots").press("Enter");
      await page.getByText("gpu: limit 5. 2 slots are held.").waitFor();
      await row(page, "gpu").getByText("2 of 5 held").waitFor();
      await row(page, "team/crm").getByRole("button", { name: "Resume…" }).click();
      await page.getByRole("button", { name: "Resume this group" }).click();
      await page.getByText("team/crm: no limit of an operator.").waitFor();
      await row(page, "team/crm").getByRole("button", { name: "Pause…" }).click();
      await page.getByRole("button", { name: "Pause this group" }).click();
      await page.getByText("no limit of an operator, paused.").waitFor();
      await row(page, "gpu").getByRole("button", { name: "Limit…" }).click();
      await page.getByLabel("Slots").fill("");
      await page.getByRole("button", { name: "Set the limit" }).click();
      await row(page, "gpu")
        .getByText(/^2 held$/)
        .waitFor();
      expect(changes(service)).toEqual([
        "PUT /api/groups/gpu",
        "PUT /api/groups/team%2Fcrm",
        "PUT /api/groups/team%2Fcrm",
        "PUT /api/groups/gpu",
      ]);
      await page.getByRole("button", { name: "Refresh" }).click();
      await page.getByText("Updated just now").waitFor();
      expect(await page.getByText("gpu: no limit of an operator.").count()).toBe(1);
    });

    test("a job's view names its group, priority, place in the queue and template", async () => {
      const service = invented();
      const job = service.jobs.find(({ template }) => template !== undefined);
      if (job)
        service.records.set(
          job.id,
          recordOf(job, { waiting: { reason: "GroupFull", since: job.createdAt, position: 4 } }),
        );
      const page = await open(service, { view: `#/job/${job?.id ?? ""}` });
      const fact = (name: string) => page.locator(".facts div", { hasText: name }).locator("dd");
      await fact("Place in the queue").getByText("4").waitFor();
      expect(await fact("Priority").textContent()).toBe("60 s");
      expect(await page.getByRole("link", { name: "warehouse", exact: true }).getAttribute("href")).toBe(
        "#/jobs?group=warehouse",
      );
      await page.getByRole("link", { name: "nightly-invoices, version 3" }).click();
      await page.waitForURL(/#\/template\/nightly-invoices\?version=3$/);
    });
  });

  describe("walks of at most three clicks", () => {
    test("an operator at night runs a failed pipeline's job from its template again: three clicks", async () => {
      const service = invented();
      const page = await open(service);
      await page.locator(".row-link", { hasText: "nightly-invoices" }).first().click();
      await page.getByText("exit 137 OutOfMemory").first().waitFor();
      await page.getByRole("button", { name: "Run again" }).click();
      await page.getByRole("button", { name: "Run it again" }).click();
      await page.getByRole("link", { name: "Open the new job" }).waitFor();
    });

    test("an operator at night runs it with more memory: three clicks, and what is written", async () => {
      const service = invented();
      const page = await open(service);
      await page.locator(".row-link", { hasText: "nightly-invoices" }).first().click();
      await page.getByRole("link", { name: "Run with other values" }).click();
      await page.getByLabel("day").fill("2026-11-28");
      await page.getByLabel("memory").selectOption("8");
      await page.getByRole("button", { name: "Run version 3" }).click();
      await page.getByRole("link", { name: "Open the new job" }).waitFor();
      expect(service.operated.runs.map(({ parameters }) => parameters)).toEqual([{ day: "2026-11-28", memory: 8 }]);
    });

    test("somebody on a phone runs a template with two parameters: three clicks, and what is written", async () => {
      const service = invented();
      const page = await open(service, { width: 390 });
      await page.getByRole("link", { name: "Templates" }).click();
      // The list of jobs, which has that name too, may still be there.
      await page.locator('.row-link[href^="#/template/"]', { hasText: "nightly-invoices" }).click();
      await page.getByLabel("day").fill("2026-11-28");
      await page.getByLabel("memory").selectOption("8");
      await page.getByRole("button", { name: "Run version 3" }).click();
      await page.getByRole("link", { name: "Open the new job" }).waitFor();
    });
  });
});
