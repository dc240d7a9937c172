// Longer than 350 lines: one promise at least for each option.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { minute } from "../../../src/shared/base/duration.ts";
import { optionsTable, type OptionName } from "../../../src/shared/job/options.ts";
import { call, ended, groupOf, leaseReadAt, rowOf, startService, unread, type Reply, type Service } from "./kit.ts";
import { definition } from "../simulated.ts";

/** Every option of a job, end to end through the built stack. */
let service: Service;

beforeAll(async () => {
  service = await startService();
}, 90_000);

afterAll(async () => service.stop());

const submit = (body: string, query = "", headers: Record<string, string> = {}): Promise<Reply> =>
  call(service, "POST", `trigger?polling=true&${query}`, body, headers);

async function run(body: string, query = "", headers: Record<string, string> = {}): Promise<Reply> {
  const accepted = await submit(body, query, headers);
  expect(accepted.status, JSON.stringify(accepted)).toBe(202);
  return ended(service, accepted.location ?? "");
}

/** Waits until the job's status says so. */
const says = (id: string, what: object): Promise<void> =>
  vi.waitFor(async () => expect(await call(service, "GET", `status/${id}`)).toMatchObject(what), {
    timeout: 60_000,
    interval: 250,
  });

const stop = (id: string): Promise<Reply> => call(service, "DELETE", `delete/${id}`);
const long = { app: { seconds: 600 } };
const times = (reply: Reply): { started: number; finished: number } => ({
  started: Date.parse(String(reply["startedAt"])),
  finished: Date.parse(String(reply["finishedAt"])),
});

/** Checks an array of a definition with a gap, and says what comes of it. */
const dryArray = (query: string): Promise<Reply> =>
  submit(definition("array", { app: { seconds: 1 } }), `dryRun=true&${query}`);

type Promises = Readonly<Record<string, () => Promise<void>>>;

const promises: Readonly<Record<OptionName, Promises>> = {
  array: {
    "a number or a list of items is taken, and no items of mixed types": async () => {
      const lists = ["3", encodeURIComponent('["a","b"]'), encodeURIComponent('["a",1]')];
      const replies = await Promise.all(lists.map((list) => dryArray(`array=${list}`)));
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 400]);
    },
  },
  parallelism: {
    "it is for arrays only": async () => {
      const replies = await Promise.all(["array=3&parallelism=2", "parallelism=2"].map(dryArray));
      expect(replies.map(({ status }) => status)).toEqual([200, 400]);
    },
  },
  failFast: {
    "it is for arrays only": async () => {
      const replies = await Promise.all(["array=3&failFast=true", "failFast=true"].map(dryArray));
      expect(replies.map(({ status }) => status)).toEqual([200, 400]);
    },
  },
  minSuccess: {
    "it is for arrays only, and no more than their children": async () => {
      const queries = ["array=3&minSuccess=90%25", "array=3&minSuccess=4", "minSuccess=1"];
      const replies = await Promise.all(queries.map(dryArray));
      expect(replies.map(({ status }) => status)).toEqual([200, 400, 400]);
    },
  },
  pack: {
    "it is for arrays only, and no more than fit into one group": async () => {
      const replies = await Promise.all(["array=9&pack=3", "array=90&pack=60", "pack=3"].map(dryArray));
      expect(replies.map(({ status }) => status)).toEqual([200, 400, 400]);
    },
  },
  polling: {
    "false accepts with 200, any other word with 202, and each with a Location to ask": async () => {
      const accept = (polling: string): Promise<Reply> =>
        call(service, "POST", `trigger?polling=${polling}`, definition(`polling-${polling}`));
      const [not, yes] = await Promise.all([accept("false"), accept("true")]);
      expect([not.status, yes.status]).toEqual([200, 202]);
      for (const { location, id } of [not, yes]) {
        expect(location).toBe(`${service.url.replace("127.0.0.1", "localhost")}/api/status/${id}?poll=1`);
        expect(await ended(service, location ?? "")).toMatchObject({ status: 200, state: "Succeeded" });
      }
    },
    "started answers 200 once the group runs": async () => {
      const accepted = await call(service, "POST", "trigger?polling=started", definition("polling-started", long));
      expect(await ended(service, accepted.location ?? "")).toMatchObject({ status: 200, state: "Running" });
      expect(await call(service, "GET", `status/${accepted.id}`)).toMatchObject({ status: 202, state: "Running" });
      await stop(accepted.id);
    },
    "link gives a Location that needs no key, and that no other token opens": async () => {
      const accepted = await call(service, "POST", "trigger?polling=link", definition("polling-link"));
      const location = accepted.location ?? "";
      expect(location).toContain("/api/link/");
      const open = (address: string): Promise<Response> => fetch(address);
      const done = await vi.waitFor(
        async () => {
          const response = await open(location);
          expect(response.status).not.toBe(202);
          return response;
        },
        { timeout: 60_000, interval: 250 },
      );
      expect(done.status).toBe(200);
      expect(await done.json()).toMatchObject({ id: accepted.id, state: "Succeeded" });
      expect((await open(location.replace(/[^/]+\?/, (token) => `x${token}`))).status).toBe(404);
      expect((await open(`${service.url}/api/status/${accepted.id}`)).status).toBe(401);
    },
  },
  timeout: {
    "ends the job, whatever it is doing": async () => {
      const late = await run(definition("timeout", long), "timeout=PT4S");
      expect(late).toMatchObject({ status: 500, state: "TimedOut", reason: "DeadlineExceeded", groupDeleted: true });
    },
  },
  queueTimeout: {
    "ends a job that has not been created by then, and no other": async () => {
      const first = await submit(definition("queue-timeout", long), "queueTimeout=PT1M");
      await says(first.id, { state: "Running" });
      const second = await run(definition("queue-timeout"), "queueTimeout=PT3S&onConflict=wait");
      expect(second).toMatchObject({ state: "TimedOut", reason: "QueueTimeout", fault: "caller", groupDeleted: true });
      expect(await call(service, "GET", `status/${first.id}`)).toMatchObject({ state: "Running" });
      await stop(first.id);
    },
  },
  startTimeout: {
    "ends an attempt that does not come to run": async () => {
      const late = await run(definition("start-timeout", { app: { startSeconds: 600 } }), "startTimeout=PT4S");
      expect(late).toMatchObject({ state: "TimedOut", reason: "StartTimeout", groupDeleted: true });
    },
  },
  runTimeout: {
    "ends an attempt that runs too long": async () => {
      const late = await run(definition("run-timeout", long), "runTimeout=PT2S");
      expect(late).toMatchObject({ status: 500, state: "TimedOut", reason: "RunTimeout", groupDeleted: true });
    },
  },
  retries: {
    "give a failed job a fresh group each, and are counted": async () => {
      const failed = await run(definition("retries", { app: { exitCode: 9 } }), "retries=1");
      expect(failed).toMatchObject({ state: "Failed", attempt: 2, exitCode: 9 });
      expect((await call(service, "GET", `jobs/${failed.id}`))["attempts"]).toHaveLength(2);
    },
  },
  retryOn: {
    "retries what a rule names, and nothing else": async () => {
      const end = (name: string, retryOn: string): Promise<Reply> =>
        run(definition(name, { app: { exitCode: 9 } }), `retries=1&retryOn=${retryOn}`);
      const [named, unnamed, excepted] = await Promise.all([
        end("retry-named", "9"),
        end("retry-unnamed", "1-8,platform"),
        end("retry-excepted", "!9,*"),
      ]);
      expect([named, unnamed, excepted].map(({ attempt }) => attempt)).toEqual([2, 1, 1]);
    },
  },
  onConflict: {
    "reject says which job has the name, and names the other choices": async () => {
      const first = await submit(definition("conflict-reject", long));
      const refused = await submit(definition("Conflict-Reject"), "onConflict=reject");
      expect(refused).toMatchObject({ status: 409, id: first.id });
      expect(refused.message).toMatch(/wait, replace or attach/);
      await stop(first.id);
    },
    "wait runs after the job that has the name": async () => {
      const first = await submit(definition("conflict-wait", { app: { seconds: 3 } }));
      const second = await submit(definition("conflict-wait"), "onConflict=wait");
      await says(second.id, { state: "Queued", reason: "NameBusy" });
      const [before, after] = [await ended(service, `status/${first.id}`), await ended(service, `status/${second.id}`)];
      expect([before.state, after.state]).toEqual(["Succeeded", "Succeeded"]);
      expect(times(after).started).toBeGreaterThanOrEqual(times(before).finished);
    },
    "replace cancels the job that has the name, and runs after it": async () => {
      const first = await submit(definition("conflict-replace", long));
      const after = await run(definition("conflict-replace"), "onConflict=replace");
      const before = await ended(service, `status/${first.id}`);
      expect(before).toMatchObject({ state: "Canceled", reason: "Replaced" });
      expect(after).toMatchObject({ state: "Succeeded" });
      expect(times(after).started).toBeGreaterThanOrEqual(times(before).finished);
    },
    "attach answers with the job that has the name": async () => {
      const first = await submit(definition("conflict-attach", long));
      const second = await submit(definition("conflict-attach"), "onConflict=attach");
      expect(second).toMatchObject({ status: 202, id: first.id, attached: true });
      await stop(first.id);
    },
  },
  uniqueName: {
    "lets the same definition run side by side, each in a group of its own": async () => {
      const [one, two] = await Promise.all(
        [1, 2].map(() => submit(definition("unique", { app: { seconds: 600 } }), "uniqueName=true")),
      );
      for (const job of [one, two]) {
        await says(job?.id ?? "", { state: "Running", name: "unique" });
        const { groupName } = await rowOf(service, job?.id ?? "");
        expect(groupName).toMatch(/^unique-./);
        expect((await groupOf(service, String(groupName)))?.tags["aciproxy-job"]).toBe(job?.id);
        await stop(job?.id ?? "");
      }
    },
  },
  main: {
    "ends the job when that container does, with its exit code, and stops the others": async () => {
      const containers = { work: { seconds: 1, exitCode: 4 }, side: { seconds: 600 }, quick: { exitCode: 7 } };
      const done = await run(definition("main", containers), "main=work");
      expect(done).toMatchObject({ state: "Failed", exitCode: 4, failedContainer: "work", groupDeleted: true });
    },
  },
  keep: {
    "never, failed and always say whose group stays": async () => {
      const stays = async (keep: string, exitCode: number): Promise<boolean> => {
        const name = `keep-${keep}-${exitCode}`;
        const done = await run(definition(name, { app: { exitCode } }), `keep=${keep}`);
        const kept = (await rowOf(service, done.id))["keptUntil"] !== undefined;
        if (!kept) await says(done.id, { groupDeleted: true });
        expect((await groupOf(service, name)) !== undefined).toBe(kept);
        return kept;
      };
      const all = ["never", "failed", "always"].map((keep) => Promise.all([0, 3].map((code) => stays(keep, code))));
      expect(await Promise.all(all)).toEqual([
        [false, false],
        [false, true],
        [true, true],
      ]);
    },
    "yields to a new job of that name": async () => {
      const kept = await run(definition("keep-yields"), "keep=always");
      expect(kept.groupDeleted).toBe(false);
      expect(await run(definition("keep-yields"))).toMatchObject({ state: "Succeeded" });
      await says(kept.id, { groupDeleted: true });
    },
  },
  lease: {
    "is lengthened by whoever reads the job's own Location, and by no other look": async () => {
      const accepted = await submit(definition("lease-read", long), "lease=PT5M");
      const since = (): Promise<number> => leaseReadAt(service, accepted.id);
      await unread(service, accepted.id, 4 * minute);
      await call(service, "GET", `status/${accepted.id}`);
      await call(service, "GET", "status/lease-read");
      expect(await since()).toBeLessThan(Date.now() - 3 * minute);
      await call(service, "GET", accepted.location ?? "");
      expect(await since()).toBeGreaterThan(Date.now() - minute);
      await stop(accepted.id);
    },
    "cancels a job whose Location nobody reads for that long": async () => {
      const [read, left] = await Promise.all(
        ["lease-kept", "lease-left"].map((name) => submit(definition(name, long), "lease=PT5M")),
      );
      await says(read?.id ?? "", { state: "Running" });
      await unread(service, read?.id ?? "", 4 * minute);
      await unread(service, left?.id ?? "", 6 * minute);
      const expired = await ended(service, `status/${left?.id}`);
      expect(expired).toMatchObject({ state: "Canceled", reason: "LeaseExpired", groupDeleted: true });
      expect(await call(service, "GET", `status/${read?.id}`)).toMatchObject({ state: "Running" });
      await stop(read?.id ?? "");
    },
  },
  env: {
    "gives every container its job's identity": async () => {
      const done = await run(definition("env", { one: {}, two: {} }), "env=true&keep=always&timeout=PT1H");
      const { deadlineAt } = await rowOf(service, done.id);
      const group = await groupOf(service, "env");
      for (const { properties } of group?.properties.containers ?? []) {
        const variables = Object.fromEntries(properties.environmentVariables.map(({ name, value }) => [name, value]));
        expect(variables).toMatchObject({
          SIM_EXIT_CODE: "0",
          ACI_PROXY_JOB_ID: done.id,
          ACI_PROXY_NAME: "env",
          ACI_PROXY_ATTEMPT: "1",
          ACI_PROXY_DEADLINE: deadlineAt instanceof Date ? deadlineAt.toISOString() : "a time",
        });
      }
      expect(group?.properties.containers).toHaveLength(2);
    },
    "takes the result that a program sends to its address": async () => {
      const accepted = await submit(definition("env-result", long), "env=true");
      await says(accepted.id, { state: "Running" });
      const [container] = (await groupOf(service, "env-result"))?.properties.containers ?? [];
      const variables = container?.properties.environmentVariables ?? [];
      expect(variables.find(({ name }) => name === "ACI_PROXY_RESULT_URL")).not.toHaveProperty("value");
      await stop(accepted.id);
    },
    "adds nothing when it is not asked for": async () => {
      await run(definition("env-not"), "keep=always");
      expect(JSON.stringify(await groupOf(service, "env-not"))).not.toContain("ACI_PROXY_");
    },
  },
  tags: {
    "are the job's, found by them, and the group's": async () => {
      const done = await run(definition("tags"), "keep=always&tags=team=data,nightly");
      expect((await rowOf(service, done.id))["tags"]).toBe('{"team":"data","nightly":""}');
      expect((await groupOf(service, "tags"))?.tags).toMatchObject({
        team: "data",
        nightly: "",
        "aciproxy-job": done.id,
      });
      for (const tag of ["team=data", "nightly"]) {
        const { jobs } = await call(service, "GET", `jobs?name=tags&tag=${tag}`);
        expect(jobs).toMatchObject([{ id: done.id }]);
      }
    },
  },
  source: {
    "fills the columns and the group's tags, from the option or from Data Factory's header": async () => {
      const columns = { factory: "adf", pipeline: "Nightly load", pipelineRunId: "run-7", activity: "Run it" };
      const text = Object.values(columns).join("/");
      const byOption = await run(definition("source-option"), `keep=always&source=${encodeURIComponent(text)}`);
      const byHeader = await run(definition("source-header"), "keep=always", { "x-adf-run": text });
      for (const done of [byOption, byHeader]) {
        expect(await rowOf(service, done.id)).toMatchObject(columns);
        expect((await groupOf(service, done.name ?? ""))?.tags).toMatchObject({
          "aciproxy-factory": "adf",
          "aciproxy-pipeline": "Nightly load",
          "aciproxy-run": "run-7",
          "aciproxy-activity": "Run it",
        });
      }
    },
  },
  failureStatus: {
    "is the status of a job that fails, and of no other": async () => {
      const end = (name: string, exitCode: number, status: number): Promise<Reply> =>
        run(definition(name, { app: { exitCode } }), `failureStatus=${status}`);
      const [failed, tolerated, succeeded] = await Promise.all([
        end("failure-422", 3, 422),
        end("failure-200", 3, 200),
        end("failure-none", 0, 422),
      ]);
      expect(failed).toMatchObject({ status: 422, state: "Failed" });
      expect(tolerated).toMatchObject({ status: 200, state: "Failed" });
      expect(succeeded).toMatchObject({ status: 200, state: "Succeeded" });
    },
  },
  group: {
    "lets no more jobs run at once than its limit, and the next one when one ends": async () => {
      const [first, second] = [definition("group-first", long), definition("group-second")];
      const runs = await submit(first, "group=Ware/House&groupLimit=1");
      await says(runs.id, { state: "Running" });
      const waits = await submit(second, "group=ware/house&groupLimit=1");
      await says(waits.id, { state: "Queued", reason: "GroupFull" });
      await stop(runs.id);
      expect(await ended(service, waits.location ?? "")).toMatchObject({ status: 200, state: "Succeeded" });
    },
  },
  groupLimit: {
    "is each job's own: one without it is not bound": async () => {
      const runs = await submit(definition("limit-first", long), "group=limit&groupLimit=1");
      await says(runs.id, { state: "Running" });
      expect(await run(definition("limit-second"), "group=limit")).toMatchObject({ state: "Succeeded" });
      await stop(runs.id);
    },
  },
  onGroupFull: {
    "refuses a job that would have to wait, and says how full the group is": async () => {
      const runs = await submit(definition("full-first", long), "group=full&groupLimit=1&onGroupFull=reject");
      const refused = await submit(definition("full-second"), "group=full&groupLimit=1&onGroupFull=reject");
      const full = { status: 409, code: "GroupFull", group: "full", held: 1, limit: 1, waiting: 0 };
      expect(refused).toMatchObject(full);
      await stop(runs.id);
    },
  },
  priority: {
    "is a head start where jobs wait for one thing": async () => {
      const runs = await submit(definition("priority-first", long), "group=priority&groupLimit=1");
      await says(runs.id, { state: "Running" });
      const late = await submit(definition("priority-late", long), "group=priority&groupLimit=1");
      const early = await submit(definition("priority-early"), "group=priority&groupLimit=1&priority=3600");
      for (const { id } of [late, early]) await says(id, { reason: "GroupFull" });
      await stop(runs.id);
      expect(await ended(service, early.location ?? "")).toMatchObject({ state: "Succeeded" });
      await stop(late.id);
    },
  },
  team: {
    "is a label of the job where no teams are set": async () => {
      const labelled = await submit(definition("team"), "team=Analysts");
      await says(labelled.id, { team: "analysts" });
    },
  },
  outputLimit: {
    "keeps the tail of each output, cut at a line, and says so": async () => {
      const output = { app: { output: "first\nsecond\nthird\n" } };
      const end = (limit: number): Promise<Reply> => run(definition(`output-${limit}`, output), `outputLimit=${limit}`);
      const [cut, whole, none] = await Promise.all([10, 100, 0].map(end));
      expect(cut?.containers["app"]).toMatchObject({ output: "third\n", output_truncated: true });
      expect(whole?.containers["app"]).toMatchObject({ output: output.app.output, output_truncated: false });
      expect(none?.containers["app"]).toMatchObject({ output: "", output_truncated: true });
    },
  },
  strict: {
    "makes warnings errors": async () => {
      const odd = JSON.stringify({ ...(JSON.parse(definition("strict")) as object), colour: "blue" });
      expect(await submit(odd, "strict=true")).toMatchObject({ status: 400, errors: [{ path: "colour" }] });
      expect(await run(odd)).toMatchObject({ state: "Succeeded", warnings: [{ path: "colour" }] });
    },
  },
  dryRun: {
    "checks all, and makes no job": async () => {
      const odd = JSON.stringify({ ...(JSON.parse(definition("dry")) as object), colour: "blue" });
      expect(await submit(odd, "dryRun=true")).toMatchObject({ status: 200, warnings: [{ path: "colour" }] });
      expect(await submit("name: dry", "dryRun=true")).toMatchObject({ status: 400 });
      expect((await call(service, "GET", "jobs?name=dry"))["jobs"]).toEqual([]);
    },
  },
};

for (const [option, promised] of Object.entries(promises)) {
  describe.concurrent(option, () => {
    for (const [promise, show] of Object.entries(promised)) test(promise, show);
  });
}

test("every option is shown here", () => {
  expect(Object.keys(promises).sort()).toEqual(Object.keys(optionsTable).sort());
  for (const [option, promised] of Object.entries(promises)) expect(Object.keys(promised), option).not.toEqual([]);
});
