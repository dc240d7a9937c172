import { expect, it } from "vitest";
import { childJobId } from "../../../src/shared/base/ids.ts";
import { Secret } from "../../../src/shared/base/errors.ts";
import { eventTopic } from "../../../src/shared/notify/event-topic.ts";
import { webhook } from "../../../src/shared/notify/webhook.ts";
import { ended, jobId, settings, start } from "../../kit/kit.ts";

it("the webhook hears of an array alone, the event topic of its children too", () => {
  const links = settings();
  const finished = { kind: "finished", sequence: 3, at: start, attempt: 1 } as const;
  const chat = webhook(new Secret("https://hooks.example/1"), {
    post: () => Promise.resolve(200),
    on: ["Failed"],
    links,
  });
  const topic = eventTopic(
    "http://127.0.0.1:9",
    () => expect.fail(),
    () => Promise.resolve(""),
    links,
  );
  const array = ended({ state: "Failed", verdict: { reason: "ChildrenFailed" } });
  const child = {
    ...array,
    id: childJobId(jobId(), start, 0),
    child: { array: jobId(), arrayAt: start, index: 0, size: 1 },
  };
  expect([array, child].map((job) => chat.wants(job, finished))).toEqual([true, false]);
  expect([array, child].map((job) => topic.wants(job, finished))).toEqual([true, true]);
});
