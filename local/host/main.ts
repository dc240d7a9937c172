/** The host as a process of its own: one process holds one app. */
import { servePart } from "../part.ts";
import { keepHost } from "./keeper.ts";
import { HostOptionsSchema } from "./options.ts";

await servePart(async (options) => {
  const parsed = HostOptionsSchema.parse(options);
  Object.assign(process.env, parsed.env); // the app reads its settings there, from its first line on
  return keepHost(parsed);
});
