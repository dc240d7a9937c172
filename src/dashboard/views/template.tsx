import { useState } from "preact/hooks";
import { go } from "../address.ts";
import { deleteTemplate, readTemplate, type Answer, type Parameter, type Template } from "../api.ts";
import { visible } from "../logic/format.ts";
import { defaultText } from "../logic/parameters.ts";
import { jobsAddress, templateAddress, type TemplateRoute } from "../logic/route.ts";
import { aboutTemplate, Answered, notDone, tell } from "../parts/answers.tsx";
import { Ask, Copy, Freshness, Section, Time, Trouble } from "../parts/basics.tsx";
import { Table } from "../parts/table.tsx";
import { usePolled } from "../polled.ts";
import { may } from "../session.ts";
import { Difference } from "./difference.tsx";
import { RunForm } from "./run-form.tsx";
import { StoreForm } from "./store-form.tsx";

/** One template: a form that runs it, its parameters, its versions and what changed between two of them, its text. */

interface Shown {
  readonly newest: Template;
  readonly shown: Template;
  readonly against: Template | undefined;
}

/** The newest has the list of versions; another version never changes, and is read once. */
async function read(
  { name, version, against }: TemplateRoute,
  signal: AbortSignal,
  last: Shown | undefined,
): Promise<Answer<Shown>> {
  const newest = await readTemplate(name, undefined, signal);
  if (!newest.ok) return newest;
  const one = async (wanted: number | undefined, known: Template | undefined): Promise<Answer<Template>> =>
    wanted === undefined || wanted === newest.value.version
      ? newest
      : known?.version === wanted
        ? { ok: true, value: known }
        : readTemplate(name, wanted, signal);
  const [shown, old] = await Promise.all([one(version, last?.shown), one(against, last?.against)]);
  if (!shown.ok) return shown;
  if (!old.ok) return old;
  return {
    ok: true,
    value: { newest: newest.value, shown: shown.value, against: against === undefined ? undefined : old.value },
  };
}

export function TemplateView({ route }: { readonly route: TemplateRoute }) {
  const { name, version, against } = route;
  const polled = usePolled(
    `${name} ${version ?? ""} ${against ?? ""}`,
    (signal, last: Shown | undefined) => read(route, signal, last),
    60_000,
  );
  const { value } = polled;
  if (value === undefined)
    return (
      <>
        <div class="view-head">
          <h1>{name}</h1>
        </div>
        <Answered about={aboutTemplate(name)} />
        {polled.error?.kind === "unknown" ? (
          <p class="notice">
            {polled.error.message} {version !== undefined && <a href={templateAddress(name)}>The newest version</a>}
          </p>
        ) : (
          <Trouble polled={polled} />
        )}
        {polled.error === undefined && <p class="muted">Loading…</p>}
      </>
    );
  const { newest, shown } = value;
  return (
    <>
      <div class="view-head">
        <div class="title">
          <h1>{shown.name}</h1>
          <span class="tag">version {shown.version}</span>
        </div>
        <Freshness polled={polled} every="every minute" />
      </div>
      <Trouble polled={polled} />
      <Answered about={aboutTemplate(name)} />
      {shown.version !== newest.version && (
        <p class="notice">
          This is an older version. <a href={templateAddress(name)}>The newest is version {newest.version}</a>
        </p>
      )}
      {value.against && <Difference before={value.against} after={shown} versions={versionsOf(newest)} />}
      {may("submit") && <RunForm template={shown} />}
      <Parameters parameters={shown.parameters} />
      <Versions newest={newest} />
      <Text text={shown.definition} />
      {may("operate") && (
        <StoreForm
          summary={`Edit version ${shown.version}`}
          name={shown.name}
          text={shown.definition}
          newest={newest.version}
        />
      )}
      <div class="buttons">
        <a class="button" href={jobsAddress({ template: shown.name })}>
          Its jobs
        </a>
        <Delete name={shown.name} />
      </div>
    </>
  );
}

const versionsOf = ({ versions = [] }: Template): readonly number[] => versions.map(({ version }) => version);

function Parameters({ parameters }: { readonly parameters: Template["parameters"] }) {
  const all = Object.entries(parameters);
  return (
    <Section title="Parameters">
      {all.length === 0 ? (
        <p class="muted">It has no parameters.</p>
      ) : (
        <Table label="Parameters" columns={["Name", "Type", "Default", "Allowed", "Description"]}>
          {all.map(([name, parameter]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{parameter.secret ? `secret ${parameter.type}` : parameter.type}</td>
              <td>
                <Default parameter={parameter} />
              </td>
              <td class="words">
                <Allowed parameter={parameter} />
              </td>
              <td class="words">{parameter.description ?? ""}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}

function Default({ parameter }: { readonly parameter: Parameter }) {
  if (parameter.required) return <>must be given</>;
  const text = defaultText(parameter);
  return text === "" ? <span class="muted">empty</span> : <code class="lines">{text}</code>;
}

function Allowed({ parameter: { values, pattern } }: { readonly parameter: Parameter }) {
  if (values !== undefined) return <>{values.join(", ")}</>;
  return pattern === undefined ? <>any</> : <code>{pattern}</code>;
}

function Versions({ newest }: { readonly newest: Template }) {
  const { name, versions = [] } = newest;
  return (
    <Section title="Versions">
      <Table label="Versions" columns={["Version", "Difference", "Stored", "By"]}>
        {versions.map(({ version, createdAt, createdBy }, index) => {
          const before = versions[index + 1]?.version;
          return (
            <tr key={version}>
              <th scope="row">
                <a href={templateAddress(name, { version })}>{version}</a>
              </th>
              <td>
                {before === undefined ? (
                  "–"
                ) : (
                  <a href={templateAddress(name, { version, against: before })}>from version {before}</a>
                )}
              </td>
              <td>
                <Time at={createdAt} />
              </td>
              <td>{createdBy ?? "–"}</td>
            </tr>
          );
        })}
      </Table>
    </Section>
  );
}

function Text({ text }: { readonly text: string }) {
  return (
    <details class="card">
      <summary>Definition</summary>
      <p class="muted">
        As it was stored. <Copy text={text} what="the definition" />
      </p>
      <pre class="log wrap" tabIndex={0} role="region" aria-label="Definition">
        {visible(text)}
      </pre>
    </details>
  );
}

function Delete({ name }: { readonly name: string }) {
  const [isAsking, setAsking] = useState(false);
  if (!may("operate")) return null;
  const remove = async (): Promise<void> => {
    setAsking(false);
    const answer = await deleteTemplate(name);
    if (answer.ok) {
      tell("templates", { isGood: true, text: answer.value.message });
      go("#/templates");
    } else tell(aboutTemplate(name), notDone("Not deleted", answer.error));
  };
  return (
    <>
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        Delete…
      </button>
      {isAsking && (
        <Ask
          title={`Delete template ${name}?`}
          text="All its versions go, and pipelines that name it fail from now on. Jobs that were accepted go on."
          yes="Delete this template"
          isDanger
          onYes={() => void remove()}
          onNo={() => setAsking(false)}
        />
      )}
    </>
  );
}
