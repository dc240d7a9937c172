import { useState } from "preact/hooks";
import { readDefinition } from "../api.ts";
import { visible } from "../logic/format.ts";
import { Copy, Trouble } from "../parts/basics.tsx";
import { usePolled } from "../polled.ts";

/** What was submitted, with secrets masked; read when somebody wants to see it. */
export function Definition({ id }: { readonly id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Definition</summary>
      {isOpen && <Body id={id} />}
    </details>
  );
}

function Body({ id }: { readonly id: string }) {
  const polled = usePolled(
    id,
    (signal) => readDefinition(id, signal),
    () => undefined,
  );
  if (polled.error?.kind === "unknown") return <p class="muted">{polled.error.message}</p>;
  if (polled.value === undefined) return polled.error ? <Trouble polled={polled} /> : <p class="muted">Loading…</p>;
  const text = JSON.stringify(polled.value.definition, null, 2);
  return (
    <>
      <p class="muted">
        *** stands for what is or may be a secret. <Copy text={text} what="the definition" />
      </p>
      <pre class="log wrap" tabIndex={0} role="region" aria-label="Definition, JSON">
        {visible(text)}
      </pre>
    </>
  );
}
