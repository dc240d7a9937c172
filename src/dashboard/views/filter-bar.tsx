import { useLayoutEffect, useRef } from "preact/hooks";
import { go } from "../address.ts";
import { failedStates, waitingStates } from "../logic/grouping.ts";
import { filterLabels, filterNames, jobsAddress, type FilterName, type Filters } from "../logic/route.ts";

/** What is shown; each change is another address. */

const states: readonly (readonly [value: string, label: string])[] = [
  ["", "Any state"],
  ["active", "Active"],
  ["Running", "Running"],
  [waitingStates, "Waiting"],
  ["Succeeded", "Succeeded"],
  [failedStates, "Failed"],
  ["Canceled", "Canceled"],
];
const times: readonly (readonly [value: string, label: string])[] = [
  ["", "Any time"],
  ["PT1H", "Last hour"],
  ["PT12H", "Last 12 hours"],
  ["P1D", "Last 24 hours"],
  ["P7D", "Last 7 days"],
  ["P30D", "Last 30 days"],
];
const basic: readonly FilterName[] = ["state", "name", "pipeline", "since"];
const further = filterNames.filter((name) => !basic.includes(name));

const hints: Partial<Record<FilterName, string>> = {
  tag: "KEY or KEY=VALUE",
  until: "2026-11-24T06:00Z, or PT6H ago",
  via: "http, queue or rerun",
};

export function FilterBar({ filters, isByRun }: { readonly filters: Filters; readonly isByRun: boolean }) {
  const form = useRef<HTMLFormElement>(null);
  // The address is the truth: what was typed and not sent gives way when it changes. The fields stay, and with them the focus.
  useLayoutEffect(() => {
    for (const name of filterNames) {
      const field = form.current?.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = filters[name] ?? "";
    }
  }, [JSON.stringify(filters)]);
  const apply = (): void => {
    if (!form.current) return;
    const next: Partial<Record<FilterName, string>> = {};
    const values = new FormData(form.current);
    for (const name of filterNames) {
      const value = values.get(name);
      if (typeof value === "string" && value.trim() !== "") next[name] = value.trim();
    }
    go(jobsAddress(next, isByRun));
  };
  return (
    <form
      ref={form}
      class="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <Choice name="state" options={states} value={filters.state} onChange={apply} />
      <Field name="name" value={filters.name} />
      <Field name="pipeline" value={filters.pipeline} />
      <Choice name="since" options={times} value={filters.since} onChange={apply} />
      <label class="check">
        <input type="checkbox" checked={isByRun} onChange={() => go(jobsAddress(filters, !isByRun))} />
        By pipeline run
      </label>
      <button type="submit">Show</button>
      <details open={further.some((name) => filters[name] !== undefined)}>
        <summary>More filters</summary>
        <div class="more">
          {further.map((name) => (
            <Field key={name} name={name} value={filters[name]} />
          ))}
        </div>
      </details>
    </form>
  );
}

function Field({ name, value }: { readonly name: FilterName; readonly value: string | undefined }) {
  return (
    <label>
      {filterLabels[name]}
      <input
        name={name}
        defaultValue={value ?? ""}
        placeholder={hints[name] ?? ""}
        autocomplete="off"
        spellcheck={false}
      />
    </label>
  );
}

function Choice({
  name,
  options,
  value = "",
  onChange,
}: {
  readonly name: FilterName;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly value: string | undefined;
  readonly onChange: () => void;
}) {
  const all = options.some(([known]) => known === value) ? options : [...options, [value, value] as const];
  return (
    <label>
      {filterLabels[name]}
      <select name={name} onChange={onChange}>
        {all.map(([each, label]) => (
          <option key={each} value={each} selected={each === value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
