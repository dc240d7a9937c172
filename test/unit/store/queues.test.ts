import { expect, it } from "vitest";
import { Queues, queueNames, wireText } from "../../../src/shared/store/queues.ts";
import { jobId, start } from "../../kit/kit.ts";
import { Queue, queueService } from "../../model/queues.ts";

it.each([
  [0, 0],
  [1, 1000],
  [189, 1000],
  [1000, 1000],
  [1400, 2000],
])(
  "a wake in %i ms comes in %i: never before its time, so that it is not sent again and again until then",
  async (delay, shown) => {
    const queue = new Queue(() => start);
    const queues = new Queues(queueService(queue, (_label, _kind, effect) => Promise.resolve(effect())));
    await queues.requeue(jobId(), start + delay, delay);
    expect(queue.all).toMatchObject([{ queue: queueNames.wake, visibleAt: start + shown }]);
  },
);

it("our own message keeps the characters that XML can't contain", () => {
  const event = JSON.stringify({ correlationId: "a\uFFFEb", result: "\uFFFF" });
  expect(wireText(event)).not.toMatch(/[\uFFFE\uFFFF]/);
  expect(JSON.parse(wireText(event))).toEqual(JSON.parse(event));
});
