import { z } from "zod";
import { count, jobId, once, reason, result, state, text } from "./parts.ts";

/** What replies say of arrays. */

export const arrayCounts = () =>
  z.object({
    size: count("Items."),
    runs: count("Items that run: in a rerun those alone that had not succeeded."),
    succeeded: count("Items."),
    failed: count("Items."),
    stopped: count("Items."),
    timedOut: count("Items."),
    canceled: count("Items."),
  });

const itemFailure = once(() =>
  z.strictObject({
    index: count("From 0."),
    state: text("How it ended."),
    reason: reason("Why."),
    exitCode: z.int().optional(),
  }),
);

/** Of an array: how many of its indexes ended how, how many run now, and the first that did not succeed. */
export const arrayStatus = once(() =>
  z.strictObject({
    ...arrayCounts().shape,
    active: count("Children that exist and have not ended."),
    failures: z.array(itemFailure()).meta({ description: "At most 20, the lowest indexes." }),
  }),
);

export const arrayRecord = once(() =>
  z.strictObject({
    ...arrayStatus().shape,
    parallelism: count("Children that have not ended exist at once, at most."),
    ends: text(
      "For each index a letter: `S` succeeded, `F` failed, `O` stopped, `T` timed out, `C` canceled, `A` active, `.` not made yet, `-` not of this run.",
    ),
  }),
);

const itemMembers = () => ({
  index: count("From 0."),
  state: state("Of its job."),
  reason: reason("Why it waits, is being stopped, or ended.").optional(),
  exitCode: z.int().optional(),
  result: result().optional(),
});
export const itemResult = once(() => z.strictObject(itemMembers()));
const childResult = once(() =>
  z.strictObject({
    ...itemMembers(),
    id: jobId("Of the job that runs it."),
    item: z
      .union([z.string(), z.number(), z.boolean(), z.record(z.string(), z.unknown())])
      .meta({ description: "Of an array with items that are not secret, while its definition is kept." })
      .optional(),
  }),
);

/** What other replies are made of, under names of their own in the description. */
export const arrayParts = () => ({
  ArrayStatus: arrayStatus(),
  ArrayRecord: arrayRecord(),
  ItemFailure: itemFailure(),
  ItemResult: itemResult(),
  ChildResult: childResult(),
});

export const arrayReplies = () => ({
  Results: z.strictObject({
    id: jobId(),
    name: text("As its caller wrote it."),
    state: state(),
    size: count("Of the array."),
    results: z.array(childResult()).meta({
      description: "By index; those that have no job yet are left out, and an item of a pack until that has ended.",
    }),
    continuation: text("Where the next page begins; absent on the last one.").optional(),
  }),
});
