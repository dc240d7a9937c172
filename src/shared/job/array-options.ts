import type { OptionName } from "./options.ts";

/** Whose each option is where it stands beside `array`: the array's as a whole, or each child's. docs/arrays.md has it as a table. */
export const optionsOfArrays: Readonly<
  Record<
    Exclude<OptionName, "array" | "parallelism" | "failFast" | "minSuccess" | "pack">,
    { readonly of: "array" | "child"; readonly note: string }
  >
> = {
  polling: { of: "array", note: "`started`: once the first child runs" },
  timeout: { of: "array", note: "a child gets what is left of it" },
  queueTimeout: { of: "child", note: "from when the child is made" },
  startTimeout: { of: "child", note: "" },
  runTimeout: { of: "child", note: "" },
  retries: { of: "child", note: "" },
  retryOn: { of: "child", note: "" },
  onConflict: { of: "array", note: "a child always waits for its name" },
  uniqueName: { of: "array", note: "children's groups are `NAME-SUFFIX-INDEX`" },
  main: { of: "child", note: "" },
  keep: { of: "child", note: "at most 20 groups of an array stay" },
  lease: { of: "array", note: "its end cancels the children" },
  env: { of: "child", note: "`ACI_PROXY_ARRAY_INDEX`, `_SIZE` and `_ITEM` are set without it" },
  group: { of: "child", note: "the array itself holds no slot" },
  groupLimit: { of: "child", note: "" },
  onGroupFull: { of: "child", note: "`wait`; `reject` is refused" },
  priority: { of: "array", note: "its children have it too" },
  team: { of: "array", note: "its children belong to it too" },
  tags: { of: "child", note: "the array's row has them too" },
  source: { of: "array", note: "its children's rows have it too" },
  failureStatus: { of: "array", note: "" },
  outputLimit: { of: "child", note: "" },
  strict: { of: "array", note: "" },
  dryRun: { of: "array", note: "every item is judged" },
};
