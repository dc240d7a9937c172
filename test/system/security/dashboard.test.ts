import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isWanted } from "../../kit/wanted.ts";
import { definition } from "../simulated.ts";
import { hostKey, startService, until, type Service } from "./kit.ts";

/** The ops page in a real browser, shown a job whose program writes markup and scripts. */
const program = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const obstacle = existsSync(program) ? undefined : `${program} is not installed`;
const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>\n{"a":"<b>"}\n`;

const markedUp = definition(
  "hostile",
  { app: { seconds: 1, output: hostile } },
  {},
  { tags: { note: "<script>document.title='owned'</script>" } },
);

if (!isWanted(obstacle)) test.skip(`the ops page in a browser: skipped, because ${obstacle}`);

describe.runIf(isWanted(obstacle))("the ops page in a browser", () => {
  let service: Service;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    [service, browser] = await Promise.all([
      startService(),
      chromium.launch({ executablePath: program, args: ["--no-sandbox"] }),
    ]);
    page = await browser.newPage();
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    const accepted = await service.call("POST", "/api/trigger", markedUp);
    expect(accepted.status).toBe(200);
    await until("the job's end", async () => {
      const { status } = await service.call("GET", `/api/status/${String(accepted.body["id"])}`);
      return status === 202 ? undefined : true;
    });
    await page.goto(`${service.url}/api/dashboard`);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });

  test("is empty without a key, and says so of a wrong one", async () => {
    expect(await page.locator("nav").count()).toBe(0);
    await page.getByLabel("Key").fill("wrong");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("The key is not accepted.").first().waitFor();
    expect(await page.locator("nav").count()).toBe(0);
    expect(complaints.splice(0).join(" ")).toContain("401");
  });

  test("lists the jobs, and shows one's record and log", async () => {
    await page.getByLabel("Key").fill(hostKey);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    await page.locator(".body .tr", { hasText: "hostile" }).getByText("Succeeded").waitFor();
    await page.locator(".body .tr a.name", { hasText: "hostile" }).click();
    await page.locator(".log .l", { hasText: "onerror" }).waitFor();
  });

  test("shows a program's markup as the text that it is", async () => {
    expect(await page.locator(".log .l").first().textContent()).toBe(`${hostile.split("\n")[0] ?? ""}\n`);
    expect(await page.locator("img, main script").count()).toBe(0);
    expect(await page.title()).toBe("hostile: Succeeded · ACI Proxy");
  });

  test("runs no script but its own, wherever one comes from", async () => {
    // Where the policy refuses it an inline script is there and does not run, and one from elsewhere is not loaded.
    await page.addScriptTag({ content: "document.title = 'owned'" }).catch(() => undefined);
    await expect(page.addScriptTag({ url: "https://example.com/x.js" })).rejects.toThrow();
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b>x</b>')").catch(() => undefined);
    expect(await page.title()).toBe("hostile: Succeeded · ACI Proxy");
    const violations = complaints.splice(0);
    expect(violations.length).toBeGreaterThan(0);
    expect(violations.filter((text) => !/Content Security Policy|requires 'Trusted/.test(text))).toEqual([]);
  });

  test("comes gzipped to who takes it, also with a slash behind it; there is no other file", async () => {
    for (const path of ["/api/dashboard", "/api/dashboard/"]) {
      const zipped = await fetch(`${service.url}${path}`, { headers: { "accept-encoding": "gzip" } });
      expect([zipped.status, zipped.headers.get("content-encoding")]).toEqual([200, "gzip"]);
      const plain = await fetch(`${service.url}${path}`, { headers: { "accept-encoding": "identity" } });
      expect([plain.status, plain.headers.get("content-encoding")]).toEqual([200, null]);
      expect(await zipped.text()).toBe(await plain.text());
      expect(plain.headers.get("content-security-policy")).toMatch(
        /^default-src 'none'; script-src 'sha256-\S+'; style-src/,
      );
    }
    expect((await fetch(`${service.url}/api/dashboard/policy.txt`)).status).toBe(404);
  });
});
