/** What jobs of a summary's row have in common. */
export const groupings = [
  "state",
  "reason",
  "fault",
  "name",
  "pipeline",
  "run",
  "team",
  "template",
  "location",
  "hour",
  "day",
] as const;
export type Grouping = (typeof groupings)[number];
