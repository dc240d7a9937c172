import { Unavailable } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { sealedArrayText, sealedText } from "../security/sealed-definition.ts";
import type { Sealer } from "../security/sealer.ts";
import type { Sealed } from "../store/job-row.ts";
import type { Checked, Submission } from "./submission.ts";

/** Sealing what a job brings, before its row is written. */
interface SealDeps {
  readonly sealer: Sealer;
}

/** A definition larger than this lies in a blob: an entity's binary property holds 64 KiB. */
const maxInline = 48 * 1024;
export const nothingSealed: Sealed = { definition: undefined, callbacks: undefined };

/** Sealed bytes, and those of a definition that is too large to lie in the row. */
interface SealedSubmission extends Sealed {
  readonly large: Uint8Array | undefined;
}

/** @throws Unavailable when the sealing key can't be reached */
export async function seal(
  { sealer }: SealDeps,
  { definition, array, callBackUri, sent }: Checked,
  id: JobId,
): Promise<SealedSubmission> {
  const text = array === undefined ? sealedText(definition, sent, id) : sealedArrayText(array, sent, id);
  const bytes = await sealer.seal(text, id);
  const callbacks = callBackUri === undefined ? undefined : await sealer.seal(JSON.stringify([callBackUri]), id);
  return bytes.length > maxInline
    ? { definition: "blob", callbacks, large: bytes }
    : { definition: bytes, callbacks, large: undefined };
}

/** A posted job may stand without its definition, which its message keeps. A caller by HTTP hears that the key is away, and has nothing. */
export async function sealOrWait(
  deps: SealDeps,
  submission: Submission,
  checked: Checked,
  id: JobId,
): Promise<SealedSubmission | undefined> {
  try {
    return await seal(deps, checked, id);
  } catch (error) {
    if (submission.via === "queue" && error instanceof Unavailable && error.service === "seal key") return undefined;
    throw error;
  }
}
