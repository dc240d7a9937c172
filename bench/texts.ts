/** What docs/benchmarks.md says of each benchmark, in the order of the page. */
export interface PartText {
  readonly name: string;
  readonly title: string;
  /** What is measured, and how. */
  readonly about: string;
  /** Why a figure misses its goal, and what was tried; shown while one does. */
  readonly misses?: string;
}

export const parts = [
  {
    name: "calls",
    title: "Storage calls of a call",
    about:
      "How many calls to storage an accept and a status make, and the longest chain of them in which each began after the one before had ended. " +
      "An accept reserves the name, writes the row and sends the message, each only after the one before is sure: two in sequence would be a " +
      "message whose job has no row yet, or a row whose name somebody else holds, and a crash between them would lose a job that was accepted or run two. " +
      "The floor of the next parts makes the same calls. test/service/accept.test.ts holds them.",
  },
  {
    name: "accept",
    title: "Accept",
    about:
      "`POST /api/trigger` on the embedded host (queues and timer off) against two floors that make the same storage calls with entities of the same size and do nothing " +
      "else: a bare `node:http` server, and a bare Functions app on the same host. Each has an Azurite of its own, new in each round. The processor's time is " +
      "the host process's own, in all its threads, for each call.",
    misses:
      "Profiled (`--profile`): with storage answered from memory and its code warm, an accept takes 0.5 ms of the processor, of which the floors have next to nothing: judging the definition 0.17 ms " +
      "(its YAML 0.08), the row and the entries of the index 0.06, collecting garbage 0.06, sealing 0.05, the platform's request object 0.04, the rest a log line and " +
      "the calls' own code. With storage that answers at once over HTTP that is 1.5 ms against the bare server's 0.6; beside Azurite on the same two cores both " +
      "take nearly twice that. Tried: a queue's client is made once and not for each message, which took half as long as to send it; less memory for gzip, " +
      "which saves less than a hundredth. To keep what was judged would help callers that post one text again and again, and nobody else: not done.",
  },
  {
    name: "status",
    title: "Status",
    about:
      "`GET /api/status/{id}` of a job that has not ended, in the same way; through its capability link and with the read key too. HTTP streaming (`enableHttpStream` in src/index.ts), without which " +
      "a log can't be followed, is on; on the platform's own host, which is not available on this machine, it was once measured to cost about 13 % of every call. Beside a bare app on the same host " +
      "the app is the cheaper one, since it reads a point by less code than the SDK's; beside the bare server it has the host's own work on top.",
    misses:
      "Beside the bare server the app has the host's own work on top (routes, invocations, the platform library's request and response objects), as a bare app on that host has.",
  },
  {
    name: "bundle",
    title: "Size of the app",
    about:
      "Bytes of the built app (`dist/`, source maps left out), and of what each start loads. The rest is loaded when it is needed: the " +
      "identity library with the first token, Key Vault with the first key or secret, Event Grid with the first event, OpenTelemetry " +
      "where a receiver is set, the client of Container Instances with the first call to ARM; the page is files, read when somebody opens " +
      "it. The parser of YAML is loaded at the start: it is 2 % of what is, and the first accept needs it. test/unit/bundle.test.ts holds the ceilings.",
  },
  {
    name: "start",
    title: "Cold start",
    about:
      "A new process from its start to its first reply on the embedded host, the app (`GET /api/health` with its call to storage) and a " +
      "bundled app of one function in turn; and how long `require` of the app takes alone. Memory is the process's own after that reply. " +
      "On the platform's own host a start took 9.0 s against 7.1 s of a one-function app, of which the app's code was 0.2 s before its parts " +
      "were split, and the rest what the host loads for queues and tables; that host is not available on this machine, so this part measures the code's share alone.",
    misses:
      "Without the platform's own seven seconds, of which both have their share, 100 ms of code are half of a start. Split into parts the code loads in 110 ms " +
      "instead of 190 and takes 46 MB instead of 77 (the identity library, Key Vault, Event Grid, OpenTelemetry, the client of Container Instances and texts in " +
      "other languages were in it). Minified names and white space were tried and save no time; what is left is the clients of tables, queues and blobs, " +
      "which the first call needs. On the platform's own host the ratio was 1.27, before the split.",
  },
  {
    name: "overhead",
    title: "What the service adds to a job",
    about:
      "The demo's job of two containers through the whole local stack, one at a time: time from accept to end less the three seconds that its containers wait.",
  },
  {
    name: "latency",
    title: "From the call to the container, and from its exit to the row",
    about:
      "The app whole on the embedded host with a simulated ACI, limits of creates off, reads as ARM limits them; each job runs for 20 s. The row that says the end is what the next poll " +
      "answers with. 500 at once need a thousand of ARM's 25 reads a second for their creates, and as many for their ends and logs: 40 s each at best. A name with a history is one of which a job ran before: it is observed more often around its usual end.",
    misses:
      "An end is found by the next observation, and observations share ARM's reads: docs/costs.md says how the pace follows from them. Around a name's usual end it is the shortest that there is, " +
      "2 s, and the message for it waits for the next poll of the queue, up to 2 s more.",
  },
  {
    name: "polling",
    title: "How often queues are polled",
    about:
      "`maxPollingInterval` of host.json, on four hosts that are asked in turn, each job after a pause in which the polls have become as rare as they get. An idle instance polls three queues. " +
      "Chosen is 2 s: less saves a second of a job's start and costs several times as much, day and night (docs/host-json.md has the price of each, what a plan that sleeps adds, and what always-ready instances change).",
  },
  {
    name: "pipeline",
    title: "The pipeline",
    about:
      "Jobs that are posted to the queue `aci-jobs`, from there to their end with the group deleted, on a simulated ACI where they run for no time; limits off, and jobs a minute are of the time in which the middle three fifths ended. Calls are counted between " +
      "the app and its services. test/service/job-cost.test.ts counts the calls of a single job, and holds them.",
    misses:
      "Calls beside observations: the accept takes 3, each of the job's seven moves saves its row under its ETag before anything is done (the claims that keep a second host from creating or deleting " +
      "twice are among them), the name's lock and the index take 8, the captured log 5, and the sweep gets the time of the next observation each 20 s. Fewer would mean two moves in one write, and a crash between " +
      "them that nobody sees: not done. Conflicts are of the two rows that count a region's creates and deletions: each takes one of what Container " +
      "Instances allows there, under the row's ETag, right before it is sent, and of two hosts that do so at once the second reads the row again. To take several at once would count what no call used: not done.",
  },
  {
    name: "original",
    title: "Against the original's way",
    about:
      "A service of the original's shape (bench/original/stand-in.ts, written from its description) makes the group inside the POST and asks ARM at each status. Both have a " +
      "simulated ACI with ARM's published limits, on which a group is provisioned in 20 s. Pollers ask every 5 s, for half a minute; for these ARM has no limits. " +
      "The app observes a young job every 2 s, whoever asks: with one caller it asks ARM more often than the original would. Jobs of the app that ARM may not create yet wait, " +
      "with a reason; those that the original's way gets refused have failed.",
    misses: "A 429 waits for the time that ARM gives and is sent again.",
  },
  {
    name: "scale",
    title: "Scale",
    about:
      "The whole core in simulated time, on the model's tables, which count calls and the rows that they come by; Azure's published limits of creates (300 an hour, 100 in five minutes). " +
      "The jobs may run in any of the regions. Finished jobs are of half a day, so that retention has nothing to take from them; with a million spread over two months, of which it " +
      "was still taking logs and definitions, the hour had 1.27 times the calls. The fluid bound is what a scheduler that knows all would reach: whoever comes first is created as soon as any region's limits let it (`bench/scale/bound.ts`). " +
      "A job that waits holds no message; in case it was forgotten the sweep reconciles it every five minutes. Those checks are most of what waiting jobs cost. At 50,000 they would take more of the index's " +
      "partition than half, were they all made: the sweep works for 15 s of each pass and goes on in the next, so that they come later instead, and who frees capacity still requeues the first at once. " +
      "What would be done: check a job the more seldom the further back it stands. Beyond that partition's limit (2,000 entities a second) storage answers 503, calls are repeated, accepts get slower and then a 503 with Retry-After; " +
      "the index would be split by a hash of the name.",
  },
  {
    name: "local-aci",
    title: "The local stack's own Container Instances",
    about:
      "What they bear, so that they are not what the other parts measure; and with podman how long until a container's first output.",
  },
] as const satisfies readonly PartText[];

export type PartName = (typeof parts)[number]["name"];
