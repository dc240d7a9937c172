/** What health says of the services that jobs need, one broken after another. */
import { expect, it } from "vitest";
import { second } from "../../src/shared/base/duration.ts";
import { startVault } from "../../local/vault/vault.ts";
import { healthDetails } from "../../src/http/health.ts";
import { jsonLog } from "../../src/shared/base/log.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { ask, openBench, useAzurite } from "./kit.ts";

useAzurite();

it("says since when the seal key and the vault work, and since when they don't", async () => {
  const vault = await startVault({ keys: ["seal"] });
  const bench = await openBench({ SEAL_KEY_FILE: "", SEAL_KEY_ID: `${vault.url}/keys/seal`, VAULT_URL: vault.url });
  const { clock } = bench;
  const lines: unknown[] = [];
  const deps = { ...bench.deps, log: jsonLog((_, line) => void lines.push(JSON.parse(line))) };
  const health = healthDetails(deps);
  const minutely = async (): Promise<unknown> => {
    clock.advance(60 * second);
    await runPass(deps, "timer");
    return (await ask(health, {})).body;
  };
  const since = (at: number): string => new Date(at).toISOString();
  const began = clock.now() + 60 * second;
  const works = { ok: true, since: since(began) };
  expect(await minutely()).toMatchObject({ storage: works, sealKey: works, vault: works });

  vault.fail({ status: 403, code: "Forbidden" });
  const failed = { ok: false, since: since(clock.now() + 60 * second), error: "Key Vault answered 403." };
  expect(await minutely()).toMatchObject({ sealKey: failed, vault: failed });
  expect(await minutely()).toMatchObject({ sealKey: failed, vault: failed });
  expect(lines.at(-1)).toMatchObject({ level: "error", event: "health", sealKeyOk: false, vaultOk: false });

  vault.fail();
  const again = { ok: true, since: since(clock.now() + 60 * second) };
  expect(await minutely()).toMatchObject({ sealKey: again, vault: again });
  expect(lines.at(-1)).toMatchObject({ level: "info", event: "health", sealKeyOk: true, vaultOk: true });
  await vault.stop();
});

it("says what is wrong with the settings also when storage does not answer, which may be why", async () => {
  let fails = false;
  const bench = await openBench({ POLICY_PUBLIC_IP: "hunter2" }, { before: () => (fails ? 503 : "pass") });
  fails = true;
  const reply = await ask(healthDetails(bench.deps), {});
  const fault = "POLICY_PUBLIC_IP must be true or false.";
  expect(reply).toMatchObject({ status: 503, body: { code: "StorageUnavailable", faults: [fault] } });
  expect(reply.body.message).toContain(fault);
});

it("says since when storage does not answer", async () => {
  let fails = false;
  const bench = await openBench({}, { before: () => (fails ? 503 : "pass") });
  const health = healthDetails(bench.deps);
  expect((await ask(health, {})).body).toMatchObject({ vault: null });
  fails = true;
  bench.clock.advance(second);
  const since = new Date(bench.clock.now()).toISOString();
  for (let calls = 0; calls < 2; calls++) {
    const reply = await ask(health, {});
    expect(reply).toMatchObject({ status: 503, body: { code: "StorageUnavailable" } });
    expect(reply.body.message).toContain(`since ${since}`);
    bench.clock.advance(60 * second);
  }
});
