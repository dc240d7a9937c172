import type { JobRecord } from "../api.ts";
import { duration, visible } from "../logic/format.ts";
import { isActive } from "../logic/grouping.ts";
import { jobAddress } from "../logic/route.ts";
import { Section, Time } from "../parts/basics.tsx";
import { Table } from "../parts/table.tsx";
import { useNow } from "../polled.ts";
import { toLogs } from "./logs.tsx";

/** Tables of a job's view. */

/** Times of containers come without a zone; they are UTC. */
const utc = (time: string | null | undefined): string | undefined => (time ? `${time}Z` : undefined);

export function Containers({ job }: { readonly job: JobRecord }) {
  const now = useNow();
  const attempts = [
    ...job.attempts.filter(({ number }) => number !== job.attempt),
    { number: job.attempt, containers: job.containers },
  ];
  const many = attempts.length > 1;
  const columns = [...(many ? ["Attempt"] : []), "Container", "State", "Exit code", "Started", "Ran", "Log"];
  return (
    <Table label="Containers" columns={columns}>
      {attempts.flatMap(({ number, containers }) =>
        Object.entries<Container>(containers).map(([name, each]) => (
          <tr key={`${number} ${name}`}>
            {many && <td>{number}</td>}
            <th scope="row">
              {name}
              {each.init && <span class="tag">init</span>}
            </th>
            <td>
              {stateOf(each) ?? (isActive(job.state) ? "Not started" : "Not known")}
              {each.restart_count !== undefined && <span class="muted"> (restarted ×{each.restart_count})</span>}
            </td>
            <td class={each.exit_code ? "tone-bad" : ""}>{each.exit_code ?? "–"}</td>
            <td>
              <Time at={utc(each.start_time)} />
            </td>
            <td>{ran(each, now)}</td>
            <td>
              <a
                href={jobAddress(job.id, { container: name, attempt: number })}
                aria-label={`${each.log ?? "Open"}: log of ${name}${many ? `, attempt ${number}` : ""}`}
                onClick={toLogs}
              >
                {each.log ?? "Open"}
              </a>
            </td>
          </tr>
        )),
      )}
    </Table>
  );
}

type Container = JobRecord["containers"][string];

/** Azure's word for why it is so, beside a state that goes on. */
function stateOf({ state, detail_status: detail }: Container): string | undefined {
  const isOver = state === undefined || state === "Terminated";
  return isOver || !detail ? (detail ?? state) : `${state}: ${detail}`;
}

function ran({ start_time: from, finish_time: to, state }: Container, now: number): string {
  const end = to ? Date.parse(`${to}Z`) : state === "Running" ? now : undefined;
  return from && end !== undefined ? duration((end - Date.parse(`${from}Z`)) / 1000) : "–";
}

export function Events({ job }: { readonly job: JobRecord }) {
  const { azure, warnings, events, history } = job;
  return (
    <>
      {azure !== undefined && (
        <Section title="Azure’s own error">
          <dl class="facts">
            {Object.entries(azure).map(([name, value]) => (
              <div key={name} class={name === "message" ? "whole" : ""}>
                <dt>{name}</dt>
                <dd>{visible(String(value))}</dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
      {warnings.length > 0 && (
        <Section title="Warnings">
          <ul class="plain">
            {warnings.map(({ path, message }) => (
              <li key={path + message}>
                <code>{path}</code> {message}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {events.length > 0 && (
        <Section title="Events of the container group">
          <Table label="Events" columns={["Time", "Container", "Event", "Message"]}>
            {events.map((event, index) => (
              <tr key={index}>
                <td>
                  <Time at={event.at} />
                </td>
                <td>{event.container ?? "–"}</td>
                <td class={event.type === "Warning" ? "tone-bad" : ""}>
                  {event.name}
                  {event.count > 1 && ` ×${event.count}`}
                </td>
                <td class="words">{visible(event.message)}</td>
              </tr>
            ))}
          </Table>
        </Section>
      )}
      <details class="card">
        <summary>History ({history.length} steps)</summary>
        <ol class="plain">
          {history.map(({ at, to, reason, attempt }, index) => (
            <li key={index}>
              <Time at={at} /> <strong>{to}</strong>{" "}
              <span class="muted">{[reason, attempt > 1 ? `attempt ${attempt}` : ""].filter(Boolean).join(", ")}</span>
            </li>
          ))}
        </ol>
      </details>
    </>
  );
}

export function Options({ job: { options, apiVersion, images, via, requestedBy } }: { readonly job: JobRecord }) {
  const shown = Object.entries({
    apiVersion,
    images,
    via,
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...options,
  });
  return (
    <details class="card">
      <summary>Options</summary>
      <dl class="facts">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{visible(typeof value === "string" ? value : JSON.stringify(value))}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
