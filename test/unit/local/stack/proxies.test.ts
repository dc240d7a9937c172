import { expect, test } from "vitest";
import { reachHereDirectly } from "../../../../local/stack/proxies.ts";

const here = "localhost,127.0.0.1,[::1]";

test("where the machine has a proxy, a stack's own parts are reached without it", () => {
  for (const name of ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
    expect(reachHereDirectly({ [name]: "http://proxy.example:3128" })).toEqual({ NO_PROXY: here, no_proxy: here });
});

test("what the proxy was not to be asked for stays so", () => {
  const env = { HTTP_PROXY: "http://proxy.example:3128", no_proxy: ".corp.example, 127.0.0.1" };
  const all = ".corp.example,127.0.0.1,localhost,[::1]";
  expect(reachHereDirectly(env)).toEqual({ NO_PROXY: all, no_proxy: all });
});

test("a lone star, which means all, is kept where it is understood", () => {
  const env = { HTTPS_PROXY: "http://proxy.example:3128", NO_PROXY: "*" };
  expect(reachHereDirectly(env)).toEqual({ NO_PROXY: `*,${here}`, no_proxy: "*" });
});

test("a machine without a proxy is left as it is", () => {
  expect(reachHereDirectly({ NO_PROXY: "a.example", HTTP_PROXY: "" })).toEqual({});
});
