import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { audience, claimsOf, tenant } from "../../kit/authority.ts";
import { accessFaults } from "../../kit/page/browser.ts";
import { pageClient, startSignIn, type SignInAuthority } from "../../kit/sign-in.ts";
import { isWanted } from "../../kit/wanted.ts";
import { definition } from "../simulated.ts";
import { startService, until, type Service } from "./kit.ts";

/** People sign in on the page, in a real browser, with a tenant that stands on this machine. */
const program = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const obstacle = existsSync(program)
  ? hasOpenSsl()
    ? undefined
    : "openssl is not installed"
  : `${program} is not installed`;

function hasOpenSsl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const operator = { id: "00000000-1111-2222-3333-000000000001", name: "Olga Operator", roles: ["Job.Operate"] };
const reader = { id: "00000000-1111-2222-3333-000000000002", name: "Rita Reader", roles: ["Job.Read"] };
const runner = {
  id: "00000000-1111-2222-3333-000000000004",
  name: "Rosalinda Maria von und zu Hohenzollern-Runner",
  roles: ["Job.Run"],
};
const nobody = { id: "00000000-1111-2222-3333-000000000003", name: "Norman Nobody", roles: [] };
const pipeline = "11111111-aaaa-bbbb-cccc-000000000001";

if (!isWanted(obstacle)) test.skip(`signing in on the page: skipped, because ${obstacle}`);

describe.runIf(isWanted(obstacle))("signing in on the page", () => {
  let tenantStandIn: SignInAuthority;
  let service: Service;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let id: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    tenantStandIn = await startSignIn([operator, reader, runner, nobody]);
    process.env["NODE_EXTRA_CA_CERTS"] = tenantStandIn.certificate;
    [service, browser] = await Promise.all([
      startService({
        AUTH_MODE: "entra",
        ENTRA_TENANT_ID: tenant,
        ENTRA_AUDIENCE: audience,
        ENTRA_AUTHORITY: tenantStandIn.authority.url,
        ENTRA_PAGE_CLIENT_ID: pageClient,
        ENTRA_CALLERS: pipeline,
        READ_KEY: "a-key-that-only-reads",
      }),
      chromium.launch({ executablePath: program, args: ["--no-sandbox"] }),
    ]);
    delete process.env["NODE_EXTRA_CA_CERTS"];
    const token = await tenantStandIn.authority.sign(claimsOf(pipeline, "Job.Submit", Date.now()));
    const operates = await tenantStandIn.authority.sign(claimsOf(pipeline, "Job.Operate", Date.now()));
    const top = { "x-aciproxy-parameters": { day: {} }, "x-aciproxy": { tags: { day: "${param:day}" } } };
    const template = definition("evening-load", { app: { seconds: 3600 } }, {}, top);
    const stored = await service.call("PUT", "/api/templates/evening-load", template, {
      authorization: `Bearer ${operates}`,
    });
    expect(stored.status).toBe(200);
    const body = definition("nightly", { app: { seconds: 3600 } });
    const accepted = await service.call("POST", "/api/trigger", body, { authorization: `Bearer ${token}` });
    expect(accepted.status).toBe(200);
    id = String(accepted.body["id"]);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await service.stop();
    tenantStandIn.authority.stop();
  });

  beforeEach(async () => {
    tenantStandIn.renews = true;
    context = await browser.newContext({ ignoreHTTPSErrors: true });
    page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
  });
  afterEach(async () => {
    await context.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  const open = async (view: string): Promise<void> => {
    await page.goto(`${service.url}/api/dashboard${view}`);
  };
  const wide = () => page.evaluate("document.documentElement.scrollWidth");
  const signInAs = async (name: string): Promise<void> => {
    await page.getByRole("button", { name: "Sign in with Microsoft" }).click();
    await page.getByRole("link", { name }).click();
  };

  test("who may operate comes back to the view, and cancels a job under their own name", async () => {
    await open(`#/job/${id}`);
    expect(await accessFaults(page)).toEqual([]);
    await signInAs(operator.name);
    await page.getByRole("heading", { name: "nightly" }).waitFor();
    expect(page.url()).toBe(`${service.url}/api/dashboard#/job/${id}`);
    expect(tenantStandIn.redirects.at(-1)).toBe(`${service.url}/api/dashboard`);
    await page.getByText(operator.name).waitFor();
    expect(await accessFaults(page)).toEqual([]);
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel this job" }).click();
    await page.getByText(/Cancel: /).waitFor();
    await until("the audit line", () => (service.log().includes(operator.id) ? true : undefined));
    expect(service.log()).not.toMatch(/eyJ[\w-]{20}/);
  });

  test("who may only read is offered nothing else, and stays signed in when the page is loaded again", async () => {
    await open("#/jobs");
    await signInAs(reader.name);
    await page.getByText("Read only").waitFor();
    await page.reload();
    await page.locator(".body .tr", { hasText: "nightly" }).waitFor();
    await page.locator(".body .tr a.name").first().click();
    await page.getByRole("heading", { name: "nightly" }).waitFor();
    expect(await page.getByRole("button", { name: /^(?:Cancel|Run again)$/ }).count()).toBe(0);
    await page.getByText("Definition", { exact: true }).click();
    await page.locator("pre", { hasText: '"name": "nightly"' }).waitFor();
  });

  test("a token is renewed without asking; once it can't be, the page says so, and goes on after a new sign-in", async () => {
    await open("#/jobs");
    await signInAs(reader.name);
    await page.locator(".body .tr", { hasText: "nightly" }).waitFor();
    const before = tenantStandIn.renewals();
    await page.getByRole("button", { name: "Refresh" }).click();
    await until("a renewal", () => (tenantStandIn.renewals() > before ? true : undefined));
    await page.getByRole("button", { name: "Refresh" }).and(page.locator(":enabled")).waitFor();
    tenantStandIn.renews = false;
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.getByText("Your sign-in has ended.").waitFor();
    expect(complaints.splice(0).join()).toContain("400");
    tenantStandIn.renews = true;
    await signInAs(reader.name);
    await page.locator(".body .tr", { hasText: "nightly" }).waitFor();
    expect(page.url()).toMatch(/#\/jobs$/);
  });

  test("on a phone the sign-in and every view after it fit 390 pixels, with a long name too", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await open("#/templates");
    expect(await wide()).toBeLessThanOrEqual(390);
    await signInAs(runner.name);
    await page.getByRole("link", { name: "evening-load" }).waitFor();
    expect(page.url()).toMatch(/#\/templates$/);
    expect(await wide()).toBeLessThanOrEqual(390);
    for (const view of ["Overview", "Jobs", "Groups", "Templates"]) {
      await page.getByRole("link", { name: view, exact: true }).click();
      await page.getByRole("heading", { name: view, level: 1 }).waitFor();
      expect(await wide(), view).toBeLessThanOrEqual(390);
    }
    expect(await accessFaults(page)).toEqual([]);
    await page.getByRole("link", { name: "evening-load" }).click();
    await page.getByLabel("day").fill("2026-11-28");
    await page.getByRole("button", { name: "Run version 1" }).click();
    await page.getByRole("link", { name: "Open the new job" }).waitFor();
    expect(await wide()).toBeLessThanOrEqual(390);
    // Who may run templates alone may cancel what they asked for, and nobody else's.
    await page.getByRole("link", { name: "Open the new job" }).click();
    await page.getByRole("button", { name: "Cancel", exact: true }).waitFor();
    expect(await wide()).toBeLessThanOrEqual(390);
    await open(`#/job/${id}`);
    await page.getByRole("heading", { name: "nightly" }).waitFor();
    expect(await page.getByRole("button", { name: "Cancel", exact: true }).count()).toBe(0);
  });

  test("signing out forgets the tokens here and leaves the tenant's session", async () => {
    await open("#/jobs");
    await signInAs(reader.name);
    await page.locator(".body .tr", { hasText: "nightly" }).waitFor();
    expect(await page.evaluate("JSON.stringify(sessionStorage)")).toContain("accesstoken");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with Microsoft" }).waitFor();
    expect(await page.evaluate("JSON.stringify([sessionStorage, localStorage])")).not.toMatch(
      /accesstoken|refreshtoken/,
    );
  });

  test("who has no role, and who changes their mind, read why", async () => {
    await open("#/");
    await signInAs(nobody.name);
    await page.getByText("Norman Nobody may not use this page").waitFor();
    expect(complaints.splice(0).join()).toContain("403");
    await signInAs("Nobody at all");
    await page.getByText(/The sign-in failed: .*changed their mind/).waitFor();
  });

  test("the read key works beside it, and the page's policy names the tenant and no other", async () => {
    await open("#/jobs");
    await page.getByText("Use the read key").click();
    await page.getByLabel("Key").fill("a-key-that-only-reads");
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await page.locator(".body .tr", { hasText: "nightly" }).waitFor();
    expect(complaints.splice(0).join()).toContain("401");
    const reply = await fetch(`${service.url}/api/dashboard`);
    expect(reply.headers.get("content-security-policy")).toMatch(
      new RegExp(
        `^default-src 'none'; script-src 'sha256-\\S+' 'strict-dynamic'; .*connect-src 'self' ${tenantStandIn.authority.url};`,
      ),
    );
    expect(await fetch(`${service.url}/api/dashboard/signin.js`)).toMatchObject({ status: 200 });
  });
});
