import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { go, replace } from "../address.ts";
import { readIndex, type IndexRead, type JobRecord } from "../api.ts";
import { countsOf, indexesOf, outcomeOf, outcomes } from "../logic/array.ts";
import { duration, plural, visible } from "../logic/format.ts";
import { indexAddress, jobAddress } from "../logic/route.ts";
import { Fact, Section, signOf, Time, toneOf } from "../parts/basics.tsx";
import { Cells } from "../parts/cells.tsx";
import { Table } from "../parts/table.tsx";
import { usePolled } from "../polled.ts";

/** An array: its counts, a grid of cells with one for each index, what became of the one that is looked at, and the first failures. */

type Counted = NonNullable<JobRecord["array"]>;

export function ArrayParts({
  id,
  array,
  letter,
}: {
  readonly id: string;
  readonly array: Counted;
  /** Whose cells alone are shown. */
  readonly letter: string | undefined;
}) {
  const { ends } = array;
  const setLetter = (show: string | undefined): void => replace(jobAddress(id, { show }));
  const [picked, setPicked] = useState<number>();
  const counts = countsOf(ends);
  // The last one of a kind may end while only its kind is shown.
  const shown = counts.some(([each]) => each.letter === letter) ? letter : undefined;
  const indexes = indexesOf(ends, shown);
  return (
    <>
      <Section title="Indexes" aside={<span class="muted">{`at most ${array.parallelism} at once`}</span>}>
        <div class="chips" role="group" aria-label="Show">
          <Choice isOn={shown === undefined} onClick={() => setLetter(undefined)}>
            All {array.size.toLocaleString("en-GB")}
          </Choice>
          {counts.map(([each, count]) => (
            <Choice key={each.letter} isOn={shown === each.letter} onClick={() => setLetter(each.letter)}>
              <span aria-hidden="true" class={`sign tone-${toneOf(each.state)}`}>
                {signOf(each.state)}
              </span>{" "}
              {each.label} {count.toLocaleString("en-GB")}
            </Choice>
          ))}
        </div>
        <Cells
          ends={ends}
          indexes={indexes}
          onPick={setPicked}
          onOpen={(index) => {
            if (hasChild(ends[index])) go(indexAddress(id, index));
          }}
        />
        <div class="picked" role="status">
          {picked === undefined ? (
            <p class="muted">
              Point at a cell, or go there with the arrow keys; Enter or a double click opens its job.
            </p>
          ) : (
            <Picked id={id} index={picked} letter={ends[picked]} />
          )}
        </div>
      </Section>
      <Failures id={id} array={array} />
    </>
  );
}

/** Whether an index has a job of its own. */
const hasChild = (letter: string | undefined): boolean =>
  outcomes.some((each) => each.letter === letter && /[A-Z]/.test(letter));

function Choice({
  isOn,
  onClick,
  children,
}: {
  readonly isOn: boolean;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
}) {
  return (
    <button type="button" class="chip" aria-pressed={isOn} onClick={onClick}>
      {children}
    </button>
  );
}

/** Pointing at a cell in passing asks the service nothing. */
const settled = 250;

function Picked({
  id,
  index,
  letter,
}: {
  readonly id: string;
  readonly index: number;
  readonly letter: string | undefined;
}) {
  const [looked, setLooked] = useState<number>();
  useEffect(() => {
    const timer = setTimeout(() => setLooked(index), settled);
    return () => clearTimeout(timer);
  }, [index]);
  const { state, label } = outcomeOf(letter);
  return (
    <>
      <p>
        <strong>Index {index}</strong>{" "}
        <span class={`tone-${toneOf(state)}`}>
          <span aria-hidden="true">{signOf(state)}</span> {label}
        </span>{" "}
        {hasChild(letter) && <a href={indexAddress(id, index)}>Open its job</a>}
      </p>
      {looked === index && hasChild(letter) && <Looked key={`${index} ${letter ?? ""}`} id={id} index={index} />}
    </>
  );
}

/** The array itself shows what becomes of an index that has a job. */
const whileNothing = (value: IndexRead | "nothing"): number | undefined => (value === "nothing" ? 60_000 : undefined);

function Looked({ id, index }: { readonly id: string; readonly index: number }) {
  const { value, error } = usePolled(`${id} ${index}`, (signal) => readIndex(id, index, signal), whileNothing);
  if (value === undefined) return <p class="muted">{error?.message ?? "Loading…"}</p>;
  if (value === "nothing") return <p class="muted">It has no job yet.</p>;
  const { item, job } = value;
  return (
    <dl class="facts">
      {item !== undefined && <Fact name="Item">{visible(typeof item === "string" ? item : JSON.stringify(item))}</Fact>}
      {job.reason !== undefined && <Fact name="Reason">{job.reason}</Fact>}
      {job.exitCode !== undefined && <Fact name="Exit code">{String(job.exitCode)}</Fact>}
      <Fact name="Waited">{duration(job.queueSeconds)}</Fact>
      <Fact name="Ran">{duration(job.runSeconds)}</Fact>
      <Fact name="Finished">
        <Time at={job.finishedAt} />
      </Fact>
    </dl>
  );
}

/** The service lists this many. */
const listed = 20;

function Failures({ id, array: { failures } }: { readonly id: string; readonly array: Counted }) {
  const { length } = failures;
  if (length === 0) return null;
  return (
    <Section title={length < listed ? plural(length, "failure") : `First ${length} failures`}>
      <Table label="Failures" columns={["Index", "State", "Reason", "Exit code"]}>
        {failures.map(({ index, state, reason, exitCode }) => (
          <tr key={index}>
            <th scope="row">
              <a href={indexAddress(id, index)}>#{index}</a>
            </th>
            <td class={`tone-${toneOf(state)}`}>{state}</td>
            <td>{reason}</td>
            <td>{exitCode ?? "–"}</td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

/** `#/job/ARRAY?index=7` leads to the job of that index. */
export function ToChild({ id, index }: { readonly id: string; readonly index: number }) {
  const { value, error } = usePolled(`child ${id} ${index}`, (signal) => readIndex(id, index, signal), whileNothing);
  useEffect(() => {
    if (value !== undefined && value !== "nothing") replace(jobAddress(value.job.id));
  }, [value]);
  return (
    <>
      <h1>Index {index}</h1>
      <p class={error ? "notice" : "muted"}>
        {error?.message ?? (value === "nothing" ? "This index has no job yet." : "Loading…")}{" "}
        <a href={jobAddress(id)}>To the array</a>
      </p>
    </>
  );
}
