import { once } from "node:events";
import { createServer, isIP, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { isAllowedAddress, isPublic, safePost, UnsafeAddress } from "../../../src/shared/security/safe-post.ts";
import { fakeTimers } from "../../kit/fake-timers.ts";

const hosts = ["*.azure.com", "hooks.contoso.com"];

describe("which addresses may be called", () => {
  test.each([
    "https://p1.eastus.azure.com/workflow/callback/1?callbackToken=x",
    "https://hooks.contoso.com/x",
    "https://HOOKS.contoso.com./x",
  ])("%s may", (uri) => {
    expect(isAllowedAddress(uri, hosts)).toBe(true);
  });

  test.each([
    ["http", "http://hooks.contoso.com/x"],
    ["another scheme", "file:///etc/passwd"],
    ["another host", "https://contoso.com/x"],
    ["a host that ends alike", "https://evilazure.com/x"],
    ["the bare domain of a pattern", "https://azure.com/x"],
    ["a host that begins alike", "https://hooks.contoso.com.evil.example/x"],
    ["a user that looks like the host", "https://hooks.contoso.com@evil.example/x"],
    ["a user on the right host", "https://u:p@hooks.contoso.com/x"],
    ["an address of the cloud's metadata", "https://169.254.169.254/metadata"],
    ["this machine, unless allowed", "http://localhost:7071/x"],
    ["this machine in other words", "https://[::1]/x"],
    ["no address at all", "callback"],
  ])("%s may not", (_, uri) => {
    expect(isAllowedAddress(uri, hosts)).toBe(false);
  });

  test("this machine may by http when the list says so, for development", () => {
    for (const uri of ["http://localhost:9/x", "http://127.0.0.1:9/x", "https://localhost/x"])
      expect(isAllowedAddress(uri, ["localhost"])).toBe(true);
    expect(isAllowedAddress("http://localhost.evil.example/x", ["localhost"])).toBe(false);
    expect(isAllowedAddress("file://localhost/etc/passwd", ["localhost"])).toBe(false);
  });

  test("an IP address may not, though somebody listed it", () => {
    expect(isAllowedAddress("https://10.0.0.5/x", ["10.0.0.5"])).toBe(false);
  });
});

describe("which IP addresses are public", () => {
  test.each(["1.1.1.1", "20.42.0.1", "2603:1030::1", "172.32.0.1", "100.128.0.1"])("%s is", (address) => {
    expect(isPublic(address)).toBe(true);
  });

  test.each([
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "168.63.129.16", "169.254.169.254", "172.16.0.1"],
    ...["172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "ff02::1", "64:ff9b::a00:1"],
    ...["2002:7f00:1::", "2001:db8::1", "2001:0:0:0::1", "not an address", ""],
  ])("%s is not", (address) => {
    expect(isPublic(address)).toBe(false);
  });
});

describe("what a name resolves to is judged, and is what is connected to", () => {
  const refused = async (addresses: readonly string[]): Promise<unknown> => {
    const resolve = () => Promise.resolve(addresses.map((address) => ({ address, family: isIP(address) })));
    const post = safePost(hosts, { resolve, isPublic });
    return post("https://hooks.contoso.com/secret-path", "{}").catch((error: unknown) => error);
  };

  test.each([[["10.0.0.1"]], [["1.1.1.1", "127.0.0.1"]], [["fd00::1"]], [[]]])(
    "%j is not called",
    async (addresses) => {
      const error = await refused(addresses);
      expect(error).toBeInstanceOf(UnsafeAddress);
      expect(String(error)).not.toContain("contoso");
    },
  );

  test("the address that was judged is connected to, and the name is not resolved again (rebinding)", async () => {
    const asked: string[] = [];
    let hello = "";
    const server = createServer((socket) => {
      socket.once("data", (bytes) => {
        hello = bytes.toString("latin1");
        socket.destroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo; // a server that listens on TCP has one
    const resolve = (host: string) => {
      asked.push(host);
      return Promise.resolve([{ address: asked.length === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }]);
    };
    const post = safePost(hosts, { resolve, isPublic: (address) => address === "127.0.0.1" });
    await expect(post(`https://hooks.contoso.com:${port}/x`, "{}")).rejects.toThrow();
    expect(hello).toContain("hooks.contoso.com"); // the certificate is still asked of the name
    expect(asked).toEqual(["hooks.contoso.com"]);
  });

  test("an address outside the list is not even resolved", async () => {
    const post = safePost(hosts, { resolve: () => Promise.reject(new Error("resolved")), isPublic });
    await expect(post("https://evil.example/x", "{}")).rejects.toThrow(UnsafeAddress);
  });
});

describe("a call is given up after 30 seconds", () => {
  const giveUp = async (asked: () => Promise<unknown>, called: Promise<number>): Promise<void> => {
    const outcome = expect(called).rejects.toThrow("no answer in 30 s");
    await asked();
    await vi.advanceTimersByTimeAsync(30_000);
    await outcome;
  };
  beforeEach(() => fakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  test.each([
    ["never", ""],
    ["a byte at a time, without end", "HTTP/1.1 2"],
  ])("where an answer comes %s", async (_, begun) => {
    const server = createServer((socket) => void socket.on("data", () => socket.write(begun)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo; // a server that listens on TCP has one
    const connected = once(server, "connection");
    await giveUp(() => connected, safePost(["localhost"])(`http://127.0.0.1:${port}/x`, "{}"));
  });

  test("where the name server does not answer", async () => {
    const post = safePost(hosts, { resolve: () => new Promise(() => undefined), isPublic });
    await giveUp(() => Promise.resolve(), post("https://hooks.contoso.com/x", "{}"));
  });
});
