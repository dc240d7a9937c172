import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { runTemplate, type Failure, type Parameter, type Template } from "../api.ts";
import { choicesOf, defaultText, fieldOf, readFields, type Faults } from "../logic/parameters.ts";
import { jobAddress } from "../logic/route.ts";
import { aboutTemplate, newJob, tell } from "../parts/answers.tsx";
import { ActionButton, Section } from "../parts/basics.tsx";
import { may } from "../session.ts";

/** Runs a template with what is written in its fields. Nothing of it is kept; a secret leaves the page with the run. */

/** A form's own members have names as parameters may have them. */
const fieldName = (parameter: string): string => `p-${parameter}`;

/** 128 random bits; `crypto.randomUUID` wants https. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

export function RunForm({ template }: { readonly template: Template }) {
  const { name, version, parameters, allow } = template;
  const form = useRef<HTMLFormElement>(null);
  const key = useRef(newKey());
  const [isBusy, setBusy] = useState(false);
  const [faults, setFaults] = useState<Faults>(new Map());
  const [refused, setRefused] = useState<Failure>();

  const show = (next: Faults): void => {
    setFaults(next);
    const first = Object.keys(parameters).find((each) => next.has(each));
    const field = first === undefined ? undefined : form.current?.elements.namedItem(fieldName(first));
    if (field instanceof HTMLElement) field.focus();
  };

  const mayWait = may("steer") || allow.includes("onConflict");

  const run = async (options?: { readonly onConflict: "wait" }): Promise<void> => {
    if (isBusy) return;
    const written = new FormData(form.current ?? undefined);
    const read = readFields(parameters, (each) => written.getAll(fieldName(each)).map(String));
    setRefused(undefined);
    show(read.ok ? new Map() : read.faults);
    if (!read.ok) return;
    setBusy(true);
    const answer = await runTemplate({ name, version }, { parameters: read.values, options }, key.current);
    setBusy(false);
    if (answer.ok) {
      const { id, message } = answer.value;
      tell(aboutTemplate(name), { isGood: true, text: `${message}.`, next: newJob(id) });
      for (const field of form.current?.querySelectorAll<HTMLInputElement>("[data-secret]") ?? []) field.value = "";
      scrollTo(0, 0);
    } else {
      setRefused(answer.error);
      show(faultsOf(answer.error, parameters));
    }
    // Whether a run whose answer was lost has begun is not known: the same key again begins no second one.
    if (answer.ok || answer.error.kind !== "away") key.current = newKey();
  };

  return (
    <Section title="Run it">
      <form
        ref={form}
        class="run"
        noValidate
        onInput={() => (key.current = newKey())}
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        {Object.entries(parameters).map(([each, parameter]) => (
          <Field key={each} name={each} parameter={parameter} fault={faults.get(each)} />
        ))}
        {refused && (
          <Refused failure={refused} parameters={parameters}>
            {refused.nameHeldBy !== undefined && mayWait && (
              <ActionButton isBusy={isBusy} onPress={() => void run({ onConflict: "wait" })}>
                Run once that job has ended
              </ActionButton>
            )}
          </Refused>
        )}
        <div class="buttons">
          <button type="submit" class="primary" aria-disabled={isBusy}>
            {isBusy ? "Sending…" : `Run version ${version}`}
          </button>
        </div>
      </form>
    </Section>
  );
}

/** What the service says of each parameter. */
function faultsOf({ faults = [] }: Failure, parameters: Template["parameters"]): Faults {
  const found = new Map<string, string>();
  for (const { path, message } of faults) {
    const name = parameterAt(path, parameters);
    if (name !== undefined && !found.has(name)) found.set(name, message);
  }
  return found;
}

const parameterAt = (path: string, parameters: Template["parameters"]): string | undefined => {
  const name = path.replace(/^parameters\./, "");
  return name !== path && Object.hasOwn(parameters, name) ? name : undefined;
};

interface RefusedOf {
  readonly failure: Failure;
  readonly parameters: Template["parameters"];
  /** What else can be done. */
  readonly children: ComponentChildren;
}

/** What was refused, but for what stands at the fields. */
function Refused({ failure, parameters, children }: RefusedOf) {
  const { faults = [], message, nameHeldBy, kind } = failure;
  const others = faults.filter(({ path }) => parameterAt(path, parameters) === undefined);
  return (
    <div class="notice bad" role="alert">
      <strong>{kind === "away" ? "It may not have begun." : "It does not run."}</strong> {message}{" "}
      {kind === "away" && "Run again with the same values begins no second job."}{" "}
      {nameHeldBy !== undefined && <a href={jobAddress(nameHeldBy)}>Open that job</a>}
      {others.length > 0 && (
        <ul class="plain">
          {others.map(({ path, line, message: what }) => (
            <li key={path + what}>
              <code>{path || `line ${line}`}</code> {what}
            </li>
          ))}
        </ul>
      )}
      {children}
    </div>
  );
}

interface FieldOf {
  readonly name: string;
  readonly parameter: Parameter;
  readonly fault: string | undefined;
}

function Field({ name, parameter, fault }: FieldOf) {
  const { description, pattern, required, secret, type } = parameter;
  const kind = fieldOf(parameter);
  const [hintId, faultId] = [`hint-${name}`, `fault-${name}`];
  const hints = [
    description,
    pattern === undefined ? undefined : `must match ${pattern}`,
    kind === "lines" ? "one item a line" : undefined,
    secret ? "secret: it is not kept" : undefined,
  ];
  const hint = hints.filter(Boolean).join(" · ");
  const marks = {
    name: fieldName(name),
    "aria-describedby": [hint && hintId, fault && faultId].filter(Boolean).join(" ") || undefined,
    "aria-invalid": fault !== undefined,
    ...(secret ? { "data-secret": true } : {}),
  };
  const text = { autocomplete: "off", autocapitalize: "off", spellcheck: false, ...marks } as const;
  const label = (
    <span>
      {name}
      {required && <span class="needed"> needed</span>}
    </span>
  );
  const more = (
    <>
      {hint !== "" && (
        <p id={hintId} class="muted">
          {hint}
        </p>
      )}
      {fault !== undefined && (
        <p id={faultId} class="error">
          {fault}
        </p>
      )}
    </>
  );
  if (kind === "choices") {
    const chosen: unknown = parameter.default ?? [];
    return (
      <fieldset aria-describedby={marks["aria-describedby"]}>
        <legend>{label}</legend>
        {choicesOf(parameter).map((choice) => (
          <label key={choice} class="check">
            <input
              type="checkbox"
              name={marks.name}
              value={choice}
              defaultChecked={Array.isArray(chosen) && chosen.includes(choice)}
            />
            {choice}
          </label>
        ))}
        {more}
      </fieldset>
    );
  }
  return (
    <div>
      <label>
        {label}
        {kind === "choice" && (
          <select {...marks}>
            {required && <option value="">Choose…</option>}
            {choicesOf(parameter).map((choice) => (
              <option key={choice} value={choice} selected={choice === defaultText(parameter)}>
                {choice}
              </option>
            ))}
          </select>
        )}
        {kind === "lines" && (
          <textarea {...text} class={secret ? "masked" : ""} rows={3} defaultValue={defaultText(parameter)} />
        )}
        {kind === "secret" && <input {...text} type="password" />}
        {kind === "text" && (
          <input {...text} inputMode={type === "number" ? "decimal" : "text"} defaultValue={defaultText(parameter)} />
        )}
      </label>
      {more}
    </div>
  );
}
