import { useState } from "preact/hooks";
import { listGroups, steerGroup, type Group } from "../api.ts";
import { duration, plural } from "../logic/format.ts";
import { jobAddress, jobsAddress, listAddress } from "../logic/route.ts";
import { Answered, notDone, tell } from "../parts/answers.tsx";
import { ActionButton, Ask, Freshness, Trouble } from "../parts/basics.tsx";
import { useNow, usePolled } from "../polled.ts";
import { may } from "../session.ts";

/** The groups of jobs: slots that are held, limits, who waits; and what an operator says of them. */

const second = 1000;
/** How many of those who wait a list has at most. */
const shownInList = 20;
/** The list is one storage read, and each group two: this keeps them at six a minute. */
const pauseOf = (count: number): number => Math.max(30, (1 + 2 * count) * 10) * second;

const about = ({ group }: Group): string => `group ${group}`;

export function Groups({ after }: { readonly after: string | undefined }) {
  const polled = usePolled(
    `groups ${after ?? ""}`,
    (signal) => listGroups(after, signal),
    ({ groups }) => pauseOf(groups.length),
  );
  const { groups = [], continuation } = polled.value ?? {};
  return (
    <>
      <div class="view-head">
        <h1>Groups</h1>
        <Freshness polled={polled} every={`every ${duration(pauseOf(groups.length) / second)}`} />
      </div>
      <Trouble polled={polled} />
      {polled.value && groups.length === 0 && (
        <p class="notice">No job holds a slot of a group: the option group=NAME puts jobs into one.</p>
      )}
      {groups.length > 0 && (
        <ul class="list card" aria-label="Groups">
          {groups.map((group) => (
            <GroupRow key={group.group} group={group} onDone={polled.refresh} />
          ))}
        </ul>
      )}
      {continuation !== undefined && (
        <p>
          <a href={listAddress("groups", continuation)}>The groups after these</a>
        </p>
      )}
    </>
  );
}

function GroupRow({ group, onDone }: { readonly group: Group; readonly onDone: () => void }) {
  const now = useNow(10 * second);
  const { group: name, held, limit, paused, slots, waiting, more } = group;
  const [first] = waiting;
  const leaked = slots.filter((slot) => slot.leaked).length;
  return (
    <li class="group">
      <Answered about={about(group)} />
      <div class="row-top">
        <strong>
          <a href={jobsAddress({ group: name })} title={name}>
            {name}
          </a>
        </strong>
        {paused && <span class="state wait">Paused</span>}
        <span class="push">
          <strong>{held}</strong> {limit === null ? "held" : `of ${limit} held`}
        </span>
      </div>
      <p class="muted">
        {first === undefined
          ? "Nobody waits."
          : `${plural(waiting.length, "job waits", more && waiting.length >= shownInList ? "or more jobs wait" : "jobs wait")}, the next for ${duration((now - Date.parse(first.since)) / 1000)}.`}
        {leaked > 0 && (
          <span class="tone-bad"> {plural(leaked, "slot")} held by a job that Azure does not confirm as stopped.</span>
        )}
      </p>
      {slots.length + waiting.length > 0 && (
        <details>
          <summary>Its jobs</summary>
          <ul class="plain">
            {slots.map(({ id, name: job, since, leaked: isLeaked }) => (
              <li key={id}>
                <a href={jobAddress(id)}>{job}</a>{" "}
                <span class="muted">
                  {isLeaked ? "ended, not confirmed as stopped; holds" : "holds"} a slot for{" "}
                  {duration((now - Date.parse(since)) / 1000)}
                </span>
              </li>
            ))}
            {waiting.map(({ id, name: job }, index) => (
              <li key={id}>
                <a href={jobAddress(id)}>{job}</a> <span class="muted">waits in place {index + 1}</span>
              </li>
            ))}
            {more && <li class="muted">And others: the link above lists all.</li>}
          </ul>
        </details>
      )}
      {may("operate") && <Steering group={group} onDone={onDone} />}
    </li>
  );
}

function Steering({ group, onDone }: { readonly group: Group; readonly onDone: () => void }) {
  const { group: name, limit, paused, held } = group;
  const [asking, setAsking] = useState<"limit" | "pause" | "resume">();
  const [isBusy, setBusy] = useState(false);
  const act = async (what: Parameters<typeof steerGroup>[1]): Promise<void> => {
    setAsking(undefined);
    setBusy(true);
    const answer = await steerGroup(name, what);
    setBusy(false);
    tell(
      about(group),
      answer.ok
        ? { isGood: true, text: `${said(answer.value)} ${plural(answer.value.held, "slot is", "slots are")} held.` }
        : notDone("Not changed", answer.error),
    );
    onDone();
  };
  const no = (): void => setAsking(undefined);
  return (
    <div class="buttons">
      <ActionButton look="small" isBusy={isBusy} onPress={() => setAsking("limit")}>
        Limit…
      </ActionButton>
      <ActionButton look="small" isBusy={isBusy} onPress={() => setAsking(paused ? "resume" : "pause")}>
        {paused ? "Resume…" : "Pause…"}
      </ActionButton>
      {asking === "limit" && (
        <Ask
          title={`Limit of ${name}`}
          text={`${plural(held, "slot is", "slots are")} held now. A lower limit stops no job: fewer begin. An empty field gives the limit back to the callers.`}
          yes="Set the limit"
          onYes={(form) => {
            const limit = Number(form.get("limit")); // the browser lets in a whole number from 1, or nothing
            void act({ limit: limit === 0 ? null : limit });
          }}
          onNo={no}
        >
          <label>
            Slots
            <input name="limit" type="number" min="1" max="10000" step="1" defaultValue={String(limit ?? "")} />
          </label>
        </Ask>
      )}
      {asking === "pause" && (
        <Ask
          title={`Pause ${name}?`}
          text="Nobody new gets a slot until somebody resumes it. Jobs that hold one go on."
          yes="Pause this group"
          onYes={() => void act({ paused: true })}
          onNo={no}
        />
      )}
      {asking === "resume" && (
        <Ask
          title={`Resume ${name}?`}
          text="Free slots go to the jobs that wait, the first of the line first."
          yes="Resume this group"
          onYes={() => void act({ paused: false })}
          onNo={no}
        />
      )}
    </div>
  );
}

const said = ({ group, limit, paused }: Group): string =>
  `${group}: ${limit === null ? "no limit of an operator" : `limit ${limit}`}${paused ? ", paused" : ""}.`;
