/** The options of a host, from the supervisor or a test. */
import { z } from "zod";

export const HostOptionsSchema = z.strictObject({
  /** The built app's root: the folder of its package.json and host.json. */
  appFolder: z.string(),
  /** 0 for any free one. */
  port: z.number().int().min(0).max(65_535).default(7071),
  /** The address to listen on: loopback unless said otherwise. */
  address: z.string().default("127.0.0.1"),
  /** App settings; they come over the process's own environment. */
  env: z.record(z.string(), z.string()).default({}),
  /** Opens every function of level `function`. */
  hostKey: z.string().min(1).default("local"),
  /** Opens everything; the host key unless set. */
  masterKey: z.string().min(1).optional(),
  /** Opens the webhooks; the host key unless set. */
  systemKey: z.string().min(1).optional(),
  /** By function name: keys that open one function each. */
  functionKeys: z.record(z.string(), z.string().min(1)).default({}),
  /** Where the log goes: stdout unless set. */
  logFile: z.string().optional(),
  /** How long a received queue message stays hidden when this host dies: 10 minutes on the real host. */
  leaseSeconds: z.number().int().min(1).max(604_800).default(600),
  /** How long a timer stays locked when this host dies: 60 s on the real host. */
  timerLeaseSeconds: z.number().min(0.5).max(60).default(60),
  /** Hosts of one id and storage share their timers; made from the app's folder unless set. */
  hostId: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .optional(),
  /** How long a stop waits for what is running. */
  drainSeconds: z.number().min(0).default(30),
});

export type HostOptions = z.input<typeof HostOptionsSchema>;
export type ParsedHostOptions = z.output<typeof HostOptionsSchema>;
