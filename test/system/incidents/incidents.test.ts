import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { exitCodes } from "../../../client/exit-codes.ts";
import { freePorts } from "../../../local/stack/ports.ts";
import { sizeOf } from "../../kit/size.ts";
import { incidents } from "./incidents.ts";
import { client, playIncidents } from "./stage.ts";

/** The shortest form of `npm run incidents`: one of Azure's; in the long form one of the service's own, and one of a vault too. */
const drills = sizeOf(["region-full"], ["poison-message", "region-full", "seal-key-gone"]);
const shortest = incidents.filter(({ drill }) => drills.includes(drill));

test(
  "an incident shows in health, log, metric and alert within five minutes of its own line",
  { timeout: 600_000 },
  async () => {
    const seen = await playIncidents(shortest, { factor: 12, atOnce: 3 });
    expect(seen.map(({ drill, faults }) => [drill, ...faults]).toSorted()).toEqual(
      shortest.map(({ drill }) => [drill]).toSorted(),
    );
  },
);

test.each([
  ["a service elsewhere", "https://proxy.example", ["arm-403"], "works on a local stack only"],
  ["a stack without --control", undefined, ["arm-403"], "npm start -- --control"],
  ["a word that is not off", undefined, ["arm-403", "on"], 'only "off" may follow a name'],
  ["no name", undefined, [], "or --list"],
])("drill refuses %s", async (_, url, words, why) => {
  const [port = 0] = await freePorts(1);
  const drill = promisify(execFile)(process.execPath, [
    client,
    ...["--url", url ?? `http://localhost:${Math.min(port, 64_000)}`, "drill", ...words],
  ]);
  await expect(drill).rejects.toMatchObject({
    code: exitCodes.misuse,
    stderr: expect.stringContaining(why) as unknown,
  });
});
