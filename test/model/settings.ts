import { tagNames } from "../../src/shared/aci/arm-group.ts";
import { InstallationTag } from "../../src/shared/aci/installation-tag.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import { settings as baseSettings } from "../kit/kit.ts";
import { replyQueue } from "./queues.ts";

export const installation = "installation-1";
export const tagKey = "tag key";
export const installationTag = new InstallationTag({ id: installation, tagKey });

/** Whether a group carries our installation's tag. */
export const isTaggedOurs = (tags: Readonly<Record<string, string>>): boolean =>
  tags[tagNames.installation]?.startsWith(`${installation}.`) === true;

export const keepTime = 10 * minute;

const environment = {
  AZURE_LOCATION: "westeurope",
  KEEP_TIME: "PT10M",
  LOOK_INTERVAL_MIN: "PT4S",
  EXIT_CODE_TIME: "PT3M",
  DEFAULT_TIMEOUT: "PT6H",
  MAX_TIMEOUT: "PT6H",
  REPLY_QUEUES: replyQueue,
};
export const settings = baseSettings(environment);

const teams = {
  etl: { queue: true, weight: 3, limit: 1 },
  ml_lab: { queue: true, limit: 2, vcpuSecondsPerDay: 1200 },
  web: { queue: true },
};
export type TeamName = keyof typeof teams;
const ofTeams = { ...environment, TEAMS: JSON.stringify(teams) };

/** A world has one of them. With few creates lines form. */
export const kindsOfSettings = [
  settings,
  baseSettings(ofTeams),
  baseSettings({ ...ofTeams, ACI_CREATES_PER_5_MINUTES: "4", ACI_CREATES_PER_HOUR: "30" }),
  baseSettings({ ...environment, MAX_ACTIVE_JOBS: "4", MAX_ACTIVE_PER_NAME: "2" }),
];

/** Clocks of the hosts differ from the services' by so much: less than the margin that the machine keeps. */
export const skews = [0, 2 * second, -2 * second];
/** Between two hosts' clocks. */
export const maxSkew = 4 * second;
