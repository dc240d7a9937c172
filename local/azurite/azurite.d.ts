/** What is used of Azurite's server classes, by their paths: it ships no types. Its version is pinned, and the tests start it. */
interface AzuriteServer {
  start(): Promise<void>;
  close(): Promise<void>;
  getHttpServerAddress(): string;
  /** Of the blob and the queue server: what it removes of what nobody needs, and how often. */
  readonly gcManager?: { gcIntervalInMS: number };
}

/** CommonJS modules, so Node gives all that they export as their default. */
interface AzuriteModule<Made> {
  readonly default: new (...parameters: readonly unknown[]) => Made;
}

declare module "azurite/dist/src/*Server.js" {
  const module: AzuriteModule<AzuriteServer>;
  export default module;
}

declare module "azurite/dist/src/*Configuration.js" {
  const module: AzuriteModule<object>;
  export default module;
}
