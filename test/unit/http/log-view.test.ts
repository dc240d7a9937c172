import { expect, it } from "vitest";
import { LogView } from "../../../src/http/lib/log-view.ts";
import { LiveLogs } from "../../../src/shared/aci/live-logs.ts";
import { Unavailable } from "../../../src/shared/base/errors.ts";
import { makeDeps } from "../../../src/shared/deps.ts";
import { Blobs, blobService } from "../../model/blobs.ts";
import { ring } from "../../model/key-ring.ts";
import { Queue, queueService } from "../../model/queues.ts";
import type { Call } from "../../model/scheduler.ts";
import { pointReader, StatusError, Table, tableClient } from "../../model/tables.ts";
import { ended, settings, start } from "../../kit/kit.ts";

it("the last lines come a range at a time, and are all there after a read of them failed half-way", async () => {
  const job = ended();
  const blobs = new Blobs();
  const lines = Array.from({ length: 600 }, (_, n) => `2026-11-24T08:00:00.000000000Z line ${n} `.padEnd(999, "."));
  blobs.put(`aci-logs/${job.id}/1/app1.log`, Buffer.from(lines.map((line) => `${line}\n`).join("")));
  const downloads: string[] = [];
  let failing = -1;
  const call: Call = async (label, _kind, effect) => {
    await Promise.resolve();
    if (label === "blob download" && downloads.push(label) === failing) throw new StatusError(503);
    return effect();
  };
  const deps = makeDeps({
    settings: settings(),
    log: () => undefined,
    now: () => start,
    instead: {
      storage: {
        table: (name) => tableClient(new Table(name, () => undefined), call),
        pointReader: (name) => pointReader(new Table(name, () => undefined), call),
        queues: queueService(new Queue(() => start), call),
        blobs: blobService(blobs, call),
      },
      ring,
      aci: () => {
        throw new Error("ACI was reached");
      },
      sleep: () => Promise.resolve(),
    },
  });
  const asked = { names: ["app1"], attempt: 1, tail: 500, since: undefined };
  const read = async (view: LogView, all: string[] = []): Promise<string[]> => {
    for await (const some of view.lines(job, "app1")) {
      expect(some.length).toBeLessThan(300);
      all.push(...some);
    }
    return all;
  };
  expect(await read(new LogView(deps, new LiveLogs(deps), asked))).toEqual(lines.slice(100));
  // The last download brings the second range of the lines.
  failing = 2 * downloads.length;
  const view = new LogView(deps, new LiveLogs(deps), asked);
  const before: string[] = [];
  await expect(read(view, before)).rejects.toThrow(Unavailable);
  expect(await read(view, before)).toEqual(lines.slice(100));
  expect(await read(view)).toEqual([]);
});
