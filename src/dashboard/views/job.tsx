import { useEffect, useState } from "preact/hooks";
import { cancelJob, readJob, rerunJob, type JobRecord } from "../api.ts";
import { duration, money, shortId, tagTexts, visible } from "../logic/format.ts";
import { isActive } from "../logic/grouping.ts";
import { jobAddress, jobsAddress, templateAddress, type JobRoute } from "../logic/route.ts";
import { Answered, newJob, notDone, tell } from "../parts/answers.tsx";
import { ActionButton, Ask, Copy, Fact, Freshness, Section, StateMark, Time, Trouble } from "../parts/basics.tsx";
import { usePolled } from "../polled.ts";
import { may, mayCancel, opensAll } from "../session.ts";
import { ArrayParts, ToChild } from "./array.tsx";
import { Definition } from "./definition.tsx";
import { Containers, Events, Options } from "./job-parts.tsx";
import { Logs, toLogs } from "./logs.tsx";
import { TimelineChart } from "./timeline-chart.tsx";

/** One job: when and where it went, what became of its containers, its logs, and what can be done about it. */

const about = (id: string): string => `job ${id}`;

/** While its log is followed, which costs as much again, it is read more seldom. */
const pauseOf = ({ state, groupDeleted }: JobRecord): number | undefined =>
  state === "Running" ? 30_000 : isActive(state) || !groupDeleted ? 20_000 : undefined;

export function JobView({ route }: { readonly route: JobRoute }) {
  const { id, index } = route;
  return index === undefined ? <OneJob route={route} /> : <ToChild id={id} index={index} />;
}

function OneJob({ route }: { readonly route: JobRoute }) {
  const { id } = route;
  const polled = usePolled(
    id,
    (signal) => readJob(id, signal),
    (job) => ("unreadable" in job ? undefined : pauseOf(job)),
  );
  const job = polled.value;
  const title = job && !("unreadable" in job) ? visible(`${job.name.slice(0, 80)}: ${job.state}`) : undefined;
  useEffect(() => {
    if (title !== undefined) document.title = `${title} · ACI Proxy`;
  }, [title]);
  if (job === undefined) {
    return (
      <>
        <div class="view-head">
          <h1>Job</h1>
        </div>
        {polled.error?.kind === "unknown" ? <p class="notice">{polled.error.message}</p> : <Trouble polled={polled} />}
        {polled.error === undefined && <p class="muted">Loading…</p>}
      </>
    );
  }
  if ("unreadable" in job) {
    return (
      <>
        <h1>{job.name ?? `Job …${shortId(id)}`}</h1>
        <p class="notice bad" role="alert">
          This job’s row can’t be read: {job.unreadable}
        </p>
      </>
    );
  }
  return (
    <>
      <div class="view-head">
        <div class="title">
          <h1>{job.name}</h1>
          <span role="status">
            <StateMark state={job.state} />
          </span>
        </div>
        <Freshness polled={polled} every="every 20 or 30 seconds until its group is gone" />
      </div>
      <Trouble polled={polled} />
      <Answered about={about(id)} />
      <p class="lead">{visible(job.message)}</p>
      <div class="buttons">
        <Actions job={job} onDone={polled.refresh} />
        {job.template !== undefined && !isActive(job.state) && opensAll() && may("submit") && (
          <a class="button" href={templateAddress(job.template)}>
            Run with other values
          </a>
        )}
        {job.array === undefined && (
          <button type="button" class="to-logs" onClick={toLogs}>
            Logs
          </button>
        )}
      </div>
      <Facts job={job} />
      {job.array !== undefined && <ArrayParts id={id} array={job.array} letter={route.show} />}
      <Section title="Timeline">
        <TimelineChart job={job} />
      </Section>
      {job.array === undefined && (
        <>
          <Section title="Containers">
            <Containers job={job} />
          </Section>
          <Logs job={job} route={route} onEnd={polled.refresh} />
        </>
      )}
      <Events job={job} />
      <Definition id={id} />
      <Options job={job} />
    </>
  );
}

function Actions({ job, onDone }: { readonly job: JobRecord; readonly onDone: () => void }) {
  const [asking, setAsking] = useState<"cancel" | "rerun">();
  const [isBusy, setBusy] = useState(false);
  const isOpen = isActive(job.state);
  // What an index of an array did is run again by its array.
  const isChild = job.arrayId !== undefined;
  if (isOpen ? !mayCancel(job.requestedBy) : isChild || !may("steer")) return null;
  const failed = job.array && job.array.runs - job.array.succeeded;
  const act = async (what: "cancel" | "rerun"): Promise<void> => {
    setAsking(undefined);
    setBusy(true);
    if (what === "cancel") {
      const answer = await cancelJob(job.id);
      tell(
        about(job.id),
        answer.ok ? { isGood: true, text: `Cancel: ${answer.value.message}.` } : notDone("Not canceled", answer.error),
      );
    } else {
      const answer = await rerunJob(job.id);
      tell(
        about(job.id),
        answer.ok
          ? { isGood: true, text: `Run again: ${answer.value.message}.`, next: newJob(answer.value.id) }
          : notDone("Not run again", answer.error),
      );
    }
    setBusy(false);
    onDone();
  };
  return (
    <>
      {isOpen && (
        <ActionButton look="danger" isBusy={isBusy || job.cancel !== undefined} onPress={() => setAsking("cancel")}>
          {job.cancel === undefined ? "Cancel" : "Being canceled"}
        </ActionButton>
      )}
      {!isOpen && (
        <ActionButton look="primary" isBusy={isBusy} onPress={() => setAsking("rerun")}>
          {failed ? `Rerun ${failed.toLocaleString("en-GB")} failed` : "Run again"}
        </ActionButton>
      )}
      {asking === "cancel" && isOpen && (
        <Ask
          title={`Cancel ${job.name}?`}
          text={
            job.array === undefined
              ? "Its containers are stopped and its container group is deleted. What it has written so far is kept."
              : "No further index begins, and those that run are canceled. What they have written so far is kept."
          }
          yes="Cancel this job"
          isDanger
          onYes={() => void act("cancel")}
          onNo={() => setAsking(undefined)}
        />
      )}
      {asking === "rerun" && (
        <Ask
          title={`Run ${job.name} again?`}
          text={`${
            failed
              ? "Those indexes run as a new array, with the same definition, options and items."
              : "The same definition and options run as a new job."
          } The caller of this job is not notified of the new one.`}
          yes="Run it again"
          onYes={() => void act("rerun")}
          onNo={() => setAsking(undefined)}
        />
      )}
    </>
  );
}

function Facts({ job }: { readonly job: JobRecord }) {
  const tags = tagTexts(job.tags);
  return (
    <dl class="facts card">
      <Fact name="Created">
        <Time at={job.createdAt} />
      </Fact>
      <Fact name="Started">
        <Time at={job.startedAt} />
      </Fact>
      <Fact name="Finished">
        <Time at={job.finishedAt} />
      </Fact>
      <Fact name="Run time">{duration(job.runSeconds)}</Fact>
      <Fact name="In all">{duration(job.durationSeconds)}</Fact>
      <Fact name="Exit code">
        {job.exitCode === undefined ? "–" : `${job.exitCode}${job.failedContainer ? ` of ${job.failedContainer}` : ""}`}
      </Fact>
      {job.reason !== undefined && (
        <Fact name={isActive(job.state) ? "Waits because" : "Reason"}>
          <a href={jobsAddress({ reason: job.reason })}>{job.reason}</a>
          {job.fault !== undefined && ` (${job.fault})`}
        </Fact>
      )}
      <Outlook job={job} />
      {job.stopping !== undefined && <Fact name="Stopping">{job.stopping.reason}</Fact>}
      {job.arrayId !== undefined && (
        <Fact name="Array">
          <a href={jobAddress(job.arrayId)}>…{shortId(job.arrayId)}</a>, index {job.arrayIndex}
        </Fact>
      )}
      <Fact name="Attempt">{String(job.attempt)}</Fact>
      <Fact name="Asks for">{`${job.cpu} vCPU, ${job.memoryGB} GB`}</Fact>
      <Fact name="Cost">{money(job.costEstimate, job.currency)}</Fact>
      <Fact name="Region">{job.location ?? "–"}</Fact>
      <Fact name="Container group">{`${job.groupName}${job.groupDeleted ? " (deleted)" : ""}`}</Fact>
      <Membership job={job} />
      {job.pipeline !== undefined && (
        <Fact name="Pipeline">
          <a href={jobsAddress({ pipeline: job.pipeline })}>{visible(job.pipeline)}</a>
          {job.activity !== undefined && ` / ${visible(job.activity)}`}
        </Fact>
      )}
      {job.pipelineRunId !== undefined && (
        <Fact name="Pipeline run">
          <a class="mono" href={jobsAddress({ runId: job.pipelineRunId })}>
            {visible(job.pipelineRunId)}
          </a>
        </Fact>
      )}
      {tags.length > 0 && <Fact name="Tags">{tags.join(", ")}</Fact>}
      {job.rerunOf !== undefined && (
        <Fact name="Runs again">
          <a href={jobAddress(job.rerunOf)}>…{shortId(job.rerunOf)}</a>
        </Fact>
      )}
      <Fact name="Job id">
        <span class="mono">{job.id}</span> <Copy text={job.id} what="the job id" />
      </Fact>
      <Fact name="Same name">
        <a href={jobsAddress({ name: job.name })}>All runs</a>
      </Fact>
    </dl>
  );
}

/** Its place in a wait queue, and when it is expected to start and to end. */
function Outlook({ job }: { readonly job: JobRecord }) {
  const place = job.queue === undefined ? job.waiting?.position : `${job.queue.position} of ${job.queue.of}`;
  return (
    <>
      {place !== undefined && <Fact name="Place in the queue">{String(place)}</Fact>}
      {job.expectedStartAt !== undefined && (
        <Fact name="Expected start">
          <Time at={job.expectedStartAt} />
        </Fact>
      )}
      {job.expectedEndAt !== undefined && (
        <Fact name="Expected end">
          <Time at={job.expectedEndAt} />
          {job.late && <span class="tone-bad"> late</span>}
        </Fact>
      )}
    </>
  );
}

/** The group of jobs that it belongs to, and the template that it is a run of. */
function Membership({ job: { group, priority = 0, template, templateVersion: version } }: { readonly job: JobRecord }) {
  const stored = version === undefined ? template : `${template ?? ""}, version ${version}`;
  return (
    <>
      {group !== undefined && (
        <Fact name="Group">
          <a href={jobsAddress({ group })}>{group}</a>
        </Fact>
      )}
      {priority !== 0 && <Fact name="Priority">{`${priority} s`}</Fact>}
      {template !== undefined && (
        <Fact name="Template">
          {opensAll() ? <a href={templateAddress(template, { version })}>{stored}</a> : stored}
        </Fact>
      )}
    </>
  );
}
