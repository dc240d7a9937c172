import { useState } from "preact/hooks";
import { readLog, type JobRecord } from "../api.ts";
import { ActionButton } from "../parts/basics.tsx";

/** The whole log as a file. */
export function Download({
  job,
  container,
  attempt,
}: {
  readonly job: JobRecord;
  readonly container: string | undefined;
  readonly attempt: number | undefined;
}) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const save = async (): Promise<void> => {
    setBusy(true);
    setError("");
    const parts: string[] = [];
    const answer = await readLog(
      { id: job.id, container, attempt, follow: false },
      AbortSignal.timeout(120_000),
      (text) => parts.push(text),
    );
    if (answer.ok) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(parts, { type: "text/plain" }));
      link.download = `${[job.name, container, attempt === undefined ? "" : `attempt-${attempt}`, job.id.slice(-6)].filter(Boolean).join("-")}.log`;
      link.click();
      URL.revokeObjectURL(link.href);
    } else setError(`Not downloaded: ${answer.error.message}`);
    setBusy(false);
  };
  return (
    <>
      <ActionButton isBusy={isBusy} onPress={() => void save()}>
        {isBusy ? "Reading…" : "Download"}
      </ActionButton>
      <span role="status" class="error">
        {error}
      </span>
    </>
  );
}
