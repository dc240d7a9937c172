import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { day, hour } from "../../../src/shared/base/duration.ts";
import { cloudEvent, dueEvents, eventsOf, webhookBody, withPublished } from "../../../src/shared/job/job-events.ts";
import type { Job } from "../../../src/shared/job/job.ts";
import { ended, job, start } from "../../kit/kit.ts";

const wants = (): boolean => true;
const topic = { name: "eventTopic", wants } as const;
const webhook = { name: "webhook", wants } as const;

/** A history of attempts, the last of which ends the job if it says so. */
function historyOf(attempts: readonly { readonly starts: boolean }[], ends: boolean): Job["history"] {
  let at = start;
  const lines: Job["history"] = [{ at, from: "", to: "Queued", reason: "Accepted", attempt: 1 }];
  const move = (from: string, to: string, reason: string, attempt: number): void =>
    void lines.push({ at: ++at, from, to, reason, attempt });
  attempts.forEach(({ starts }, before) => {
    const attempt = before + 1;
    const isLast = attempt === attempts.length;
    move("Queued", "Provisioning", "Accepted", attempt);
    if (starts) move("Provisioning", "Running", "Started", attempt);
    const from = starts ? "Running" : "Provisioning";
    if (!isLast) move(from, "Queued", "ExitCode", attempt + 1);
    else if (ends) move(from, "Failed", "ExitCode", attempt);
  });
  return lines.slice(-60);
}

describe("the events of a job", () => {
  it("rise in their sequence, begin with accepted, and are at most 40, whatever its history", () => {
    const history = fc
      .tuple(fc.array(fc.record({ starts: fc.boolean() }), { minLength: 1, maxLength: 50 }), fc.boolean())
      .map(([attempts, ends]) => historyOf(attempts, ends));
    fc.assert(
      fc.property(history, (lines) => {
        const events = eventsOf(job({ history: lines }));
        expect(events[0]?.kind).toBe("accepted");
        expect(events.length).toBeLessThanOrEqual(40);
        const sequences = events.map(({ sequence }) => sequence);
        expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b));
        expect(events.some(({ kind }) => kind === "finished")).toBe(lines.at(-1)?.to === "Failed");
      }),
    );
  });

  it("are due once, to each endpoint that wants them", () => {
    const one = ended({}, { history: historyOf([{ starts: true }], true) });
    const { due, last } = dueEvents(one, topic, start + hour);
    expect(due.map(({ kind }) => kind)).toEqual(["accepted", "started", "finished"]);
    const told = withPublished(one, { eventTopic: last });
    expect(dueEvents(told, topic, start + hour)).toEqual({ due: [], dropped: 0, last });
    expect(dueEvents(told, webhook, start + hour).due).toHaveLength(3);
    expect(withPublished(told, { eventTopic: 1 })).toBe(told);
  });

  it("are dropped after a day", () => {
    const old = ended({}, { history: historyOf([{ starts: true }], true) });
    expect(dueEvents(old, topic, start + day + hour)).toMatchObject({ due: [], dropped: 3, last: 3 });
  });

  it("sort by their sequence as text", () => {
    const many = job({ history: historyOf(Array(12).fill({ starts: false }), true) });
    const texts = eventsOf(many).map((event) => cloudEvent(many, event, "/x", { publicUrl: "https://x" }));
    const sequences = texts.map(({ extensionAttributes: { sequence } }) => sequence);
    expect(sequences).toEqual(sequences.toSorted());
  });
});

describe("the body for a webhook", () => {
  const failed = ended({ state: "Failed", verdict: { reason: "ExitCode", exitCode: 1, detail: "<a|b> & [c](d)" } });

  it("is text alone for Slack, with nothing in it that Slack would take for markup", () => {
    const { text, ...others } = webhookBody(failed, "https://x/page", true);
    expect(others).toEqual({});
    expect(text).toContain("&lt;a|b&gt; &amp; [c](d)");
    expect(text).toMatch(/\n<https:\/\/x\/page\|Open the job>$/);
  });

  it("is a card without Markdown for others", () => {
    const body = JSON.stringify(webhookBody(failed, "https://x/page", false));
    expect(body).not.toContain('"TextBlock"');
    expect(body).toContain('"TextRun"');
  });
});
