import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { hasEnded } from "../../../src/shared/job/job.ts";
import { blame } from "../../../src/shared/job/describe.ts";
import { second } from "../../../src/shared/base/duration.ts";
import { patience, play, trialSchema, type Trial } from "../../kit/view-driver.ts";

/** Views of container groups that people met, with the verdict that each should get. */
const file = resolve(
  fileURLToPath(new URL("../../..", import.meta.url)),
  process.env["ACI_VIEWS"] ?? "../shared/aci-views.json",
);
const hasViews = existsSync(file);
const trials: Readonly<Record<string, Trial>> = hasViews
  ? z.object({ trials: z.record(z.string(), trialSchema) }).parse(JSON.parse(readFileSync(file, "utf8"))).trials
  : {};

describe.skipIf(!hasViews)(`the views of ${hasViews ? "aci-views.json" : `${file}, which is not there`}`, () => {
  test.each(Object.entries(trials))("%s gets the verdict that it should", (_name, trial) => {
    const { job, puts, said, reasons } = play(trial, trial.fault ? trial.secs * second : patience);
    const { phase } = job;
    const verdict = hasEnded(phase) ? phase.verdict : undefined;
    const { expect: wanted } = trial;
    const shown = { state: phase.state, reason: verdict?.reason ?? [...reasons].at(-1), exit: verdict?.exitCode };
    if (wanted.state !== undefined) expect(shown).toMatchObject({ state: wanted.state });
    if (wanted.exit !== undefined) expect(shown).toMatchObject({ exit: wanted.exit });
    if (wanted.reason !== undefined) expect(shown.reason).toMatch(new RegExp(wanted.reason));
    if (wanted.notReason !== undefined) expect(shown.reason).not.toMatch(new RegExp(`^(?:${wanted.notReason})$`));
    if (wanted.puts !== undefined) expect(puts).toBeLessThanOrEqual(wanted.puts);
    if (wanted.says !== undefined) expect(said).toMatch(new RegExp(wanted.says, "i"));
    if (wanted.notFault !== undefined && verdict) expect(blame(verdict).party).not.toBe(wanted.notFault);
    if (wanted.ended === true || wanted.state !== undefined) {
      expect(verdict).toBeDefined();
      expect((hasEnded(phase) ? phase.finishedAt : Infinity) - job.createdAt).toBeLessThanOrEqual(trial.secs * second);
    }
    if (wanted.seen !== undefined) expect(reasons).toContain(wanted.seen);
  });
});
