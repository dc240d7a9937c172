/** `GET /api/jobs/{id}/definition`, and what a job's record says of its containers while they run. */
import { expect, it } from "vitest";
import { definition } from "../../src/http/jobs/definition.ts";
import { job as record } from "../../src/http/jobs/record.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import type { LogFields } from "../../src/shared/base/log.ts";
import { ask, follow, jobOf, openBench, post, useAzurite, yaml } from "./kit.ts";

useAzurite();

const secret = "hunter-2 é";
const withSecrets = (name: string): string =>
  yaml(name, {
    more: `          - {name: TOKEN, secureValue: ${JSON.stringify(secret)}}
          - {name: DB_PASSWORD, value: plain-password-7}
          - {name: AUTH_MODE, value: basic}
          - {name: CONNECTION, value: "AccountName=a;AccountKey=${"k".repeat(40)}=="}
          - {name: GREETING, value: hello ${secret}, again}
        command: [run, --password, word-of-the-command, --user, me]
`,
  });

it("the definition is what was submitted, without its secrets, and reading it is an audit line", async () => {
  const lines: { readonly event: string; readonly fields: LogFields | undefined }[] = [];
  const log = (_level: string, event: string, fields?: LogFields): void => void lines.push({ event, fields });
  const { deps } = await openBench({}, undefined, { log });
  const { id } = await post(deps, withSecrets("masked"));
  const reply = await ask(definition(deps), { params: { id } });
  expect(reply).toMatchObject({
    status: 200,
    body: {
      id,
      definition: {
        name: "masked",
        apiVersion: "2023-05-01",
        properties: {
          restartPolicy: "Never",
          containers: [
            {
              name: "app",
              properties: {
                image: "registry.example/team/app:1",
                resources: { requests: { cpu: 1, memoryInGB: 1 } },
                command: ["run", "--password", "***", "--user", "me"],
              },
            },
          ],
        },
      },
    },
  });
  const text = JSON.stringify(reply.body);
  for (const each of ["hunter-2", "plain-password-7", "word-of-the-command", "kkkk"]) expect(text).not.toContain(each);
  expect(text).toContain('{"name":"AUTH_MODE","value":"basic"}');
  expect(lines.filter(({ event }) => event === "audit").map(({ fields }) => fields)).toMatchObject([
    { action: "read definition", caller: "a key", job: id, name: "masked" },
  ]);
});

it("of a job that is not known it is a 404, and after its time another one, which says so", async () => {
  const { deps } = await openBench();
  const unknown = await ask(definition(deps), { params: { id: "0198f000-0000-7000-8000-000000000001" } });
  expect(unknown).toMatchObject({ status: 404, body: { code: "JobNotFound" } });
  expect(await ask(definition(deps), { params: { id: "no-id" } })).toMatchObject({ status: 404 });
  const { id } = await post(deps, yaml("old"));
  await deps.jobs.change(id, (job) => ({ job, sealed: { definition: undefined, callbacks: undefined } }));
  const gone = await ask(definition(deps), { params: { id } });
  expect(gone).toMatchObject({ status: 404, body: { code: "DefinitionNotFound" } });
  expect(gone.body.message).toBe("The job's definition is no longer kept. The sealed definition is gone.");
});

it("a job's record shows each container's own state while it runs, without a call to Azure", async () => {
  const bench = await openBench();
  const { id } = await post(bench.deps, yaml("runs", { seconds: 600 }));
  const before = await ask(record(bench.deps), { params: { id } });
  expect(before.body["containers"]).toEqual({ app: {} });
  await follow(bench, id, ({ phase, observed }) => phase.state === "Running" && observed.containers.length > 0);
  const calls = bench.aci.counters.view(null);
  const running = await ask(record(bench.deps), { params: { id } });
  const { startedAt = 0 } = await jobOf(bench.deps, id);
  expect(running.body["containers"]).toMatchObject({
    app: {
      start_time: new Date(startedAt).toISOString().slice(0, 19),
      finish_time: null,
      state: "Running",
      exit_code: null,
    },
  });
  expect(bench.aci.counters.view(null)).toEqual(calls);
  const ended = await follow(bench, id, ({ phase }) => hasEnded(phase));
  expect(ended.observed.containers).toHaveLength(1);
  const over = await ask(record(bench.deps), { params: { id } });
  expect(over.body["containers"]).toMatchObject({ app: { state: "Terminated", exit_code: 0, log: "complete" } });
});
