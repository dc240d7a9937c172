import { BlobServiceClient } from "@azure/storage-blob";
import { expect, test } from "vitest";
import { Blobs } from "../../../src/shared/store/blobs.ts";
import { viewOf } from "../../../src/shared/definition/index.ts";
import { Unavailable } from "../../../src/shared/base/errors.ts";
import { fileKeyRing } from "../../../src/shared/security/file-key-ring.ts";
import type { Observation } from "../../../src/shared/job/observation.ts";
import type { Stored } from "../../../src/shared/store/jobs.ts";
import { maskedAnswer, maskedObservation } from "../../../src/shared/aci/masked-client.ts";
import { Sealer, type KeyRing } from "../../../src/shared/security/sealer.ts";
import { SealedArrays } from "../../../src/shared/security/sealed-arrays.ts";
import { sealedText } from "../../../src/shared/security/sealed-definition.ts";
import { container, group, job, live, pacing, present, settings, start } from "../../kit/kit.ts";
import { temporaryFolder } from "./kit.ts";

const secret = "correct-horse-battery";
const body = {
  properties: {
    containers: [
      { name: "a", properties: { image: "x.io/y", environmentVariables: [{ name: "A", secureValue: secret }] } },
    ],
  },
};
const definition = { name: "n", apiVersion: "2023-05-01", body, view: viewOf(body) };

// The definition lies in the row: no blob is ever asked for.
const blobs = new Blobs(BlobServiceClient.fromConnectionString("UseDevelopmentStorage=true"), settings(), pacing);
const depsOf = (ring: KeyRing) => ({
  settings: settings(),
  blobs,
  sealer: new Sealer(ring, () => 0),
  vault: undefined,
  arrays: new SealedArrays({ findArray: () => Promise.resolve(undefined) }, blobs, () => 0),
});

async function stored(ring: KeyRing, changes: Parameters<typeof live>[1] = {}): Promise<Stored> {
  const of = live({ state: "Running", startedAt: start }, changes);
  const sealed = await new Sealer(ring, () => 0).seal(sealedText(definition, undefined, job().id), job().id);
  return {
    job: of,
    sealed: { definition: sealed, callbacks: undefined },
    kept: {},
    key: { partitionKey: "", rowKey: "" },
    etag: "",
  };
}

const ringOf = (): KeyRing => fileKeyRing(`${temporaryFolder()}/seal.key`);
const away: KeyRing = {
  wrap: () => Promise.reject(new Unavailable("seal key", "away")),
  unwrap: () => Promise.reject(new Unavailable("seal key", "away")),
};
const event = (message: string) => ({ name: "Failed", type: "Warning", count: 1, message });
const messages = (seen: Observation): string[] =>
  seen.group === "present" ? seen.events.map(({ message }) => message) : [];

test("events of a group are masked before anybody keeps them", async () => {
  const ring = ringOf();
  const seen = present(group("Running", [], { events: [event("Started"), event(`can't log in with ${secret}`)] }));
  const masked = await maskedObservation(depsOf(ring), await stored(ring), seen);
  expect(messages(masked)).toEqual(["Started", "can't log in with ***"]);
});

test("a secret that was cut off with its message is masked, too", async () => {
  const ring = ringOf();
  const seen = present(group("Running", [], { events: [event(`can't log in with ${secret.slice(0, 15)}`)] }));
  expect(messages(await maskedObservation(depsOf(ring), await stored(ring), seen))).toEqual(["can't log in with ***"]);
});

test("what a container's status says beyond a word of ACI's is masked, too", async () => {
  const ring = ringOf();
  const app = (detailStatus: string) => container("a", { state: "Waiting", detailStatus });
  const seen = present(group("Running", [app("CrashLoopBackOff"), app(`exec: "--password=${secret}": not found`)]));
  const masked = await maskedObservation(depsOf(ring), await stored(ring), seen);
  expect(masked.group === "present" && masked.containers.map(({ detailStatus }) => detailStatus)).toEqual([
    "CrashLoopBackOff",
    'exec: "--password=***": not found',
  ]);
  expect(await maskedObservation(depsOf(away), await stored(ring), present(group("Running", [app("Error")])))).toEqual(
    present(group("Running", [app("Error")])),
  );
});

test("an error's code that is not one of Azure's words is masked, too", async () => {
  const ring = ringOf();
  const azure = { code: `Bad ${secret}`, message: "x", httpStatus: 400 };
  const answer = { kind: "unclear", azure } as const;
  for (const message of ["no", ""]) {
    const told = { ...answer, azure: { ...answer.azure, message } };
    expect(await maskedAnswer(depsOf(ring), await stored(ring), told)).toMatchObject({ azure: { code: "Bad ***" } });
    const seen = { group: "unknown", reason: "ArmUnavailable", retryAfter: undefined, azure: told.azure } as const;
    expect(await maskedObservation(depsOf(ring), await stored(ring), seen)).toMatchObject({
      azure: { code: "Bad ***" },
    });
  }
});

test("messages that the row has already cost no read of the definition", async () => {
  const row = await stored(ringOf(), { events: [event("Started")] });
  const seen = present(group("Running", [], { events: [event("Started"), event("")] }));
  expect(await maskedObservation(depsOf(away), row, seen)).toBe(seen);
});

test("while the secrets can't be known, what is new is withheld and what is known stays", async () => {
  const row = await stored(ringOf(), { events: [event("Started")] });
  const seen = present(group("Running", [], { events: [event("Started"), event(`now ${secret}`)] }));
  const [known, news] = messages(await maskedObservation(depsOf(away), row, seen));
  expect(known).toBe("Started");
  expect(news).toMatch(/^\(withheld/);
});

test("Azure's answers to a delete are masked, and others are left as they are", async () => {
  const ring = ringOf();
  const azure = { code: "X", message: `no: ${secret}`, httpStatus: 409 };
  const refused = { kind: "refused", reason: "GroupBusy", azure, retryAfter: undefined } as const;
  const row = await stored(ring);
  expect(await maskedAnswer(depsOf(ring), row, refused)).toMatchObject({ azure: { message: "no: ***" } });
  expect(await maskedAnswer(depsOf(away), row, refused)).toMatchObject({
    azure: { message: expect.stringMatching(/^\(withheld/) as string },
  });
  const accepted = { kind: "accepted" } as const;
  expect(await maskedAnswer(depsOf(away), row, accepted)).toBe(accepted);
});
