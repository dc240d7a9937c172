import { Unavailable } from "../base/errors.ts";
import type { LinkKey } from "../security/link-token.ts";
import type { LinkKeys } from "../security/link-keys.ts";
import type { Blobs } from "../store/blobs.ts";
import { maxMessageBytes, type Queues } from "../store/queues.ts";
import {
  nonceBytes,
  packParcel,
  parcelText,
  readClaim,
  secretBytes,
  signedText,
  unpackParcel,
  type Parcel,
  type Resent,
} from "./resent.ts";

/** What a message turned out to be. */
export type Opened =
  /** As somebody posted it. */
  | { readonly kind: "first" }
  | { readonly kind: "resent"; readonly resent: Resent; readonly parcel: Parcel | undefined }
  /** Sent again, and dealt with since: a second delivery. */
  | { readonly kind: "finished" };

interface ResenderDeps {
  readonly queues: Queues;
  readonly blobs: Blobs;
  readonly keys: Pick<LinkKeys, "current" | "find">;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Sends messages again so that they stay the same job, and opens them. */
export class Resender {
  readonly #deps: ResenderDeps;

  constructor(deps: ResenderDeps) {
    this.#deps = deps;
  }

  /** @throws Unavailable when what would prove it can't be reached now */
  async open(body: unknown): Promise<Opened> {
    const claim = readClaim(body);
    if (claim === undefined) return { kind: "first" };
    if (claim.kind === "signed") {
      const key = await this.#deps.keys.find(claim.keyId);
      const proved = key !== undefined && claim.signedWith(key);
      return proved ? { kind: "resent", resent: claim.resent, parcel: undefined } : { kind: "first" };
    }
    const { parcel, shown } = claim;
    const bytes = await this.#deps.blobs.getParcel(parcel.name);
    if (bytes === "finished") return { kind: "finished" };
    const resent = bytes && unpackParcel(bytes, parcel);
    return resent
      ? { kind: "resent", resent: { ...resent, tries: shown.tries, why: shown.why }, parcel }
      : { kind: "first" };
  }

  /**
   * Signed where that can be done; else what is sent is small, and the message itself lies in a blob, sealed under a key that what is
   * sent carries. A parcel that is there already serves again.
   *
   * @param delay milliseconds
   * @param parcel in which the message came
   * @param keyIsAway true where it is known that there is no use in asking for the key
   * @throws Unavailable when neither can be done
   */
  async send(
    queue: string,
    resent: Resent,
    { delay, parcel, keyIsAway = false }: { delay: number; parcel?: Parcel | undefined; keyIsAway?: boolean },
  ): Promise<void> {
    const signed = parcel === undefined && !keyIsAway ? await this.#signed(resent) : undefined;
    const text = signed ?? parcelText(resent, parcel ?? (await this.#pack(resent)));
    await this.#deps.queues.send(queue, text, delay);
  }

  /** A message that was dealt with: its second delivery must find that out. The blob itself goes with what is kept for a time only. */
  async finish(parcel: Parcel): Promise<void> {
    await this.#deps.blobs.finishParcel(parcel.name);
  }

  async #signed(resent: Resent): Promise<string | undefined> {
    if (Buffer.byteLength(resent.text) > maxMessageBytes) return undefined;
    const key = await this.#key();
    const text = key && signedText(resent, key);
    return text !== undefined && Buffer.byteLength(text) <= maxMessageBytes ? text : undefined;
  }

  async #key(): Promise<LinkKey | undefined> {
    try {
      return await this.#deps.keys.current();
    } catch (error) {
      if (error instanceof Unavailable) return undefined; // a parcel needs no signature
      throw error;
    }
  }

  async #pack(resent: Resent): Promise<Parcel> {
    const { randomBytes, blobs } = this.#deps;
    const name = `messages/${resent.id}-${Buffer.from(randomBytes(8)).toString("hex")}`;
    const parcel = { name, secret: randomBytes(secretBytes) };
    await blobs.putParcel(name, packParcel(resent, parcel, randomBytes(nonceBytes)));
    return parcel;
  }
}
