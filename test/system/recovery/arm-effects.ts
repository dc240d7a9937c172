/** What goes wrong with calls to Azure Resource Manager, at random. */
export const armEffects: readonly object[] = [
  { type: "status", status: 429, retryAfter: 5 },
  { type: "status", status: 500 },
  { type: "status", status: 503, retryAfter: 5 },
  { type: "transitioning" },
  { type: "silence", when: "before" },
  { type: "silence", when: "after" },
  { type: "drop", when: "before" },
  { type: "drop", when: "after" },
  { type: "slow", seconds: 10 },
  { type: "notJson" },
];
