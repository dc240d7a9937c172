import type { Reason } from "../../src/shared/job/reasons.ts";
import type { TeamName } from "./settings.ts";
import { scriptOf, type Script } from "./scripts.ts";

/** What callers ask for, in the words in which they do: the judge knows it from here, and not from what the service made of it. */
export interface Spec {
  readonly name: string;
  /** What the containers of these names do. */
  readonly app: Program;
  readonly helper?: Program;
  readonly startSeconds?: number;
  readonly script?: Script;
  readonly spot?: true;
  readonly restartPolicy?: "OnFailure";
  readonly options: SpecOptions;
}

export interface Program {
  readonly seconds: number;
  readonly code: number;
  /** Of an array's child it is its index. */
  readonly codeIsIndex?: true;
  /** How many attempts end with the code before one succeeds; all of them where it is absent. */
  readonly fails?: number;
}

/** As an envelope has them. Times are seconds. */
export interface SpecOptions {
  readonly onConflict: "reject" | "wait" | "replace" | "attach";
  readonly keep?: "never" | "failed" | "always";
  readonly retries?: number;
  readonly retryOn?: string;
  readonly uniqueName?: true;
  readonly main?: "app";
  readonly lease?: number;
  readonly timeout?: number;
  readonly queueTimeout?: number;
  readonly startTimeout?: number;
  readonly runTimeout?: number;
  readonly group?: "narrow" | "wide";
  readonly groupLimit?: number;
  readonly onGroupFull?: "reject";
  readonly priority?: number;
  readonly team?: TeamName;
  readonly array?: number;
  readonly parallelism?: number;
  readonly failFast?: true;
  readonly minSuccess?: number;
  readonly pack?: number;
}

/** What an attempt's group gives the job when nobody interferes. */
export interface End {
  readonly reason: Reason;
  readonly exitCode?: number | undefined;
}

/** How an attempt ends by what its containers and its platform do. */
export function endOf(spec: Spec, attempt: number): End {
  const script = scriptOf(spec.script, attempt);
  switch (script?.does) {
    case "fail":
      return { reason: startFailures[script.why] };
    case "evict":
      if (script.restarts) break;
      return { reason: spec.spot ? "SpotEvicted" : "PlatformRestart", exitCode: script.code };
    case "silence":
      if (script.says === "Succeeded") return ofCode(0);
      return script.says === "Running" && script.stopTells !== undefined
        ? ofCode(script.stopTells)
        : { reason: "ExitUnknown" };
    case "restart":
      if (spec.restartPolicy === "OnFailure") return ofCode(0);
      break;
    case undefined:
  }
  return ofCode(exitCodeOf(spec, attempt));
}

const startFailures = {
  quota: "QuotaReached",
  capacity: "NoCapacity",
  image: "ImagePullFailed",
  mount: "MountFailed",
  start: "StartFailed",
  unknown: "ProvisioningFailed",
} as const;

function ofCode(exitCode: number): End {
  return { reason: exitCode === 0 ? "Completed" : exitCode === 137 ? "OutOfMemory" : "ExitCode", exitCode };
}

/** The exit code that an attempt's containers give the job: `main`'s, or that of the one that failed first. */
function exitCodeOf({ app, helper, options }: Spec, attempt: number): number {
  const code = (program: Program): number => (attempt > (program.fails ?? Infinity) ? 0 : program.code);
  if (helper === undefined || options.main === "app") return code(app);
  const [first, second] = helper.seconds < app.seconds ? [helper, app] : [app, helper];
  return code(first) === 0 ? code(second) : code(first);
}

const well: Program = { seconds: 5, code: 0 };
const badly: Program = { seconds: 5, code: 3 };
const slow: Program = { seconds: 60, code: 0 };
const long: Program = { seconds: 900, code: 0 };
const endless: Program = { seconds: 7200, code: 0 };

type Nameless = Omit<Spec, "name">;

/** Quick and slow, good and bad, kept and not, with every option that decides how a job goes on. */
const kinds: readonly Nameless[] = [
  { app: { seconds: 0, code: 0 }, options: { onConflict: "reject" } },
  { app: { ...badly, fails: 1 }, options: { onConflict: "wait", retries: 2 } },
  { app: { seconds: 20, code: 0 }, options: { onConflict: "wait", keep: "always" } },
  { app: { seconds: 20, code: 3 }, options: { onConflict: "reject", keep: "failed" } },
  { app: well, options: { onConflict: "replace", keep: "failed" } },
  { app: badly, options: { onConflict: "wait", retries: 1, keep: "failed" } },
  { app: well, options: { onConflict: "attach" } },
  { app: badly, options: { onConflict: "reject", uniqueName: true } },
  { app: long, options: { onConflict: "reject", keep: "always" } },
  // Retried are these, and nothing else.
  { app: { ...badly, fails: 1 }, options: { onConflict: "wait", retries: 3, retryOn: "3" } },
  { app: badly, options: { onConflict: "wait", retries: 2, retryOn: "4,5" } },
  { app: badly, options: { onConflict: "replace", retries: 1, retryOn: "!3,*" } },
  { app: { ...long, code: 3 }, options: { onConflict: "wait", retries: 1, retryOn: "RunTimeout", runTimeout: 60 } },
  { app: long, options: { onConflict: "wait", retries: 2, retryOn: "ExitCode", runTimeout: 60 } },
  { app: { seconds: 5, code: 137, fails: 1 }, options: { onConflict: "wait", retries: 1, retryOn: "OutOfMemory" } },
  // A second container: with `main` it does not decide, and does not run on.
  { app: well, helper: endless, options: { onConflict: "wait", main: "app" } },
  { app: badly, helper: endless, options: { onConflict: "replace", main: "app", keep: "failed", retries: 1 } },
  { app: { seconds: 20, code: 0 }, helper: { ...badly, code: 4 }, options: { onConflict: "wait", main: "app" } },
  { app: { seconds: 20, code: 3 }, helper: { ...badly, code: 4 }, options: { onConflict: "attach" } },
  // Times of its own.
  { app: endless, options: { onConflict: "wait", lease: 300 } },
  { app: endless, options: { onConflict: "attach", lease: 600, keep: "always" } },
  { app: endless, options: { onConflict: "wait", timeout: 240, retries: 1 } },
  { app: endless, options: { onConflict: "reject", timeout: 600, runTimeout: 120, retries: 9 } },
  { app: well, options: { onConflict: "wait", queueTimeout: 120 } },
  { app: well, startSeconds: 1200, options: { onConflict: "wait", startTimeout: 60, retries: 1 } },
  { app: well, startSeconds: 1200, options: { onConflict: "wait", startTimeout: 60, retries: 1, retryOn: "3" } },
  // Slots of a group, and who comes first.
  { app: slow, options: { onConflict: "wait", group: "narrow", groupLimit: 1 } },
  { app: well, options: { onConflict: "reject", uniqueName: true, group: "narrow", groupLimit: 1, priority: 600 } },
  { app: badly, options: { onConflict: "wait", uniqueName: true, group: "narrow", groupLimit: 1, retries: 1 } },
  { app: well, options: { onConflict: "wait", group: "wide", groupLimit: 2, keep: "always", priority: -600 } },
  { app: slow, options: { onConflict: "replace", group: "wide", groupLimit: 1 } },
  {
    app: well,
    options: { onConflict: "reject", uniqueName: true, group: "wide", groupLimit: 2, onGroupFull: "reject" },
  },
  { app: well, options: { onConflict: "wait", group: "wide", groupLimit: 1, onGroupFull: "reject" } },
  {
    app: well,
    script: { does: "fail", why: "capacity", attempts: 2 },
    options: { onConflict: "wait", uniqueName: true, group: "narrow", groupLimit: 1 },
  },
  // Arrays. Where the code is the index, the first child alone ends with 0.
  { app: well, options: { onConflict: "wait", array: 5, parallelism: 2 } },
  { app: { ...badly, codeIsIndex: true }, options: { onConflict: "reject", array: 3, parallelism: 2, retries: 1 } },
  { app: { ...badly, codeIsIndex: true }, options: { onConflict: "wait", array: 2, parallelism: 1, minSuccess: 1 } },
  { app: { ...slow, code: 3, fails: 1 }, options: { onConflict: "replace", array: 4, parallelism: 3, failFast: true } },
  { app: long, options: { onConflict: "attach", array: 3, parallelism: 3, timeout: 400, keep: "failed" } },
  { app: endless, options: { onConflict: "wait", array: 4, parallelism: 2, lease: 300 } },
  { app: slow, options: { onConflict: "wait", array: 3, parallelism: 3, group: "narrow", groupLimit: 1 } },
  { app: long, options: { onConflict: "wait", array: 2, parallelism: 2, runTimeout: 60, keep: "always" } },
  // Packs: items that share a group.
  { app: well, options: { onConflict: "wait", array: 5, parallelism: 1, pack: 2 } },
  {
    app: { ...badly, codeIsIndex: true, fails: 1 },
    options: { onConflict: "reject", array: 4, parallelism: 2, pack: 2, retries: 2 },
  },
  { app: { ...badly, codeIsIndex: true }, options: { onConflict: "replace", array: 3, parallelism: 2, pack: 3 } },
  { app: { ...slow, code: 3 }, options: { onConflict: "wait", array: 4, parallelism: 1, pack: 2, failFast: true } },
  { app: long, options: { onConflict: "wait", array: 3, parallelism: 2, pack: 2, runTimeout: 60 } },
  {
    app: slow,
    script: { does: "evict", code: 7147, restarts: false, attempts: 1 },
    options: { onConflict: "wait", array: 3, parallelism: 2, pack: 2 },
  },
  // The platform's doings. An exit code that it keeps to itself:
  { app: well, script: { does: "silence", says: "Running" }, options: { onConflict: "wait" } },
  {
    app: badly,
    script: { does: "silence", says: "Running", attempts: 1 },
    options: { onConflict: "wait", retries: 1 },
  },
  { app: well, script: { does: "silence", says: "Running", stopTells: 0 }, options: { onConflict: "reject" } },
  {
    app: badly,
    script: { does: "silence", says: "Running", stopTells: 3 },
    options: { onConflict: "wait", keep: "failed" },
  },
  { app: well, script: { does: "silence", says: "Succeeded" }, options: { onConflict: "wait" } },
  { app: badly, script: { does: "silence", says: "Failed" }, options: { onConflict: "replace" } },
  {
    app: well,
    helper: endless,
    script: { does: "silence", says: "Running" },
    options: { onConflict: "wait", main: "app", retries: 1, retryOn: "!ExitUnknown,*" },
  },
  // a container that it starts again, in spite of Never, or as OnFailure asks for:
  { app: badly, script: { does: "restart" }, options: { onConflict: "wait" } },
  { app: badly, helper: endless, script: { does: "restart" }, options: { onConflict: "wait", keep: "failed" } },
  { app: badly, script: { does: "restart", attempts: 1 }, options: { onConflict: "reject", retries: 1 } },
  { app: badly, script: { does: "restart" }, restartPolicy: "OnFailure", options: { onConflict: "wait", retries: 1 } },
  // a group that it takes away, for good or to start it again:
  { app: slow, script: { does: "evict", code: 7147, restarts: true }, options: { onConflict: "wait" } },
  { app: slow, script: { does: "evict", code: 7148, restarts: false, attempts: 1 }, options: { onConflict: "wait" } },
  { app: slow, spot: true, script: { does: "evict", restarts: true }, options: { onConflict: "wait" } },
  {
    app: { ...slow, code: 3 },
    spot: true,
    script: { does: "evict", code: 7147, restarts: false, attempts: 2 },
    options: { onConflict: "wait", retries: 1 },
  },
  {
    app: slow,
    spot: true,
    script: { does: "evict", code: 7147, restarts: false },
    options: { onConflict: "replace", retries: 1, retryOn: "SpotEvicted" },
  },
  // and one that it never starts:
  ...(["quota", "capacity", "image", "mount", "start", "unknown"] as const).map((why): Nameless => ({
    app: well,
    script: { does: "fail", why, attempts: 1 },
    options: { onConflict: "wait", retries: 1 },
  })),
  { app: well, script: { does: "fail", why: "unknown" }, options: { onConflict: "wait" } },
  { app: well, script: { does: "fail", why: "image" }, options: { onConflict: "wait", keep: "always" } },
  { app: well, script: { does: "fail", why: "quota" }, options: { onConflict: "wait", timeout: 900 } },
];

/** Two names that differ only in case are one name. */
export const specs: readonly Spec[] = ["alpha", "Alpha", "beta"].flatMap((name) =>
  kinds.map((kind) => ({ name, ...kind })),
);
