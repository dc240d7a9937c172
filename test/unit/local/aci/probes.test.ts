import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { virtualClock } from "../../../../local/aci/clock.ts";
import { httpProbe, watch } from "../../../../local/aci/groups/probes.ts";

describe("a probe", () => {
  it("waits its delay, checks each period, and is lost after its number of failures in a row", async () => {
    const clock = virtualClock(0);
    const answers = [undefined, "a", "b", undefined, "c", "d", "e"];
    const looks: number[] = [];
    const failed: string[] = [];
    const lost: number[] = [];
    const end = watch({
      clock,
      probe: { initialDelaySeconds: 5, periodSeconds: 2, failureThreshold: 3 },
      look: () => Promise.resolve(answers[looks.push(clock.now() / 1000) - 1]),
      failed: (message) => failed.push(message),
      lost: () => lost.push(clock.now() / 1000),
    });
    for (let second = 0; second < 18; second += 1) {
      clock.advance(1000);
      await new Promise(setImmediate);
    }
    expect(looks).toEqual([5, 7, 9, 11, 13, 15, 17]);
    expect(failed).toEqual(["a", "b", "c", "d", "e"]);
    expect(lost).toEqual([17]);
    end();
    clock.advance(10_000);
    expect(looks).toHaveLength(7);
  });

  it("by HTTP is well from 200 to 399, and says why it isn't", async () => {
    const server = createServer((request, response) => {
      response.writeHead(Number(request.url?.slice(1))).end();
    }).listen(0, "127.0.0.1");
    onTestFinished(() => {
      server.close();
    });
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const at = (path: string) => httpProbe({ httpGet: { path, port } }, "127.0.0.1");
    expect(await at("/204")).toBeUndefined();
    expect(await at("301")).toBeUndefined();
    expect(await at("/503")).toBe("HTTP probe failed with statuscode: 503");
    expect(await httpProbe({ httpGet: { port: 1 } }, "127.0.0.1")).toContain('Get "http://127.0.0.1:1/"');
  });
});
