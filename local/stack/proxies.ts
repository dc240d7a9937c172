const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] as const;
const here = ["localhost", "127.0.0.1", "[::1]"] as const;

/**
 * What has to change in the environment so that the parts of a stack reach one another where the machine has a proxy: the Azure SDK
 * asks the proxy for 127.0.0.1 too, unless `NO_PROXY` names it. All else still goes through the proxy.
 */
export function reachHereDirectly(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const either = (name: string): string => env[name] || env[name.toLowerCase()] || "";
  if (proxies.every((name) => either(name) === "")) return {};
  const before = either("NO_PROXY");
  const direct = [...new Set([...before.split(",").map((host) => host.trim()), ...here])].filter(Boolean).join(",");
  // The lower case is the one that Node's own proxy support reads first; to it a lone star means all, to the SDK nothing.
  return { NO_PROXY: direct, no_proxy: before.trim() === "*" ? "*" : direct };
}
