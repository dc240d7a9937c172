import { servePart } from "../part.ts";
import { startAci } from "./aci.ts";
import { optionsSchema } from "./options.ts";

await servePart((options) => startAci(optionsSchema.parse(options)));
