import { describe, expect, it, test, vi } from "vitest";
import { readList } from "../../../src/http/jobs/filter.ts";
import { aTime, oneOf, polling, readQuery, whole, words } from "../../../src/http/lib/query.ts";
import { settings, start } from "../../kit/kit.ts";

const parameters = {
  name: words(""),
  since: aTime(""),
  top: whole(1, 10, ""),
  format: oneOf(["json", "csv"], ""),
  polling: polling(""),
};
const read = (query: string) => readQuery(new URLSearchParams(query), parameters, settings(), start);

test("names and words ignore case, and what is not there has no value", () => {
  expect(read("NAME=a&Format=CSV&Polling=True")).toEqual({
    ok: true,
    value: { name: "a", format: "csv", polling: true, since: undefined, top: undefined },
  });
});

test("parameters that a gateway adds are nobody's", () => {
  expect(read("Code=k&clientid=x&Subscription-Key=y&top=1")).toMatchObject({ ok: true, value: { top: 1 } });
});

test("any other word than true is no poll, as in the original", () => {
  expect(read("polling=yes")).toMatchObject({ ok: true, value: { polling: false } });
});

describe("what is wrong", () => {
  it("is reported at once, each with its parameter, in words that never quote the value", () => {
    expect(read("top=11&colour=red&since=hier&format=xml")).toMatchObject({
      ok: false,
      error: {
        code: "InvalidRequest",
        message: "top must be a whole number from 1 to 10. And 3 more.",
        errors: [
          { path: "top", message: "top must be a whole number from 1 to 10." },
          { path: "colour", message: "colour is not known; known are name, since, top, format, polling." },
          { path: "since", message: "since must be an ISO 8601 time, or a duration ago (PT1H)." },
          { path: "format", message: "format must be json or csv." },
        ],
      },
    });
  });

  it.each(["", "0", "1.5", "-1", "1e0", "0x1", " 1", "99999999999999999999"])("top=%s", (top) => {
    expect(read(`top=${encodeURIComponent(top)}`)).toMatchObject({ ok: false, error: { errors: [{ path: "top" }] } });
  });

  it("is a parameter that is there twice with two values, and not one that says the same again", () => {
    expect(read("name=a&Name=b")).toMatchObject({ error: { message: "name must be there once only." } });
    expect(read("name=a&Name=a")).toMatchObject({ ok: true, value: { name: "a" } });
  });

  it("lists no more names than fit into a reply, and only well-formed names", () => {
    const query = Array.from({ length: 500 }, (_, n) => `x${n}=1`).join("&");
    const refused = read(`s%20ecret=1&${query}`);
    expect(refused).toMatchObject({ ok: false, error: { errors: { length: 50, 0: { path: "parameter" } } } });
  });
});

describe("a time", () => {
  it.each([
    ["2026-11-24", "2026-11-24T00:00:00Z"],
    ["2026-11-24T10:00:00%2B02:00", "2026-11-24T08:00:00Z"],
    ["2026-11-24T10:00:00+02:00", "2026-11-24T08:00:00Z"],
    ["2028-02-29T10:00", "2028-02-29T10:00:00Z"],
  ])("%s is %s", (written, time) => {
    expect(read(`since=${written}`)).toMatchObject({ ok: true, value: { since: Date.parse(time) } });
  });

  it("without a zone is UTC, also where the app runs in another zone", () => {
    vi.stubEnv("TZ", "Europe/Berlin");
    expect(read("since=2026-11-24T10:00:00.5")).toMatchObject({
      value: { since: Date.parse("2026-11-24T10:00:00.500Z") },
    });
    vi.unstubAllEnvs();
  });

  it.each(["2026-02-30", "2026-02-29T10:00:00Z", "2026-13-01", "2026-11-24 10:00", "2026-11-24T10:00:00 0200 "])(
    "%s is refused",
    (written) => expect(read(`since=${encodeURIComponent(written)}`)).toMatchObject({ ok: false }),
  );
});

test("a list is of the states that are named, in any letter case", () => {
  const asked = readList(new URLSearchParams("state=failed,TimedOut"), settings(), start);
  expect(asked).toMatchObject({
    ok: true,
    value: { active: false, filter: { states: ["Failed", "TimedOut"] }, top: 100 },
  });
});
