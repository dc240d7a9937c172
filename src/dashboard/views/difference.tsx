import { useMemo } from "preact/hooks";
import { go } from "../address.ts";
import type { Template } from "../api.ts";
import { plural, visible } from "../logic/format.ts";
import { differenceOf } from "../logic/difference.ts";
import { templateAddress } from "../logic/route.ts";
import { Section } from "../parts/basics.tsx";

/** What changed between two versions of a template. */

const signs = { added: "+", removed: "−", same: " " } as const;

export function Difference({
  before,
  after,
  versions,
}: {
  readonly before: Template;
  readonly after: Template;
  readonly versions: readonly number[];
}) {
  const lines = useMemo(() => differenceOf(before.definition, after.definition), [before.definition, after.definition]);
  const { name } = after;
  const choice = (label: string, chosen: number, addressOf: (version: number) => string) => (
    <label>
      {label}
      <select onChange={(event) => go(addressOf(Number(event.currentTarget.value)))}>
        {versions.map((version) => (
          <option key={version} value={version} selected={version === chosen}>
            Version {version}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Section title="Difference">
      <div class="log-bar">
        {choice("From", before.version, (against) => templateAddress(name, { version: after.version, against }))}
        {choice("To", after.version, (version) => templateAddress(name, { version, against: before.version }))}
        <a class="hits" href={templateAddress(name, { version: after.version })}>
          Close
        </a>
      </div>
      {lines === undefined && <p class="notice">The two differ too much to be compared line by line.</p>}
      {lines?.length === 0 && <p class="muted">The two are equal.</p>}
      {lines !== undefined && lines.length > 0 && (
        <div class="log wrap difference" tabIndex={0} role="region" aria-label="Difference, line by line">
          {lines.map((line, index) =>
            line.kind === "skipped" ? (
              <div key={index} class="muted">
                … {plural(line.count, "equal line")}
              </div>
            ) : (
              <div key={index} class={line.kind}>
                <span aria-hidden={line.kind === "same"}>{signs[line.kind]}</span> {visible(line.text)}
              </div>
            ),
          )}
        </div>
      )}
    </Section>
  );
}
