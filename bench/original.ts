import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { z } from "zod";
import { median, significant, spreadOf, type Benchmark, type Figure } from "./benchmark.ts";
import { definitionOf, hostKey, startLive, type LiveStack } from "./live-stack.ts";
import { startStandIn, type StandIn } from "./original/stand-in.ts";

const provisioningSeconds = 20;
const atOnce = 300;
/** While all of the 300 are at it, and after the app's are answered. */
const lookAfter = 10_000;
const pollers = [1, 100, 1000] as const;
const pollEvery = 5000;
const pollTime = 30_000;
const what = "the original's way";

/** The app against a service of the original's shape, on the same simulated ACI, each with its own. */
export const original: Benchmark = {
  name: "original",
  async run({ rounds }, say) {
    const figures: Figure[] = [];
    const app = await startLive({ aci: { provisioningSeconds } });
    const other = await startLive({ hosts: 0, aci: { provisioningSeconds } });
    const standIn = await startStandIn(other.arm);
    try {
      figures.push(...(await acceptFigures({ app, standIn }, rounds, say)));
      figures.push(...(await floodFigures({ app, other, standIn }, say)));
    } finally {
      await standIn.stop();
      await other.stop();
      await app.stop();
    }
    for (const count of pollers) figures.push(await pollerFigure(count, say));
    return { figures };
  },
};

async function acceptFigures(
  { app, standIn }: { app: LiveStack; standIn: StandIn },
  rounds: number,
  say: (line: string) => void,
): Promise<Figure[]> {
  await post(app, "warm-up");
  const one = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const accepts: number[] = [];
  for (let n = 0; n < rounds; n++) accepts.push(await one(() => post(app, `accept-${n}`)));
  // Side by side: each waits for nothing but its own group.
  const others = await Promise.all(accepts.map((_, n) => one(() => postTo(standIn.url, `accept-${n}`))));
  if (median(others) < provisioningSeconds * 1000) throw new Error("The stand-in made no group.");
  say(`accept: ${median(accepts).toFixed(0)} ms, ${what} ${median(others).toFixed(0)} ms`);
  return [
    {
      name: "accept, one at a time",
      unit: "ms",
      value: significant(median(accepts)),
      floor: { what, value: significant(median(others)) },
      ratio: significant(median(accepts) / median(others)),
      spread: spreadOf(accepts.map((value, n) => value / (others[n] ?? NaN))),
    },
  ];
}

async function floodFigures(
  { app, other, standIn }: { app: LiveStack; other: LiveStack; standIn: StandIn },
  say: (line: string) => void,
): Promise<Figure[]> {
  const sides = [
    { send: (n: number) => post(app, `flood-${n}`), arm: app },
    { send: (n: number) => postTo(standIn.url, `flood-${n}`), arm: other },
  ];
  const seen: { held: number; refused: number; throttled: number; seconds: number }[] = [];
  for (const { send, arm } of sides) {
    const before = throttledIn(await arm.counters());
    let [open, refused, openTime] = [atOnce, 0, 0];
    const began = performance.now();
    const all = Promise.all(
      Array.from({ length: atOnce }, async (_, n) => {
        const status = await send(n);
        open--;
        openTime += performance.now() - began;
        if (status >= 400) refused++;
      }),
    );
    await sleep(lookAfter);
    const held = open;
    await all;
    await sleep(lookAfter); // what the app does of it after its answers
    const throttled = throttledIn(await arm.counters()) - before;
    seen.push({ held, refused, throttled, seconds: openTime / 1000 / atOnce });
    say(`${atOnce} at once: ${held} held after ${lookAfter / 1000} s, ${refused} refused, ${throttled} answers 429`);
  }
  const [ours, theirs] = seen;
  type Side = NonNullable<typeof ours>;
  if (ours === undefined || theirs === undefined) throw new Error("Both sides are measured.");
  const pair = (name: string, read: (side: Side) => number, goal?: Figure["goal"]): Figure => ({
    name: `${atOnce} jobs at once: ${name}`,
    unit: "",
    value: significant(read(ours)),
    floor: { what, value: significant(read(theirs)) },
    ...(goal === undefined ? {} : { goal }),
  });
  const none = { of: "value", atMost: 0 } as const;
  return [
    pair(`connections held ${lookAfter / 1000} s later`, ({ held }) => held),
    pair("seconds that each held its connection", ({ seconds }) => seconds),
    pair("jobs refused", ({ refused }) => refused, none),
    pair("answers 429 of ARM", ({ throttled }) => throttled, none),
  ];
}

const throttledIn = ({ statuses }: { statuses: Readonly<Record<string, number>> }): number =>
  Object.entries(statuses).reduce((sum, [key, count]) => sum + (key.endsWith(" 429") ? count : 0), 0);

/** ARM's calls for one job that so many ask for, each every five seconds, in half a minute of its run. */
async function pollerFigure(count: number, say: (line: string) => void): Promise<Figure> {
  const app = await startLive({ aci: { limits: false } });
  const other = await startLive({ hosts: 0, aci: { limits: false } });
  const standIn = await startStandIn(other.arm);
  try {
    const name = "polled";
    const { id } = z.object({ id: z.string() }).parse(await (await send(app, name, 600)).json());
    await postTo(standIn.url, name, 600);
    const total = async (stack: LiveStack): Promise<number> =>
      Object.values((await stack.counters()).calls).reduce((sum, calls) => sum + calls, 0);
    const before = [await total(app), await total(other)] as const;
    await Promise.all([
      pollAll(count, `${hostOf(app)}/api/status/${id}?poll=1`, { "x-functions-key": hostKey }),
      pollAll(count, `${standIn.url}/api/status/${name}`, {}),
    ]);
    const [ours, theirs] = [(await total(app)) - before[0], (await total(other)) - before[1]];
    say(`${count} pollers: ${ours} calls to ARM, ${what} ${theirs}`);
    return {
      name: `calls to ARM in ${pollTime / 1000} s of a job, ${count.toLocaleString("en-US")} ${count === 1 ? "caller polls" : "callers poll"}`,
      unit: "",
      value: ours,
      floor: { what, value: theirs },
      ratio: significant(ours / theirs),
    };
  } finally {
    await standIn.stop();
    await other.stop();
    await app.stop();
  }
}

async function pollAll(count: number, url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const end = performance.now() + pollTime;
  // Callers of their own would have connections of their own; this process bears so many.
  const dispatcher = new Agent({ connections: 128, connect: { timeout: pollTime } });
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      await sleep((n / count) * pollEvery);
      while (performance.now() < end) {
        const began = performance.now();
        await (await request(url, { headers, dispatcher })).body.dump();
        await sleep(Math.max(0, pollEvery - (performance.now() - began)));
      }
    }),
  );
  await dispatcher.close();
}

const hostOf = ({ hosts: [host] }: LiveStack): string => host?.url ?? "";

async function send(stack: LiveStack, name: string, runSeconds: number): Promise<Response> {
  return fetch(`${hostOf(stack)}/api/trigger?polling=true`, {
    method: "POST",
    headers: { "x-functions-key": hostKey },
    body: definitionOf({ name, runSeconds }),
  });
}

async function post(stack: LiveStack, name: string): Promise<number> {
  const answer = await send(stack, name, 1);
  await answer.arrayBuffer();
  return answer.status;
}

async function postTo(url: string, name: string, runSeconds = 1): Promise<number> {
  const answer = await fetch(`${url}/api/trigger`, { method: "POST", body: definitionOf({ name, runSeconds }) });
  await answer.arrayBuffer();
  return answer.status;
}
