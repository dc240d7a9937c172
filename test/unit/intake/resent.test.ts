import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  packParcel,
  parcelText,
  readClaim,
  recordOf,
  signedText,
  unpackParcel,
  type Resent,
} from "../../../src/shared/intake/resent.ts";
import { jobId, start } from "../../kit/kit.ts";

const key = { id: "0a1b2c3d", key: randomBytes(32) };
const resent: Resent = {
  id: jobId(1),
  at: start,
  messageId: "message-1",
  since: start,
  tries: 1,
  why: "StorageUnavailable",
  text: 'name: a\r\nquote: "\uFFFE"\n',
};

describe("a message that is sent again", () => {
  it("is read back as it was, with what it had when it first came", () => {
    const claim = readClaim(JSON.parse(signedText(resent, key)));
    if (claim?.kind !== "signed") throw new Error("not signed");
    expect([claim.resent, claim.keyId, claim.signedWith(key)]).toEqual([resent, key.id, true]);
    expect(readClaim(signedText(resent, key))).toMatchObject({ kind: "signed" });
  });

  it("has no character that a message can't hold", () => {
    expect(signedText(resent, key)).not.toMatch(/[\r\n\uFFFE\uFFFF]/);
  });

  it.each(["id", "at", "messageId", "since", "tries", "why", "text"] as const)(
    "proves nothing any more once its %s is changed",
    (member) => {
      const wire = JSON.parse(signedText(resent, key)) as { resent: Record<string, unknown> };
      const old = wire.resent[member];
      wire.resent[member] = member === "id" ? jobId(2) : typeof old === "number" ? old + 1 : `${String(old)}!`;
      const claim = readClaim(wire);
      expect(claim?.kind === "signed" && claim.signedWith(key)).toBe(false);
    },
  );

  it("proves nothing under another key, or without its signature", () => {
    const claim = readClaim(signedText(resent, key));
    const others = [
      { ...key, id: "ffffffff" },
      { ...key, key: randomBytes(32) },
    ];
    expect(others.map((other) => claim?.kind === "signed" && claim.signedWith(other))).toEqual([false, false]);
    for (const text of [
      { version: 1, resent: { ...resent } },
      { version: 1, resent: null },
      { version: 1 },
      "name: a",
      5,
    ])
      expect(readClaim(text)).toBeUndefined();
  });
});

describe("a parcel", () => {
  const parcel = { name: `messages/${jobId(1)}-00ff`, secret: randomBytes(32) };
  const packed = packParcel(resent, parcel, randomBytes(12));

  it("is opened by the message that names it, and by no other", () => {
    const claim = readClaim(parcelText(resent, parcel));
    if (claim?.kind !== "parcel") throw new Error("no parcel");
    expect(unpackParcel(packed, claim.parcel)).toEqual(resent);
    expect(unpackParcel(packed, { ...parcel, secret: randomBytes(32) })).toBeUndefined();
    expect(unpackParcel(packed, { ...parcel, name: "messages/00" })).toBeUndefined();
    expect(unpackParcel(packed, { ...parcel, secret: randomBytes(3) })).toBeUndefined();
    expect(unpackParcel(randomBytes(200), parcel)).toBeUndefined();
  });

  it("shows nothing of its text, and leads only to the service's own blobs", () => {
    expect(Buffer.from(packed).includes("quote")).toBe(false);
    expect(parcelText(resent, parcel)).not.toContain("quote");
    expect(readClaim(parcelText(resent, { ...parcel, name: "messages/../definitions" }))).toBeUndefined();
    expect(readClaim(parcelText(resent, { ...parcel, name: jobId(1) }))).toBeUndefined();
  });

  it("shows an operator whose it is, since when it waits and for what", () => {
    const told = { id: resent.id, since: start, tries: 1, why: "StorageUnavailable" };
    expect(recordOf(parcelText(resent, parcel))).toEqual(told);
    expect(recordOf(signedText(resent, key))).toMatchObject(told);
    expect(recordOf("name: a")).toBeUndefined();
  });
});
