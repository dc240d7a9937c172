import type { Command } from "commander";
import { z } from "zod";
import { contextOf, print, printJson } from "./context.ts";
import { Misuse, Refused, Unreachable } from "./errors.ts";
import { parseJson } from "../src/shared/base/json.ts";
import { call, textOf, type Target } from "./http.ts";
import { columns } from "./show.ts";

/** The control endpoint of a local stack (`npm start -- --control`) has the port that far above the service's. */
const offset = 1000;

const drill = z.looseObject({ name: z.string(), says: z.string(), on: z.boolean() });

interface Flags {
  readonly list?: boolean;
  readonly off?: boolean;
}

/** `drill`: makes something go wrong on a local stack, so that people can try what they do then. */
export function addDrill(program: Command): void {
  program
    .command("drill")
    .argument("[name]", "what shall go wrong")
    .argument("[off]", "off ends it")
    .option("--off", "end it")
    .option("--list", "name all")
    .description("make something go wrong on a local stack that was started with --control")
    .action(async (name: string | undefined, off: string | undefined, flags: Flags, self: Command) => {
      if (off !== undefined && off !== "off")
        throw new Misuse(`drill ${name ?? ""} ${off}: only "off" may follow a name`);
      if ((name === undefined) === (flags.list !== true)) throw new Misuse("drill needs the name of one, or --list");
      const { service, json } = contextOf(self);
      const endpoint = controlOf(service.target);
      if (name === undefined) {
        const list = await asked(endpoint, "GET", "", z.array(drill));
        if (json) printJson(list);
        else print(columns(list.map((each) => [each.name, each.on ? "on" : "off", each.says])));
        return;
      }
      const isEnd = off !== undefined || flags.off === true;
      const now = await asked(endpoint, isEnd ? "DELETE" : "PUT", `/${encodeURIComponent(name)}`, drill);
      if (json) printJson(now);
      else print(now.on ? `${now.name} is on: ${now.says}` : `${now.name} is off.`);
    });
}

/** @throws Misuse for a service that is not on this machine */
function controlOf({ url }: Target): Target {
  const { hostname, port: ofService, protocol } = new URL(url);
  const port = Number(ofService || 80) + offset;
  if (port > 65_535 || protocol !== "http:" || !["localhost", "127.0.0.1", "[::1]"].includes(hostname))
    throw new Misuse(`drill works on a local stack only, not on ${url}`);
  // The key is the service's.
  return { url: `http://127.0.0.1:${port}`, key: undefined };
}

async function asked<T>(endpoint: Target, method: string, path: string, shape: z.ZodType<T>): Promise<T> {
  const none = `There is no control endpoint at ${endpoint.url}; start the stack with: npm start -- --control`;
  const answer = await call(endpoint, method, `/drills${path}`).catch((error: unknown) => {
    throw error instanceof Unreachable ? new Misuse(none) : error;
  });
  const text = await textOf(answer, endpoint);
  const value = answer.ok ? shape.safeParse(parseJson(text)).data : undefined;
  if (value !== undefined) return value;
  const why = z.looseObject({ message: z.string() }).safeParse(parseJson(text)).data?.message ?? none;
  throw new Refused("Refused", answer.status, answer.status === 404 ? `${why} See: aci-proxy drill --list` : why);
}
