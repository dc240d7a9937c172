import { servePart } from "../part.ts";
import { drillOptions, startControl } from "./control.ts";

await servePart((options) => startControl(drillOptions.parse(options)));
