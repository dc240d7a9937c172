import type { JobRecord } from "../api.ts";
import { duration } from "../logic/format.ts";
import { isActive } from "../logic/grouping.ts";
import { jobAddress } from "../logic/route.ts";
import { Section, Time } from "../parts/basics.tsx";

/** Tables of a job's view. */

/** Times of containers come without a zone; they are UTC. */
const utc = (time: string | null | undefined): string | undefined => (time ? `${time}Z` : undefined);

export function Containers({ job }: { readonly job: JobRecord }) {
  const attempts = [
    ...job.attempts.filter(({ number }) => number !== job.attempt),
    { number: job.attempt, containers: job.containers },
  ];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Containers, table">
      <table>
        <thead>
          <tr>
            {attempts.length > 1 && <th scope="col">Attempt</th>}
            <th scope="col">Container</th>
            <th scope="col">State</th>
            <th scope="col">Exit code</th>
            <th scope="col">Started</th>
            <th scope="col">Ran</th>
            <th scope="col">Log</th>
          </tr>
        </thead>
        <tbody>
          {attempts.flatMap(({ number, containers }) =>
            Object.entries<JobRecord["containers"][string]>(containers).map(([name, each]) => (
              <tr key={`${number} ${name}`}>
                {attempts.length > 1 && <td>{number}</td>}
                <th scope="row">
                  {name}
                  {each.init && <span class="tag">init</span>}
                </th>
                <td>{each.detail_status ?? each.state ?? (isActive(job.state) ? job.state : "Not known")}</td>
                <td class={each.exit_code ? "tone-bad" : ""}>{each.exit_code ?? "–"}</td>
                <td>
                  <Time at={utc(each.start_time)} />
                </td>
                <td>{ran(each.start_time, each.finish_time)}</td>
                <td>
                  <a href={jobAddress(job.id, { container: name, attempt: number })}>{each.log ?? "Open"}</a>
                </td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}

function ran(from: string | null | undefined, to: string | null | undefined): string {
  return from && to ? duration((Date.parse(`${to}Z`) - Date.parse(`${from}Z`)) / 1000) : "–";
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
                <dd>{String(value)}</dd>
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
          <div class="scroll" tabIndex={0} role="region" aria-label="Events, table">
            <table>
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col">Container</th>
                  <th scope="col">Event</th>
                  <th scope="col">Message</th>
                </tr>
              </thead>
              <tbody>
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
                    <td class="words">{event.message}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
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
      <summary>Definition and options</summary>
      <dl class="facts">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
