/**
 * HTTP streaming without the extra hop.
 *
 * With `app.setup({ enableHttpStream: true })` the library opens an HTTP server of its own (`HttpUri`, on all interfaces), and
 * the real host forwards every request to it, streamed reply or not. Library and host share a process here, so the host takes
 * hold of that server while it is made, closes its port, and hands it the replies that have to be streamed as events: the library
 * then writes straight to the caller's connection. No second connection, no copy, nothing listening that nobody asked for.
 */
import { channel } from "node:diagnostics_channel";
import http from "node:http";

const requestStart = channel("http.server.request.start");

/** Directs the library's reply of that invocation to `response`. */
export type DeliverToProxy = (invocationId: string, response: http.ServerResponse) => void;

interface ProxyServer {
  close(): unknown;
  emit(event: "request", request: object, response: http.ServerResponse): unknown;
}

/**
 * Runs the library's start-up and returns the way into its proxy, or undefined when the app doesn't stream.
 * @throws {Error} when the library streams in a way that this host doesn't know.
 */
export async function captureProxy(
  getCapabilities: () => Promise<Record<string, string>>,
): Promise<DeliverToProxy | undefined> {
  const created: ProxyServer[] = [];
  const original = http.createServer;
  Reflect.set(http, "createServer", (...args: unknown[]): unknown => {
    const server: unknown = Reflect.apply(original, http, args);
    if (server instanceof http.Server) created.push(server);
    return server;
  });
  let uri: string | undefined;
  try {
    uri = (await getCapabilities())["HttpUri"];
  } finally {
    Reflect.set(http, "createServer", original);
  }
  if (uri === undefined) return undefined;
  const [proxy] = created;
  if (proxy === undefined || created.length > 1)
    throw new Error(
      "HTTP streaming: this version of @azure/functions opens its proxy in a way this host does not know.",
    );
  proxy.close();
  return (invocationId, response) => {
    // Of the request the library wants what it names a run and its URL by (src/http of @azure/functions 4.16).
    const headers = {
      "x-ms-invocation-id": invocationId,
      "x-forwarded-host": "localhost",
      "x-forwarded-proto": "http",
    };
    const request = { method: "GET", url: "/", headers };
    // As Node does for a request that comes over the network: apps learn from it when their caller is gone.
    requestStart.publish({ request, response, socket: response.socket, server: proxy });
    proxy.emit("request", request, response);
  };
}
