import { describe, expect, test } from "vitest";
import { target } from "../../../client/http.ts";

describe("the address of a service", () => {
  test.each(["localhost:7071", "ftp://x", "", "https://user:secret@x", "https://x/?code=secret"])(
    "%s is refused",
    (url) => {
      expect(() => target(url, undefined)).toThrow(/--url/);
      expect(() => target(url, undefined)).not.toThrow(/secret/);
    },
  );

  test("may have a path, and loses the slash at its end", () => {
    expect(target("https://gateway.example/jobs/", "k").url).toBe("https://gateway.example/jobs");
  });

  test("on this machine brings the local stack's key, elsewhere no key", () => {
    expect(target("http://localhost:7071", undefined).key).toBe("local");
    expect(target("http://localhost:7071", "mine").key).toBe("mine");
    expect(target("https://proxy.example", undefined).key).toBeUndefined();
  });
});
