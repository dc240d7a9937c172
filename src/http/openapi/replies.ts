import type { z } from "zod";
import { arrayParts, arrayReplies } from "./array-replies.ts";
import { jobParts, jobReplies } from "./job-replies.ts";
import { once } from "./parts.ts";
import { serviceReplies } from "./service-replies.ts";

/**
 * The shape of every JSON reply, by name. The description is made from these, handlers are typed by them, and tests compare every reply
 * with them. Built when first asked for: what answers calls uses the types alone.
 */
export type ReplySchemas = ReturnType<typeof arrayParts> &
  ReturnType<typeof arrayReplies> &
  ReturnType<typeof jobParts> &
  ReturnType<typeof jobReplies> &
  ReturnType<typeof serviceReplies>;
export type ReplyName = keyof ReplySchemas;
export type Reply<N extends ReplyName> = z.output<ReplySchemas[N]>;

export const replySchemas = once((): ReplySchemas => ({
  ...arrayParts(),
  ...arrayReplies(),
  ...jobParts(),
  ...jobReplies(),
  ...serviceReplies(),
}));
