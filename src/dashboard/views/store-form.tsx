import { useState } from "preact/hooks";
import { go } from "../address.ts";
import { storeTemplate, type Failure } from "../api.ts";
import { templateAddress } from "../logic/route.ts";
import { aboutTemplate, tell } from "../parts/answers.tsx";

/** Stores a new version of a template, or a new template. Nothing is stored over what somebody else stored meanwhile. */
interface Edited {
  /** `undefined`: the reader gives it a name. */
  readonly name?: string;
  readonly text: string;
  /** 0: there is none. */
  readonly newest: number;
}

export function StoreForm({ summary, ...edited }: Edited & { readonly summary: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && <Form {...edited} />}
    </details>
  );
}

function Form(edited: Edited) {
  // What it was when the reader began: a version that somebody stores meanwhile neither changes the text nor is taken for known.
  const [{ name: known, text, newest }] = useState(edited);
  const [isBusy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Failure>();
  const store = async (form: HTMLFormElement): Promise<void> => {
    if (isBusy) return;
    const written = new FormData(form);
    const of = (field: string): string => {
      const value = written.get(field);
      return typeof value === "string" ? value : "";
    };
    const name = known ?? of("name").trim();
    setBusy(true);
    const answer = await storeTemplate(name, of("text"), newest);
    setBusy(false);
    setRefused(answer.ok ? undefined : answer.error);
    if (!answer.ok) return;
    const warnings = (answer.value.warnings ?? []).map(({ line, message }) => ` Line ${line}: ${message}`);
    tell(aboutTemplate(name), { isGood: true, text: answer.value.message + warnings.join("") });
    go(templateAddress(name, { version: answer.value.version, ...(newest > 0 ? { against: newest } : {}) }));
  };
  return (
    <form
      class="store"
      onSubmit={(event) => {
        event.preventDefault();
        void store(event.currentTarget);
      }}
    >
      {known === undefined && (
        <label>
          Name
          <input
            name="name"
            required
            pattern="[A-Za-z0-9]([\w.\-]{0,62}[A-Za-z0-9])?"
            title="1 to 64 letters, digits and . _ -"
            autocomplete="off"
            spellcheck={false}
          />
        </label>
      )}
      <div>
        <label for="store-text">Definition with parameters, YAML or JSON</label>
        <textarea id="store-text" name="text" class="mono" rows={16} required spellcheck={false} defaultValue={text} />
      </div>
      {refused && (
        <div class="notice bad" role="alert">
          <strong>{refused.kind === "away" ? "It may not be stored." : "It is not stored."}</strong> {refused.message}
          <ul class="plain">
            {refused.faults?.map(({ path, line, column, message }) => (
              <li key={`${line} ${column} ${message}`}>
                Line {line}, column {column}: {path && <code>{path}</code>} {message}
              </li>
            ))}
          </ul>
        </div>
      )}
      <p class="muted">Who names this template and no version runs the new one from then on.</p>
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {newest === 0 ? "Store it" : "Store a new version"}
        </button>
      </div>
    </form>
  );
}
