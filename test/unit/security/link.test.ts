import fc from "fast-check";
import { expect, test } from "vitest";
import {
  linkIsGood,
  mintLink,
  mintResultLink,
  readLink,
  readResultLink,
} from "../../../src/shared/security/link-token.ts";
import { ended, jobId, live, start } from "../../kit/kit.ts";

const hour = 3_600_000;
const key = { id: "0a1b2c3d", key: Buffer.alloc(32, 7) };

test("a link opens the job that it was made for", () => {
  const link = readLink(mintLink(key, jobId()));
  expect(link).toMatchObject({ jobId: jobId(), keyId: key.id });
  expect(link?.signedWith(key)).toBe(true);
});

test("a result link opens one attempt of its job, and a status link opens no attempt", () => {
  for (const attempt of [1, 11, 300]) {
    const token = mintResultLink(key, jobId(), attempt);
    const link = readResultLink(token);
    expect(link).toMatchObject({ jobId: jobId(), attempt });
    expect([link?.signedWith(key), readLink(token)]).toEqual([true, undefined]);
  }
  expect(readResultLink(mintLink(key, jobId()))).toBeUndefined();
});

test("a token is one path segment, and shows no key", () => {
  expect(mintLink(key, jobId())).toMatch(/^[\w-]{72}$/);
});

function changed(token: string, bit: number): string {
  const bytes = Buffer.from(token, "base64url");
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return bytes.toString("base64url");
}

test("no change of a token opens anything", () => {
  const token = mintLink(key, jobId());
  fc.assert(
    fc.property(fc.nat(431), (bit) => {
      expect(readLink(changed(token, bit))?.signedWith(key) ?? false).toBe(false);
    }),
  );
  const result = mintResultLink(key, jobId(), 1);
  fc.assert(
    fc.property(fc.nat(447), (bit) => {
      expect(readResultLink(changed(result, bit))?.signedWith(key) ?? false).toBe(false);
    }),
  );
});

test("another key, or another key of the same id, opens nothing", () => {
  const link = readLink(mintLink(key, jobId()));
  expect(link?.signedWith({ ...key, key: Buffer.alloc(32, 8) })).toBe(false);
  expect(link?.signedWith({ ...key, id: "00000000" })).toBe(false);
});

test("a malformed token is refused, and never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => readLink(text) === undefined));
  const token = mintLink(key, jobId());
  for (const text of ["", `${token}=`, `${token} `, token.slice(1), `${token}AAAA`, `${token.slice(0, -1)}+`])
    expect(readLink(text)).toBeUndefined();
});

test("a link is good while the job runs, and for a day after its end", () => {
  const running = live({ state: "Running", startedAt: start }).phase;
  expect(linkIsGood(running, start + 1e12)).toBe(true);
  const { phase } = ended({ finishedAt: start });
  expect(linkIsGood(phase, start + 24 * hour)).toBe(true);
  expect(linkIsGood(phase, start + 24 * hour + 1)).toBe(false);
});
