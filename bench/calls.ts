import { request as send, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Benchmark, Figure } from "./benchmark.ts";
import type { Request } from "./load.ts";
import { startService } from "./service.ts";

const shown = {
  accept: "accept",
  status: "status by id",
  link: "status through a link",
  readKey: "status with the read key",
} as const;

/** Counts a call's storage calls and how many of them wait for one another, and compares those of the floor with them. */
export const calls: Benchmark = {
  name: "calls",
  async run(_plan, say) {
    const recorders = { app: new Recorder(), floor: new Recorder(), bare: new Recorder() };
    const service = await startService(undefined, (storage, side) => recorders[side].stand(storage));
    const figures: Figure[] = [];
    try {
      for (const what of ["accept", "status", "link", "readKey"] as const) {
        // What an instance does once, and what it does now and then: the key of links, the ceilings.
        for (let n = 0; n < 3; n++) await recorders.app.during(service.app[what]);
        const app = await recorders.app.during(service.app[what]);
        for (const side of ["floor", "bare"] as const) {
          const { calls: others } = await recorders[side].during(service[side][what]);
          if (app.calls.join() !== others.join())
            throw new Error(
              `A floor of ${what} makes other calls than the app: ${others.join()} / ${app.calls.join()}`,
            );
        }
        say(`${what}: ${app.calls.join(", ")}`);
        figures.push(
          { name: `${shown[what]}: storage calls`, unit: "", value: app.calls.length },
          {
            name: `${shown[what]}: of these one after another`,
            unit: "",
            value: app.roundTrips,
            goal: { of: "value", atMost: what === "accept" ? 3 : 1 },
          },
        );
      }
      return { figures };
    } finally {
      await service.stop();
      for (const recorder of Object.values(recorders)) await recorder.stop();
    }
  },
};

interface Count {
  /** Method, service and kind of resource, in the order in which they began. */
  readonly calls: readonly string[];
  /** The longest chain of calls of which each began after the one before had ended. */
  readonly roundTrips: number;
}

/** An HTTP proxy before each of Azurite's services that notes when calls begin and end. */
class Recorder {
  #seen: { readonly call: string; readonly began: number; ended: number }[] = [];
  readonly #stops: (() => void)[] = [];

  /** @returns the connection string of the storage behind the proxies */
  async stand(storage: string): Promise<string> {
    let behind = storage;
    for (const [endpoint = "", service = "", port = ""] of storage.matchAll(
      /(Queue|Table|Blob)Endpoint=http:\/\/127\.0\.0\.1:(\d+)/g,
    ))
      behind = behind.replace(
        endpoint,
        `${service}Endpoint=http://127.0.0.1:${await this.#proxy(service, Number(port))}`,
      );
    return behind;
  }

  async during({ url, method, headers, body }: Request): Promise<Count> {
    this.#seen = [];
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
    let [roundTrips, free] = [0, 0];
    for (const { began, ended } of this.#seen.toSorted((a, b) => a.ended - b.ended)) {
      if (began < free) continue;
      roundTrips++;
      free = ended;
    }
    return { calls: this.#seen.map(({ call }) => call), roundTrips };
  }

  stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    return Promise.resolve();
  }

  async #proxy(service: string, port: number): Promise<number> {
    const server = createServer((incoming, outgoing) => {
      const resource = (incoming.url ?? "").replace(/^\/[^/]+\//, "").replace(/[(?].*$/, "");
      const seen = {
        call: `${incoming.method ?? ""} ${service} ${resource}`,
        began: performance.now(),
        ended: Infinity,
      };
      this.#seen.push(seen);
      const { method, url: path, headers } = incoming;
      void buffer(incoming).then((bytes) => {
        const onward = send({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
          void buffer(answer).then((reply) => {
            seen.ended = performance.now();
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(reply);
          });
        });
        onward.on("error", () => outgoing.destroy());
        onward.end(bytes);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#stops.push(() => {
      server.close();
      server.closeAllConnections();
    });
    return (server.address() as AddressInfo).port; // it listens on a TCP port
  }
}
