/**
 * What the deployed system costs while it does nothing, from what it does then: the timer's runs, what each of them asks of storage, and
 * the polling of the queues. The counts are the code's; the prices are examples.
 */
export interface IdleCounts {
  readonly timerRunsPerMinute: number;
  /** Storage calls of one run of the timer with no job there. */
  readonly storageCallsPerRun: number;
  /** Azure Resource Manager's calls of one run; free, but counted against its limits. */
  readonly armCallsPerRun: number;
  readonly queues: number;
  /** Longest pause between two polls of an empty queue, in seconds. */
  readonly pollSeconds: number;
  readonly instanceGb: number;
  readonly logAlerts: number;
}

/** Public prices in US dollars, of the kind that East US has; look yours up. */
const prices = {
  gbSecond: 0.000026,
  millionRuns: 0.4,
  freeGbSeconds: 100_000,
  freeRuns: 250_000,
  tenThousandCalls: 0.004,
  logAlert: 0.5,
  metricAlert: 0.1,
  registryBasic: 5.07,
  natAndAddress: 36.5,
  privateEndpoint: 7.3,
  privateZone: 0.5,
} as const;

const minutesPerMonth = 30 * 24 * 60;

interface IdleCost {
  readonly item: string;
  readonly count: string;
  readonly dollars: number;
}

function idleCost(counts: IdleCounts): readonly IdleCost[] {
  const runs = counts.timerRunsPerMinute * minutesPerMonth;
  const gbSeconds = runs * counts.instanceGb; // a run is billed for at least a second
  const tableCalls = runs * counts.storageCallsPerRun;
  const polls = Math.round((counts.queues * minutesPerMonth * 60) / counts.pollSeconds);
  const n = (value: number): string => value.toLocaleString("en-US");
  return [
    {
      item: "Timer, without the free grant",
      count: `${n(runs)} runs, ${n(gbSeconds)} GB-s`,
      dollars: gbSeconds * prices.gbSecond + (runs / 1e6) * prices.millionRuns,
    },
    {
      item: "Timer, with the free grant to itself",
      count: "as above",
      dollars:
        Math.max(0, gbSeconds - prices.freeGbSeconds) * prices.gbSecond +
        (Math.max(0, runs - prices.freeRuns) / 1e6) * prices.millionRuns,
    },
    {
      item: "Storage calls of the timer",
      count: n(tableCalls),
      dollars: (tableCalls / 1e4) * prices.tenThousandCalls,
    },
    {
      item: "Polls of the queues, at most (an instance up all month)",
      count: n(polls),
      dollars: (polls / 1e4) * prices.tenThousandCalls,
    },
    {
      item: "Alerts",
      count: `${counts.logAlerts} log, 1 metric`,
      dollars: counts.logAlerts * prices.logAlert + prices.metricAlert,
    },
    { item: "Container registry, Basic", count: "1", dollars: prices.registryBasic },
    {
      item: "Only with `network`: NAT gateway, address, private endpoints and zones",
      count: "1, 1, 4, 4",
      dollars: prices.natAndAddress + 4 * prices.privateEndpoint + 4 * prices.privateZone,
    },
    {
      item: "Only with `privateInbound`: private endpoint and zone",
      count: "1, 1",
      dollars: prices.privateEndpoint + prices.privateZone,
    },
  ];
}

export function idleCostTable(counts: IdleCounts): string {
  const rows = idleCost(counts).map(({ item, count, dollars }) => `| ${item} | ${count} | ${dollars.toFixed(2)} |`);
  return ["| what | in 30 days | US dollars |", "| --- | --- | --- |", ...rows].join("\n");
}
