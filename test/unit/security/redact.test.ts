import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maskOfLog, maskCredentials, maskOf } from "../../../src/shared/base/redact.ts";
import { maskValues } from "./kit.ts";

const secret = "p@ss w/rd+7=é";

describe("a definition's secrets are masked by value", () => {
  test.each([
    ["plain", secret],
    ["URL-encoded", encodeURIComponent(secret)],
    ["URL-encoded with small digits", encodeURIComponent(secret).toLowerCase().replace("p%40ss", "p%40ss")],
    ["as a form writes it", new URLSearchParams({ x: secret }).toString().slice(2)],
    ["base64", Buffer.from(secret).toString("base64")],
    ["base64url", Buffer.from(secret).toString("base64url")],
    ["base64 of user and password", Buffer.from(`user:${secret}`).toString("base64")],
    ["base64 of a longer text", Buffer.from(`{"password":"${secret}","x":1}`).toString("base64")],
    ["inside a JSON string", JSON.stringify({ text: `say "${secret}"` })],
  ])("%s", (_, text) => {
    const masked = maskValues(`before ${text} after`, [secret, 'say "']);
    expect(masked).toContain("***");
    for (const form of formsOf(secret)) expect(masked).not.toContain(form);
  });

  test("wherever they stand, and at every shift of base64", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 9, maxLength: 60 }).filter((text) => text.trim().length >= 9),
        fc.string(),
        fc.string(),
        (hidden, before, after) => {
          const mask = maskOf([hidden]);
          const packed = Buffer.from(before + hidden + after).toString("base64");
          expect(mask(before + hidden + after)).not.toContain(hidden);
          expect(Buffer.from(mask(packed).replaceAll("***", ""), "base64").toString("utf8")).not.toContain(hidden);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("the longer of two secrets that share a part leaves no rest", () => {
    expect(maskValues("key-1234-5678", ["key-1234", "key-1234-5678"])).toBe("***");
  });

  test("each line of a secret of several lines, as a log would print them", () => {
    const pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAoI\n-----END KEY-----\n";
    expect(maskValues("2026-01-01T00:00:00Z MIIEvQIBADANBgkqhkiG9w0", [pem])).toBe("2026-01-01T00:00:00Z ***");
  });

  test("a secret that was cut off at the end of a text", () => {
    expect(maskValues("the password is correct-horse-bat", ["correct-horse-battery"])).toBe("the password is ***");
  });

  test("words too short to be secrets stay, so that messages stay readable", () => {
    expect(maskValues("it is true", ["tru", "it", ""])).toBe("it is true");
  });

  test("half a character in a secret does no harm", () => {
    expect(maskValues("x \ud800abcd y", ["\ud800abcd"])).toBe("x *** y");
  });

  test("megabytes are masked with a hundred secrets", () => {
    const secrets = Array.from({ length: 100 }, (_, n) => `secret-number-${n}-${"x".repeat(40)}`);
    const text = "2026-01-01T00:00:00Z an ordinary line of output\n".repeat(40_000);
    expect(maskOf(secrets)(text)).toHaveLength(text.length);
  });
});

test("a long log is masked a reading at a time, and others go on in between", async () => {
  let turns = 0;
  let isMasked = false;
  const others = (): void => {
    turns++;
    if (!isMasked) setImmediate(others);
  };
  const log = "hunter2-production \\u002b%2B&amp;\n".repeat(1000);
  const masked = maskOfLog(["hunter2-production"])(log).finally(() => (isMasked = true));
  others();
  expect(await masked).toBe(log.replaceAll("hunter2-production", "***"));
  expect(turns).toBeGreaterThan(10);
});

describe("credentials of no definition are masked by structure, for logs", () => {
  test.each([
    ["GET https://host/api/status/1?code=abcdef&poll=1", "GET https://host/api/status/1?code=***&poll=1"],
    ["https://a.blob.core.windows.net/x?sv=1&sig=a%2Fb&se=2", "https://a.blob.core.windows.net/x?sv=1&sig=***&se=2"],
    [
      "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc==;X=1",
      "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=***;X=1",
    ],
    ["The share refused AccountKey=abc== and sig=x%2F.", "The share refused AccountKey=*** and sig=***"],
    ["authorization: Bearer eyJhbGciOi.eyJ.sig", "authorization: Bearer ***"],
    ["git clone https://user:token@github.com/x", "git clone https://***@github.com/x"],
    ["GET /api/link/AQIDBAUG-_x", "GET /api/link/***"],
    ["PUT /api/result/AQIDBAUGx", "PUT /api/result/***"],
    ["mysql --password=hunter2 --host=db", "mysql --password=*** --host=db"],
    ["mysql --password hunter2 --host db", "mysql --password *** --host db"],
    ['["--db-password","hunter2","-v"]', '["--db-password","***","-v"]'],
    ["curl -u reader:hunter2 https://x", "curl -u reader:*** https://x"],
    ["GET /?access_token=abc.def&x=1", "GET /?access_token=***&x=1"],
    ['{"password":"hun\\"ter2","user":"u"}', '{"password":"***","user":"u"}'],
    ['{\\"password\\": \\"hunter2\\"}', '{\\"password\\": \\"***\\"}'],
    ["{\\u0022password\\u0022:\\u0022hunter2\\u0022}", "{\\u0022password\\u0022:\\u0022***\\u0022}"],
    ["{&quot;password&quot;:&quot;hunter2&quot;}", "{&quot;password&quot;:&quot;***&quot;}"],
    ["%22password%22%3A%22hunter2%22", "%22password%22%3A%22***%22"],
    ['{"name":"DB_PASSWORD","value":"hunter2"}', '{"name":"DB_PASSWORD","value":"***"}'],
    ['{"name":"A","secureValue":"hunter2"}', '{"name":"A","secureValue":"***"}'],
    ["{'client_secret': 'hunter2', 'a': 1}", "{'client_secret': '***', 'a': 1}"],
    ["password: hunter2", "password: ***"],
    ["x-functions-key: abc123def456", "x-functions-key: ***"],
    ["DB_PASSWORD=hunter2 PGPASSWORD='a b' run", "DB_PASSWORD=*** PGPASSWORD='***' run"],
    ["authorization: Basic dXNlcjpwYXNz", "authorization: Basic ***"],
    ["got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.", "got ***"],
    ["got one-eyJhbGciOiJIUzI1NiJ9.eyJ-zdWIiOiIxIn0.c2ln-eyJ and eyJ-no", "got one-*** and eyJ-no"],
    ["token:mytoken: abc123def", "token:mytoken: ***"],
    ["pull reader:hunter2@contoso.azurecr.io/x:1", "pull reader:***@contoso.azurecr.io/x:1"],
    ["pull contoso.azurecr.io/x:1@sha256:00ff", "pull contoso.azurecr.io/x:1@sha256:00ff"],
    [`key ${"A".repeat(86)}== of the share`, "key *** of the share"],
    ["token ghp_abcdefghijklmnopqrstuvwxyz0123456789", "token ***"],
    [
      "-----BEGIN PRIVATE KEY----- MIIE x -----END PRIVATE KEY-----",
      "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----",
    ],
    ["InvalidAuthenticationToken: Authentication failed", "InvalidAuthenticationToken: Authentication failed"],
    ["the password is wrong; no token was sent", "the password is wrong; no token was sent"],
    ["an ordinary sentence; code=3 is an exit code", "an ordinary sentence; code=3 is an exit code"],
  ])("%s", (text, masked) => {
    expect(maskCredentials(text)).toBe(masked);
    expect(maskCredentials(masked)).toBe(masked);
  });

  test("in time in proportion to the text", () => {
    const hostile = [
      "password",
      'password="',
      "--password ",
      "a:",
      "x:y@",
      "://",
      "eyJ",
      "-eyJ",
      "eyJaaaaa-",
      "token:",
      "sig://",
      "\\--",
      "-----BEGIN PRIVATE KEY-----",
      "&amp;",
      "\\u00",
      '"name":"',
    ];
    const began = performance.now();
    for (const part of hostile) maskCredentials(part.repeat(Math.ceil(100_000 / part.length)));
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

function formsOf(text: string): string[] {
  return [text, encodeURIComponent(text), Buffer.from(text).toString("base64").replace(/=+$/, "")];
}
