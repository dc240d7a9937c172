import autocannon from "autocannon";

/** What is asked, again and again. */
export interface Request {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Load {
  readonly calls: number;
  /** Answers a second. */
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Closed-loop load: each connection asks as soon as it has its answer.
 *
 * @throws Error when an answer is no 2xx: a figure with failures in it means nothing
 */
export async function load(request: Request, connections: number, seconds: number): Promise<Load> {
  const { url, method, headers, body } = request;
  const result = await autocannon({
    url,
    method,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
    connections,
    duration: seconds,
    timeout: 30,
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${method} ${url}: ${result.non2xx} answers were no 2xx, ${result.errors} calls failed`);
  }
  const calls = result["2xx"];
  if (calls === 0) throw new Error(`${method} ${url}: no answer in ${seconds} s; the machine is too busy`);
  return { calls, perSecond: calls / result.duration, p50: result.latency.p50, p99: result.latency.p99 };
}
