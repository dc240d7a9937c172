// Longer than 350 lines: made by `npm run docs` from the API's description; change src/http/openapi/ instead.

/** A word that a newer service may use. */
type NewerWord = string & {};

/** Ended: Succeeded, Failed, Stopped, TimedOut, Canceled. Unknown: it can't be read now. */
export type State =
  | "Queued"
  | "Provisioning"
  | "Pending"
  | "Running"
  | "Succeeded"
  | "Failed"
  | "Stopped"
  | "TimedOut"
  | "Canceled"
  | "Unknown"
  | NewerWord;

/** Stable; docs/faults.md explains each. */
export type Reason =
  | "Accepted"
  | "Starting"
  | "ImagePull"
  | "VolumeMount"
  | "ContainerStart"
  | "NotVisible"
  | "Paused"
  | "NameBusy"
  | "GroupFull"
  | "TeamFull"
  | "Budget"
  | "TooManyJobs"
  | "CreateLimit"
  | "QuotaReached"
  | "NoCapacity"
  | "Throttled"
  | "ArmUnavailable"
  | "GroupBusy"
  | "SealKeyUnavailable"
  | "VaultUnavailable"
  | "RegistryBusy"
  | "NotAuthorized"
  | "IdentityRefused"
  | "SubscriptionNotReady"
  | "ResourceLocked"
  | "TargetGone"
  | "SubnetFull"
  | "RetryDelay"
  | "InvalidDefinition"
  | "InvalidOptions"
  | "InvalidParameters"
  | "TemplateNotFound"
  | "InvalidMessage"
  | "NeverEnds"
  | "PolicyRefused"
  | "PolicyDenied"
  | "QuotaTooSmall"
  | "CreateFailed"
  | "DefinitionGone"
  | "SealKeyUnknown"
  | "VaultRefused"
  | "NameTaken"
  | "NameActive"
  | "KeyReused"
  | "InaccessibleImage"
  | "ImagePullFailed"
  | "MountFailed"
  | "StartFailed"
  | "NetworkFailed"
  | "StartTimeout"
  | "QueueTimeout"
  | "ProvisioningFailed"
  | "CrashLoop"
  | "Completed"
  | "ExitCode"
  | "ExitUnknown"
  | "ProbeFailed"
  | "OutOfMemory"
  | "PlatformRestart"
  | "SpotEvicted"
  | "GroupDisappeared"
  | "GroupReplaced"
  | "StoppedExternally"
  | "RunTimeout"
  | "DeadlineExceeded"
  | "ChildrenFailed"
  | "ArrayEnded"
  | "CanceledByCaller"
  | "Replaced"
  | "LeaseExpired"
  | "InternalError"
  | NewerWord;

/** Whose fault something was. */
export type Party =
  | "platform"
  | "image"
  | "definition"
  | "program"
  | "caller"
  | "quota"
  | "capacity"
  | "identity"
  | "network"
  | NewerWord;

/** Stable; docs/http.md explains each. */
export type ProblemCode =
  | "InvalidDefinition"
  | "InvalidOptions"
  | "InvalidRequest"
  | "InvalidParameters"
  | "NeverEnds"
  | "PolicyRefused"
  | "Forbidden"
  | "JobNotFound"
  | "TemplateNotFound"
  | "DefinitionNotFound"
  | "MessageNotFound"
  | "NameActive"
  | "AmbiguousName"
  | "GroupFull"
  | "JobEnded"
  | "CannotRerun"
  | "DefinitionGone"
  | "BodyTooSlow"
  | "VersionChanged"
  | "BodyTooLarge"
  | "ResultExists"
  | "ResultTooLate"
  | "KeyReused"
  | "TooManyJobs"
  | "InternalError"
  | "StorageUnavailable"
  | "InvalidSettings"
  | "SealKeyUnavailable"
  | "JobUnreadable"
  | "IndexLost"
  | NewerWord;

export interface ArrayStatus {
  /** Items. */
  readonly size: number;
  /** Items that run: in a rerun those alone that had not succeeded. */
  readonly runs?: number | undefined;
  /** Items. */
  readonly succeeded?: number | undefined;
  /** Items. */
  readonly failed?: number | undefined;
  /** Items. */
  readonly stopped?: number | undefined;
  /** Items. */
  readonly timedOut?: number | undefined;
  /** Items. */
  readonly canceled?: number | undefined;
  /** Children that exist and have not ended. */
  readonly active?: number | undefined;
  /** At most 20, the lowest indexes. */
  readonly failures?: readonly ItemFailure[] | undefined;
}

export interface ArrayRecord {
  /** Items. */
  readonly size: number;
  /** Items that run: in a rerun those alone that had not succeeded. */
  readonly runs?: number | undefined;
  /** Items. */
  readonly succeeded?: number | undefined;
  /** Items. */
  readonly failed?: number | undefined;
  /** Items. */
  readonly stopped?: number | undefined;
  /** Items. */
  readonly timedOut?: number | undefined;
  /** Items. */
  readonly canceled?: number | undefined;
  /** Children that exist and have not ended. */
  readonly active?: number | undefined;
  /** At most 20, the lowest indexes. */
  readonly failures?: readonly ItemFailure[] | undefined;
  /** Children that have not ended exist at once, at most. */
  readonly parallelism?: number | undefined;
  /**
   * For each index a letter: `S` succeeded, `F` failed, `O` stopped, `T` timed out, `C` canceled, `A` active, `.`
   * not made yet, `-` not of this run.
   */
  readonly ends?: string | undefined;
}

export interface ItemFailure {
  /** From 0. */
  readonly index: number;
  /** How it ended. */
  readonly state: string;
  /** Why. */
  readonly reason?: Reason | undefined;
  readonly exitCode?: number | undefined;
}

export interface ItemResult {
  /** From 0. */
  readonly index: number;
  /** Of its job. */
  readonly state: State;
  /** Why it waits, is being stopped, or ended. */
  readonly reason?: Reason | undefined;
  readonly exitCode?: number | undefined;
  /** The JSON object that the program printed last, or sent to its result address. */
  readonly result?: Readonly<Record<string, unknown>> | undefined;
}

export interface ChildResult {
  /** From 0. */
  readonly index: number;
  /** Of its job. */
  readonly state: State;
  /** Why it waits, is being stopped, or ended. */
  readonly reason?: Reason | undefined;
  readonly exitCode?: number | undefined;
  /** The JSON object that the program printed last, or sent to its result address. */
  readonly result?: Readonly<Record<string, unknown>> | undefined;
  /** Of the job that runs it. */
  readonly id: string;
  /** Of an array with items that are not secret, while its definition is kept. */
  readonly item?: string | number | boolean | Readonly<Record<string, unknown>> | undefined;
}

export interface Results {
  /** The job's id. */
  readonly id?: string | undefined;
  /** As its caller wrote it. */
  readonly name?: string | undefined;
  /** Its state. */
  readonly state?: State | undefined;
  /** Of the array. */
  readonly size?: number | undefined;
  /** By index; those that have no job yet are left out, and an item of a pack until that has ended. */
  readonly results: readonly ChildResult[];
  /** Where the next page begins; absent on the last one. */
  readonly continuation?: string | undefined;
}

export interface Fault {
  /** The member, as `properties.containers[0].properties.image`; an option's or parameter's name. */
  readonly path: string;
  /** Of the caller's text, from 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** What is wrong with it. */
  readonly message: string;
}

/** Azure's own error. */
export interface AzureError {
  /** Azure's own code. */
  readonly code?: string | undefined;
  /** Azure's own words, with secrets masked. */
  readonly message?: string | undefined;
  readonly httpStatus?: number | undefined;
  /** For Azure's support. */
  readonly correlationId?: string | undefined;
  /** For Azure's support. */
  readonly requestId?: string | undefined;
}

export interface Container {
  /** Started, as YYYY-MM-DDTHH:MM:SS, UTC. */
  readonly start_time?: string | null | undefined;
  /** Ended, as YYYY-MM-DDTHH:MM:SS, UTC. */
  readonly finish_time?: string | null | undefined;
  /** As Azure names it: Waiting, Running, Terminated. */
  readonly state?: string | undefined;
  /** Null where Azure reports no exit code. */
  readonly exit_code?: number | null | undefined;
  /** Azure's own word for it. */
  readonly detail_status?: string | null | undefined;
  /** The end of its log, as much as the option `outputLimit` allows. */
  readonly output?: string | undefined;
  /** The log is longer. */
  readonly output_truncated?: boolean | undefined;
  /** How much of its log was captured. */
  readonly log?: "complete" | "truncated" | "missing" | NewerWord | undefined;
  /** How often it was started again. */
  readonly restart_count?: number | undefined;
}

export interface ContainerSoFar {
  /** Started, as YYYY-MM-DDTHH:MM:SS, UTC. */
  readonly start_time?: string | null | undefined;
  /** Ended, as YYYY-MM-DDTHH:MM:SS, UTC. */
  readonly finish_time?: string | null | undefined;
  /** As Azure names it: Waiting, Running, Terminated. */
  readonly state?: string | undefined;
  /** Null where Azure reports no exit code. */
  readonly exit_code?: number | null | undefined;
  /** Azure's own word for it. */
  readonly detail_status?: string | null | undefined;
  /** The end of its log, as much as the option `outputLimit` allows. */
  readonly output?: string | undefined;
  /** The log is longer. */
  readonly output_truncated?: boolean | undefined;
  /** How much of its log was captured. */
  readonly log?: "complete" | "truncated" | "missing" | NewerWord | undefined;
  /** How often it was started again. */
  readonly restart_count?: number | undefined;
}

export interface HistoryLine {
  /** When. */
  readonly at: string;
  /** The state before; empty of the first. */
  readonly from?: string | undefined;
  /** The state after. */
  readonly to: string;
  /** Why. */
  readonly reason: string;
  /** From 1. */
  readonly attempt: number;
}

export interface GroupEvent {
  /** When. */
  readonly at?: string | undefined;
  /** Of which; absent of the group's own. */
  readonly container?: string | undefined;
  /** As Azure names it: Pulling, Started, Killing. */
  readonly name: string;
  /** Normal or Warning. */
  readonly type?: string | undefined;
  /** How often. */
  readonly count: number;
  /** Azure's own words, with secrets masked. */
  readonly message: string;
}

export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** How it ended. */
  readonly state: string;
  /** Why it ended. */
  readonly reason?: Reason | undefined;
  /** The sentence for people. */
  readonly detail?: string | undefined;
  readonly exitCode?: number | undefined;
  /** Whose exit code that is. */
  readonly container?: string | undefined;
  /** Why it had not begun, where its time ran out before it did. */
  readonly waitedFor?: Reason | undefined;
  /** Its create was sent. */
  readonly provisioningAt?: string | undefined;
  /** Its first container started. */
  readonly startedAt?: string | undefined;
  /** It ended. */
  readonly finishedAt?: string | undefined;
  /** Of the images, by Azure's events. */
  readonly pullSeconds?: number | undefined;
  /** Region of its group. */
  readonly location?: string | undefined;
  readonly containers?: Readonly<Record<string, Container>> | undefined;
  /** The JSON object that the program printed last, or sent to its result address. */
  readonly result?: Readonly<Record<string, unknown>> | undefined;
}

/** An end is decided, and Azure has not confirmed it. */
export interface JobRowStopping {
  /** Why it ends. */
  readonly reason: Reason;
  /** Since when. */
  readonly since: string;
}

export interface JobRowArray1 {
  /** Items. */
  readonly size?: number | undefined;
  /** Items that run: in a rerun those alone that had not succeeded. */
  readonly runs?: number | undefined;
  /** Items. */
  readonly succeeded?: number | undefined;
  /** Items. */
  readonly failed?: number | undefined;
  /** Items. */
  readonly stopped?: number | undefined;
  /** Items. */
  readonly timedOut?: number | undefined;
  /** Items. */
  readonly canceled?: number | undefined;
}

export interface JobRow {
  /** The job's id. */
  readonly id: string;
  /** As its caller wrote it. */
  readonly name: string;
  /** Of the container group: the name, or with `uniqueName` the name and a suffix. */
  readonly groupName?: string | undefined;
  /** Its state. */
  readonly state: State;
  /** Why it waits, is being stopped, or ended. */
  readonly reason?: Reason | undefined;
  /** A sentence for people. */
  readonly message?: string | undefined;
  /** Whose fault it was. */
  readonly fault?: Party | undefined;
  /** From 1. */
  readonly attempt?: number | undefined;
  /** Accepted. */
  readonly createdAt?: string | undefined;
  /** This attempt began to wait. */
  readonly queuedAt?: string | undefined;
  /** This attempt's create was sent. */
  readonly provisioningAt?: string | undefined;
  /** This attempt's first container started. */
  readonly startedAt?: string | undefined;
  /** Ended. */
  readonly finishedAt?: string | undefined;
  /** When a group that is kept goes. */
  readonly keptUntil?: string | undefined;
  /** `createdAt` and `timeout`. */
  readonly deadlineAt?: string | undefined;
  /** While it stands in a wait queue: when its create is expected to be sent. */
  readonly expectedStartAt?: string | undefined;
  /** Once its name has five successes: when it is expected to end. */
  readonly expectedEndAt?: string | undefined;
  /** Accepted to the first create. */
  readonly queueSeconds?: number | undefined;
  /** Create to the first container's start, this attempt. */
  readonly startSeconds?: number | undefined;
  /** Of the images, by Azure's events. */
  readonly pullSeconds?: number | undefined;
  /** First container's start to the job's end. */
  readonly runSeconds?: number | undefined;
  /** Accepted to ended. */
  readonly durationSeconds?: number | undefined;
  /** How often Azure took a Spot group's capacity back, over all attempts. */
  readonly evictions?: number | undefined;
  /** Of `main`, else of the container that failed first, else 0. */
  readonly exitCode?: number | undefined;
  /** Whose exit code that is. */
  readonly failedContainer?: string | undefined;
  /** Init containers left out. */
  readonly containerCount?: number | undefined;
  /** Separated by commas. */
  readonly images?: string | undefined;
  /** Cores that the group asks for. */
  readonly cpu?: number | undefined;
  /** Memory that the group asks for. */
  readonly memoryGB?: number | undefined;
  /** Over all attempts. */
  readonly vcpuSeconds?: number | undefined;
  /** Over all attempts. */
  readonly gbSeconds?: number | undefined;
  /** In `currency`. */
  readonly costEstimate?: number | undefined;
  /** Of the estimate. */
  readonly currency?: string | undefined;
  /** Region of the group. */
  readonly location?: string | undefined;
  /** Of the group. */
  readonly resourceGroup?: string | undefined;
  /** The group is known to be gone, or was never created. */
  readonly groupDeleted?: boolean | undefined;
  /** An end is decided, and Azure has not confirmed it. */
  readonly stopping?: JobRowStopping | undefined;
  /** Who asked, by their token. */
  readonly requestedBy?: string | undefined;
  /** How it came. */
  readonly via?: "http" | "queue" | "rerun" | NewerWord | undefined;
  /** Of the option `source`. */
  readonly factory?: string | undefined;
  /** Of the option `source`. */
  readonly pipeline?: string | undefined;
  /** Of the option `source`. */
  readonly pipelineRunId?: string | undefined;
  /** Of the option `source`. */
  readonly activity?: string | undefined;
  /** Its labels; text where the cell was edited by hand and is no JSON. */
  readonly tags?: Readonly<Record<string, string>> | string | undefined;
  /** Of the option `group`, in lower case. */
  readonly group?: string | undefined;
  /** Seconds of head start in wait queues. */
  readonly priority?: number | undefined;
  /** Whose job it is, in lower case. */
  readonly team?: string | undefined;
  /** Of the job that this one runs again. */
  readonly rerunOf?: string | undefined;
  /** The template that it is a run of. */
  readonly template?: string | undefined;
  /** Of its template. */
  readonly templateVersion?: number | undefined;
  /** Of an array: its size, and how many ended in each way; text where the cell was edited by hand. */
  readonly array?: JobRowArray1 | string | undefined;
  /** The job's id. */
  readonly arrayId?: string | undefined;
  /** Which of the array's items it runs, from 0. */
  readonly arrayIndex?: number | undefined;
  /** Of the queue's message that brought it. */
  readonly messageId?: string | undefined;
  /** How many the definition got. */
  readonly warnings?: number | undefined;
  /** Of `callBackUri`. */
  readonly callbackState?: "none" | "pending" | "delivered" | "gone" | "failed" | NewerWord | undefined;
  /** Of the row's form. */
  readonly version?: number | undefined;
}

export interface Accepted {
  /** A sentence for people. */
  readonly message: string;
  /** As its caller wrote it. */
  readonly name: string;
  /** Its state. */
  readonly state: State;
  /** The job's id. */
  readonly id: string;
  readonly statusUrl?: string | undefined;
  readonly logsUrl?: string | undefined;
  /** An earlier job, which the call joined. */
  readonly attached?: boolean | undefined;
  /** Of the job that this one runs again. */
  readonly rerunOf?: string | undefined;
  readonly warnings?: readonly Fault[] | undefined;
}

export interface Checked {
  /** A sentence for people. */
  readonly message: string;
  /** As its caller wrote it. */
  readonly name?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly warnings?: readonly Fault[] | undefined;
}

/** Why it has not begun; of an array that runs, why no child does. */
export interface StatusWaiting {
  /** Why it has not begun. */
  readonly reason: Reason;
  /** Since when. */
  readonly since?: string | undefined;
  /** More about it. */
  readonly detail?: string | undefined;
  /** Its place among those that wait for the same, from 1. */
  readonly position?: number | undefined;
  /** What can be done about it. */
  readonly advice?: string | undefined;
}

/** Where it stands in the wait queue; absent behind the first 1,000. */
export interface StatusQueue {
  /** In the order in which the wait queue would be called now, at most 15 s old, from 1. */
  readonly position: number;
  /** How many stand in it; at most 1,000 are counted. */
  readonly of: number;
  /** When its create is expected to be sent; for creates, groups and names only. */
  readonly expectedStartAt?: string | undefined;
}

/** An end is decided, and Azure has not confirmed it. */
export interface StatusStopping {
  /** Why it ends. */
  readonly reason: Reason;
  /** Since when. */
  readonly since: string;
}

export interface Status {
  /** A sentence for people. */
  readonly message?: string | undefined;
  /** As its caller wrote it. */
  readonly name?: string | undefined;
  /** Its state. */
  readonly state: State;
  /** The job's id. */
  readonly id: string;
  /** From 1. */
  readonly attempt?: number | undefined;
  /** Accepted. */
  readonly createdAt?: string | undefined;
  /** This attempt's first container started. */
  readonly startedAt?: string | undefined;
  /** Whose job it is. */
  readonly team?: string | undefined;
  readonly logsUrl?: string | undefined;
  /** Of the job that this one runs again. */
  readonly rerunOf?: string | undefined;
  readonly warnings?: readonly Fault[] | undefined;
  readonly azure?: AzureError | undefined;
  /** By name; empty while they run. */
  readonly containers?: Readonly<Record<string, ContainerSoFar>> | undefined;
  readonly initContainers?: Readonly<Record<string, ContainerSoFar>> | undefined;
  /** Why it waits, is being stopped, or ended. */
  readonly reason?: Reason | undefined;
  /** Why it has not begun; of an array that runs, why no child does. */
  readonly waiting?: StatusWaiting | undefined;
  /** Where it stands in the wait queue; absent behind the first 1,000. */
  readonly queue?: StatusQueue | undefined;
  /** Once its name has five successes: when it is expected to end. */
  readonly expectedEndAt?: string | undefined;
  /** It runs for longer than 95 of 100 of its name; known after ten successes. */
  readonly late?: boolean | undefined;
  /** An end is decided, and Azure has not confirmed it. */
  readonly stopping?: StatusStopping | undefined;
  /** Whose fault it was. */
  readonly fault?: Party | undefined;
  /** What can be done about it. */
  readonly advice?: string | undefined;
  readonly exitCode?: number | undefined;
  /** Whose exit code that is. */
  readonly failedContainer?: string | undefined;
  /** Ended. */
  readonly finishedAt?: string | undefined;
  /** The group is gone. */
  readonly groupDeleted?: boolean | undefined;
  /** The JSON object that the program printed last, or sent to its result address. */
  readonly result?: Readonly<Record<string, unknown>> | undefined;
  readonly array?: ArrayStatus | undefined;
  /** Of an array: what came of each index. */
  readonly resultsUrl?: string | undefined;
  /** Of an array that has ended: by index, as many as fit into 256 KiB. */
  readonly results?: readonly ItemResult[] | undefined;
  /** `resultsUrl` has more. */
  readonly resultsTruncated?: boolean | undefined;
}

export interface Unknown {
  /** A sentence for people. */
  readonly message?: string | undefined;
  /** The job's id. */
  readonly id: string;
  /** It can't be read now; ask again. */
  readonly state: string;
}

export interface ResultStored {
  /** A sentence for people. */
  readonly message?: string | undefined;
  /** The job's id. */
  readonly id?: string | undefined;
  /** From 1. */
  readonly attempt?: number | undefined;
}

export interface Deleted {
  /** A sentence for people. */
  readonly message: string;
  /** As its caller wrote it. */
  readonly name?: string | undefined;
  /** Its state. */
  readonly state?: State | undefined;
  /** The job's id. */
  readonly id?: string | undefined;
  /** The group is gone. */
  readonly groupDeleted?: boolean | undefined;
}

export interface JobPage {
  readonly jobs: readonly JobRow[];
  /** Rows that can't be read and are left out. */
  readonly skipped?: number | undefined;
  /** Where the next page begins; absent on the last one. */
  readonly continuation?: string | undefined;
}

/** An end is decided, and Azure has not confirmed it. */
export interface UnreadableJobStopping {
  /** Why it ends. */
  readonly reason?: Reason | undefined;
  /** Since when. */
  readonly since?: string | undefined;
}

export interface UnreadableJobArray1 {
  /** Items. */
  readonly size?: number | undefined;
  /** Items that run: in a rerun those alone that had not succeeded. */
  readonly runs?: number | undefined;
  /** Items. */
  readonly succeeded?: number | undefined;
  /** Items. */
  readonly failed?: number | undefined;
  /** Items. */
  readonly stopped?: number | undefined;
  /** Items. */
  readonly timedOut?: number | undefined;
  /** Items. */
  readonly canceled?: number | undefined;
}

/** The columns of a row that can't be read. */
export interface UnreadableJob {
  /** The job's id. */
  readonly id?: string | undefined;
  /** As its caller wrote it. */
  readonly name?: string | undefined;
  /** Of the container group: the name, or with `uniqueName` the name and a suffix. */
  readonly groupName?: string | undefined;
  /** Its state. */
  readonly state?: State | undefined;
  /** Why it waits, is being stopped, or ended. */
  readonly reason?: Reason | undefined;
  /** A sentence for people. */
  readonly message?: string | undefined;
  /** Whose fault it was. */
  readonly fault?: Party | undefined;
  /** From 1. */
  readonly attempt?: number | undefined;
  /** Accepted. */
  readonly createdAt?: string | undefined;
  /** This attempt began to wait. */
  readonly queuedAt?: string | undefined;
  /** This attempt's create was sent. */
  readonly provisioningAt?: string | undefined;
  /** This attempt's first container started. */
  readonly startedAt?: string | undefined;
  /** Ended. */
  readonly finishedAt?: string | undefined;
  /** When a group that is kept goes. */
  readonly keptUntil?: string | undefined;
  /** `createdAt` and `timeout`. */
  readonly deadlineAt?: string | undefined;
  /** While it stands in a wait queue: when its create is expected to be sent. */
  readonly expectedStartAt?: string | undefined;
  /** Once its name has five successes: when it is expected to end. */
  readonly expectedEndAt?: string | undefined;
  /** Accepted to the first create. */
  readonly queueSeconds?: number | undefined;
  /** Create to the first container's start, this attempt. */
  readonly startSeconds?: number | undefined;
  /** Of the images, by Azure's events. */
  readonly pullSeconds?: number | undefined;
  /** First container's start to the job's end. */
  readonly runSeconds?: number | undefined;
  /** Accepted to ended. */
  readonly durationSeconds?: number | undefined;
  /** How often Azure took a Spot group's capacity back, over all attempts. */
  readonly evictions?: number | undefined;
  /** Of `main`, else of the container that failed first, else 0. */
  readonly exitCode?: number | undefined;
  /** Whose exit code that is. */
  readonly failedContainer?: string | undefined;
  /** Init containers left out. */
  readonly containerCount?: number | undefined;
  /** Separated by commas. */
  readonly images?: string | undefined;
  /** Cores that the group asks for. */
  readonly cpu?: number | undefined;
  /** Memory that the group asks for. */
  readonly memoryGB?: number | undefined;
  /** Over all attempts. */
  readonly vcpuSeconds?: number | undefined;
  /** Over all attempts. */
  readonly gbSeconds?: number | undefined;
  /** In `currency`. */
  readonly costEstimate?: number | undefined;
  /** Of the estimate. */
  readonly currency?: string | undefined;
  /** Region of the group. */
  readonly location?: string | undefined;
  /** Of the group. */
  readonly resourceGroup?: string | undefined;
  /** The group is known to be gone, or was never created. */
  readonly groupDeleted?: boolean | undefined;
  /** An end is decided, and Azure has not confirmed it. */
  readonly stopping?: UnreadableJobStopping | undefined;
  /** Who asked, by their token. */
  readonly requestedBy?: string | undefined;
  /** How it came. */
  readonly via?: "http" | "queue" | "rerun" | NewerWord | undefined;
  /** Of the option `source`. */
  readonly factory?: string | undefined;
  /** Of the option `source`. */
  readonly pipeline?: string | undefined;
  /** Of the option `source`. */
  readonly pipelineRunId?: string | undefined;
  /** Of the option `source`. */
  readonly activity?: string | undefined;
  /** Its labels; text where the cell was edited by hand and is no JSON. */
  readonly tags?: Readonly<Record<string, string>> | string | undefined;
  /** Of the option `group`, in lower case. */
  readonly group?: string | undefined;
  /** Seconds of head start in wait queues. */
  readonly priority?: number | undefined;
  /** Whose job it is, in lower case. */
  readonly team?: string | undefined;
  /** Of the job that this one runs again. */
  readonly rerunOf?: string | undefined;
  /** The template that it is a run of. */
  readonly template?: string | undefined;
  /** Of its template. */
  readonly templateVersion?: number | undefined;
  /** Of an array: its size, and how many ended in each way; text where the cell was edited by hand. */
  readonly array?: UnreadableJobArray1 | string | undefined;
  /** The job's id. */
  readonly arrayId?: string | undefined;
  /** Which of the array's items it runs, from 0. */
  readonly arrayIndex?: number | undefined;
  /** Of the queue's message that brought it. */
  readonly messageId?: string | undefined;
  /** How many the definition got. */
  readonly warnings?: number | undefined;
  /** Of `callBackUri`. */
  readonly callbackState?: "none" | "pending" | "delivered" | "gone" | "failed" | NewerWord | undefined;
  /** Of the row's form. */
  readonly version?: number | undefined;
  /** Why there is no more. */
  readonly unreadable?: string | undefined;
}

export interface Definition {
  /** The job's id. */
  readonly id?: string | undefined;
  /** The container group as it was submitted; `***` stands for what is or may be a secret. */
  readonly definition?: Readonly<Record<string, unknown>> | undefined;
}

/** An end is decided, and Azure has not confirmed it. */
export interface JobRecordStopping {
  /** Why it ends. */
  readonly reason: Reason;
  /** Since when. */
  readonly since: string;
}

export interface JobRecordContainers {
  /** Started, as YYYY-MM-DDTHH:MM:SS, UTC. */
  readonly start_time?: string | null | undefined;
  /** Ended, as YYYY-MM-DDTHH:MM:SS, UTC. */
  readonly finish_time?: string | null | undefined;
  /** As Azure names it: Waiting, Running, Terminated. */
  readonly state?: string | undefined;
  /** Null where Azure reports no exit code. */
  readonly exit_code?: number | null | undefined;
  /** Azure's own word for it. */
  readonly detail_status?: string | null | undefined;
  /** The end of its log, as much as the option `outputLimit` allows. */
  readonly output?: string | undefined;
  /** The log is longer. */
  readonly output_truncated?: boolean | undefined;
  /** How much of its log was captured. */
  readonly log?: "complete" | "truncated" | "missing" | NewerWord | undefined;
  /** How often it was started again. */
  readonly restart_count?: number | undefined;
  readonly init?: boolean | undefined;
}

export interface JobRecordOptionsRetryOnWhen1 {
  readonly exitCodes?: readonly number[] | undefined;
}

export interface JobRecordOptionsRetryOnWhen2 {
  /** That reason. */
  readonly reason?: Reason | undefined;
}

export interface JobRecordOptionsRetryOnWhen3 {
  /** Whose fault it was. */
  readonly party?: Party | undefined;
}

export interface JobRecordOptionsRetryOn {
  readonly when?:
    JobRecordOptionsRetryOnWhen1 | JobRecordOptionsRetryOnWhen2 | JobRecordOptionsRetryOnWhen3 | string | undefined;
  readonly retry?: boolean | undefined;
}

export interface JobRecordOptionsSource {
  readonly factory?: string | undefined;
  readonly pipeline?: string | undefined;
  readonly pipelineRunId?: string | undefined;
  readonly activity?: string | undefined;
}

export interface JobRecordOptions {
  readonly polling?: "false" | "true" | "started" | "link" | NewerWord | undefined;
  readonly timeout?: string | undefined;
  readonly queueTimeout?: string | undefined;
  readonly startTimeout?: string | undefined;
  readonly runTimeout?: string | undefined;
  readonly retries?: number | undefined;
  readonly retryOn?: readonly JobRecordOptionsRetryOn[] | undefined;
  readonly onConflict?: "reject" | "wait" | "replace" | "attach" | NewerWord | undefined;
  readonly uniqueName?: boolean | undefined;
  readonly main?: string | undefined;
  readonly keep?: "never" | "failed" | "always" | NewerWord | undefined;
  readonly lease?: string | undefined;
  readonly env?: boolean | undefined;
  readonly group?: string | undefined;
  readonly groupLimit?: number | undefined;
  readonly onGroupFull?: "wait" | "reject" | NewerWord | undefined;
  readonly priority?: number | undefined;
  readonly team?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly source?: JobRecordOptionsSource | undefined;
  readonly failureStatus?: number | undefined;
  readonly outputLimit?: number | undefined;
  readonly array?: number | undefined;
  readonly parallelism?: number | undefined;
  readonly failFast?: boolean | undefined;
  readonly minSuccess?: number | string | undefined;
  readonly pack?: number | undefined;
  readonly strict?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Why it has not begun. */
export interface JobRecordWaiting {
  /** Why it has not begun. */
  readonly reason: Reason;
  /** Since when. */
  readonly since: string;
  /** More about it. */
  readonly detail?: string | undefined;
  /** Its place among those that wait for the same, from 1. */
  readonly position?: number | undefined;
}

/** Where it stands in the wait queue; absent behind the first 1,000. */
export interface JobRecordQueue {
  /** In the order in which the wait queue would be called now, at most 15 s old, from 1. */
  readonly position: number;
  /** How many stand in it; at most 1,000 are counted. */
  readonly of: number;
  /** When its create is expected to be sent; for creates, groups and names only. */
  readonly expectedStartAt?: string | undefined;
}

export interface JobRecordCancel {
  /** When. */
  readonly at?: string | undefined;
  /** Why. */
  readonly reason?: Reason | undefined;
  /** Who, by their token. */
  readonly by?: string | undefined;
}

export interface JobRecord {
  /** The job's id. */
  readonly id: string;
  /** As its caller wrote it. */
  readonly name: string;
  /** Of the container group: the name, or with `uniqueName` the name and a suffix. */
  readonly groupName?: string | undefined;
  /** Its state. */
  readonly state: State;
  /** Why it waits, is being stopped, or ended. */
  readonly reason?: Reason | undefined;
  /** A sentence for people. */
  readonly message?: string | undefined;
  /** Whose fault it was. */
  readonly fault?: Party | undefined;
  /** From 1. */
  readonly attempt?: number | undefined;
  /** Accepted. */
  readonly createdAt?: string | undefined;
  /** This attempt began to wait. */
  readonly queuedAt?: string | undefined;
  /** This attempt's create was sent. */
  readonly provisioningAt?: string | undefined;
  /** This attempt's first container started. */
  readonly startedAt?: string | undefined;
  /** Ended. */
  readonly finishedAt?: string | undefined;
  /** When a group that is kept goes. */
  readonly keptUntil?: string | undefined;
  /** `createdAt` and `timeout`. */
  readonly deadlineAt?: string | undefined;
  /** While it stands in a wait queue: when its create is expected to be sent. */
  readonly expectedStartAt?: string | undefined;
  /** Once its name has five successes: when it is expected to end. */
  readonly expectedEndAt?: string | undefined;
  /** Accepted to the first create. */
  readonly queueSeconds?: number | undefined;
  /** Create to the first container's start, this attempt. */
  readonly startSeconds?: number | undefined;
  /** Of the images, by Azure's events. */
  readonly pullSeconds?: number | undefined;
  /** First container's start to the job's end. */
  readonly runSeconds?: number | undefined;
  /** Accepted to ended. */
  readonly durationSeconds?: number | undefined;
  /** How often Azure took a Spot group's capacity back, over all attempts. */
  readonly evictions?: number | undefined;
  /** Of `main`, else of the container that failed first, else 0. */
  readonly exitCode?: number | undefined;
  /** Whose exit code that is. */
  readonly failedContainer?: string | undefined;
  /** Init containers left out. */
  readonly containerCount?: number | undefined;
  /** Separated by commas. */
  readonly images?: string | undefined;
  /** Cores that the group asks for. */
  readonly cpu?: number | undefined;
  /** Memory that the group asks for. */
  readonly memoryGB?: number | undefined;
  /** Over all attempts. */
  readonly vcpuSeconds?: number | undefined;
  /** Over all attempts. */
  readonly gbSeconds?: number | undefined;
  /** In `currency`. */
  readonly costEstimate?: number | undefined;
  /** Of the estimate. */
  readonly currency?: string | undefined;
  /** Region of the group. */
  readonly location?: string | undefined;
  /** Of the group. */
  readonly resourceGroup?: string | undefined;
  /** The group is known to be gone, or was never created. */
  readonly groupDeleted?: boolean | undefined;
  /** An end is decided, and Azure has not confirmed it. */
  readonly stopping?: JobRecordStopping | undefined;
  /** Who asked, by their token. */
  readonly requestedBy?: string | undefined;
  /** How it came. */
  readonly via?: "http" | "queue" | "rerun" | NewerWord | undefined;
  /** Of the option `source`. */
  readonly factory?: string | undefined;
  /** Of the option `source`. */
  readonly pipeline?: string | undefined;
  /** Of the option `source`. */
  readonly pipelineRunId?: string | undefined;
  /** Of the option `source`. */
  readonly activity?: string | undefined;
  /** Its labels; text where the cell was edited by hand and is no JSON. */
  readonly tags?: Readonly<Record<string, string>> | string | undefined;
  /** Of the option `group`, in lower case. */
  readonly group?: string | undefined;
  /** Seconds of head start in wait queues. */
  readonly priority?: number | undefined;
  /** Whose job it is, in lower case. */
  readonly team?: string | undefined;
  /** Of the job that this one runs again. */
  readonly rerunOf?: string | undefined;
  /** The template that it is a run of. */
  readonly template?: string | undefined;
  /** Of its template. */
  readonly templateVersion?: number | undefined;
  readonly array?: ArrayRecord | undefined;
  /** The job's id. */
  readonly arrayId?: string | undefined;
  /** Which of the array's items it runs, from 0. */
  readonly arrayIndex?: number | undefined;
  /** Of the queue's message that brought it. */
  readonly messageId?: string | undefined;
  readonly warnings?: readonly Fault[] | undefined;
  /** Of `callBackUri`. */
  readonly callbackState?: "none" | "pending" | "delivered" | "gone" | "failed" | NewerWord | undefined;
  /** Of the row's form. */
  readonly version?: number | undefined;
  /** Of the definition. */
  readonly apiVersion?: string | undefined;
  /** Of an array: what came of each index. */
  readonly resultsUrl?: string | undefined;
  readonly containers?: Readonly<Record<string, JobRecordContainers>> | undefined;
  readonly options?: JobRecordOptions | undefined;
  /** When the service looks at its group next. */
  readonly lookAt?: string | undefined;
  /** Why it has not begun. */
  readonly waiting?: JobRecordWaiting | undefined;
  /** Where it stands in the wait queue; absent behind the first 1,000. */
  readonly queue?: JobRecordQueue | undefined;
  /** It runs for longer than 95 of 100 of its name; known after ten successes. */
  readonly late?: boolean | undefined;
  readonly cancel?: JobRecordCancel | undefined;
  /** Its states, and its longer waits (from and to `Queued`), oldest first. */
  readonly history?: readonly HistoryLine[] | undefined;
  /** Azure's events of the group and its containers. */
  readonly events?: readonly GroupEvent[] | undefined;
  /** Those that ended, oldest first. */
  readonly attempts?: readonly Attempt[] | undefined;
  readonly azure?: AzureError | undefined;
  /** Of the message that posted it. */
  readonly correlationId?: string | undefined;
  /** Of `replyTo`. */
  readonly replyState?: "none" | "pending" | "delivered" | "gone" | "failed" | NewerWord | undefined;
}

export interface Problem {
  /** A sentence for people. */
  readonly message: string;
  readonly code?: ProblemCode | undefined;
  /** Every fault, each with its place. */
  readonly errors?: readonly Fault[] | undefined;
  /** What is odd besides. */
  readonly warnings?: readonly Fault[] | undefined;
  /** Found in the service's logs. */
  readonly requestId?: string | undefined;
  /** Of the job that stands in the way. */
  readonly id?: string | undefined;
  /** Of the job that stands in the way. */
  readonly name?: string | undefined;
  /** Its state. */
  readonly state?: State | undefined;
  /** Of the jobs that the name could mean. */
  readonly ids?: readonly string[] | undefined;
  /** That has no free slot. */
  readonly group?: string | undefined;
  /** Slots of it that are held. */
  readonly held?: number | undefined;
  /** The smaller of the job's own and the operator's. */
  readonly limit?: number | undefined;
  /** Jobs that wait for one, counted to a thousand. */
  readonly waiting?: number | undefined;
  /** Where the two definitions of one idempotency key differ. */
  readonly path?: string | undefined;
  /** What is wrong with the service's settings. */
  readonly faults?: readonly string[] | undefined;
}

/** Accepted to the first create, of the jobs that have such a time; null where no job has it. */
export interface SummaryRowQueueSeconds {
  /** Half of them took no longer. */
  readonly p50?: number | null | undefined;
  /** 95 of 100 took no longer. */
  readonly p95?: number | null | undefined;
}

/** Create to the first container's start, of the jobs that have such a time; null where no job has it. */
export interface SummaryRowStartSeconds {
  /** Half of them took no longer. */
  readonly p50?: number | null | undefined;
  /** 95 of 100 took no longer. */
  readonly p95?: number | null | undefined;
}

/** First container's start to the end, of the jobs that have such a time; null where no job has it. */
export interface SummaryRowRunSeconds {
  /** Half of them took no longer. */
  readonly p50?: number | null | undefined;
  /** 95 of 100 took no longer. */
  readonly p95?: number | null | undefined;
}

export interface SummaryRow {
  /**
   * What these jobs have in common; empty for those without one. Hours as 2026-11-24T08:00:00Z, days as
   * 2026-11-24.
   */
  readonly key: string;
  /** How many. */
  readonly count: number;
  /** Of these. */
  readonly succeeded?: number | undefined;
  /** Of these, ended in any other way: Failed, Stopped, TimedOut, Canceled. */
  readonly failed?: number | undefined;
  /** Accepted to the first create, of the jobs that have such a time; null where no job has it. */
  readonly queueSeconds?: SummaryRowQueueSeconds | undefined;
  /** Create to the first container's start, of the jobs that have such a time; null where no job has it. */
  readonly startSeconds?: SummaryRowStartSeconds | undefined;
  /** First container's start to the end, of the jobs that have such a time; null where no job has it. */
  readonly runSeconds?: SummaryRowRunSeconds | undefined;
  /** All together. */
  readonly vcpuSeconds?: number | undefined;
  /** All together. */
  readonly gbSeconds?: number | undefined;
  /** All together, in `currency`. */
  readonly cost?: number | undefined;
}

export interface Caller {
  /** With `AUTH_MODE=entra`: of the person, or of the application that calls for itself. */
  readonly id?: string | undefined;
  /** `submit` jobs, `cancel` its own, `steer` (cancel any, run again) one by one, `operate` on many at once. */
  readonly may?: readonly ("read" | "submit" | "cancel" | "steer" | "operate" | NewerWord)[] | undefined;
  /** That the caller belongs to, where teams guard; a new job is the first one's. */
  readonly teams?: readonly string[] | undefined;
}

export interface Summary {
  readonly by?:
    | "state"
    | "reason"
    | "fault"
    | "name"
    | "pipeline"
    | "run"
    | "team"
    | "template"
    | "location"
    | "hour"
    | "day"
    | NewerWord
    | undefined;
  /** When the jobs were read: an answer is kept for a minute. */
  readonly generatedAt?: string | undefined;
  /** Accepted at or after. */
  readonly since?: string | undefined;
  /** Accepted before. */
  readonly until?: string | undefined;
  /** Hours and days in their order, all else the largest first. */
  readonly rows: readonly SummaryRow[];
  /** Rows that can't be read and are not counted. */
  readonly skipped?: number | undefined;
  /** Of `cost`. */
  readonly currency?: string | undefined;
  /** There are more jobs than were read: the newest were. */
  readonly truncated?: boolean | undefined;
}

export interface LogLines {
  /** Whose output. */
  readonly container: string;
  /** When, ISO 8601; empty where that is not known. */
  readonly at?: string | undefined;
  /** The line. */
  readonly text: string;
  /** The line is the service's own: it says what is missing here. */
  readonly mark?: boolean | undefined;
}

export interface Log {
  /** The job's id. */
  readonly id?: string | undefined;
  /** The job's name. */
  readonly name?: string | undefined;
  /** Its state. */
  readonly state?: State | undefined;
  /** Of which attempt, from 1. */
  readonly attempt?: number | undefined;
  readonly lines: readonly LogLines[];
}

export interface Canceled {
  /** A sentence for people. */
  readonly message: string;
  /** How many are being canceled. */
  readonly canceled?: number | undefined;
  /** How many fit and are not canceled yet. */
  readonly matched?: number | undefined;
  /** Nothing was done. */
  readonly dryRun?: boolean | undefined;
  /** The first thousand. */
  readonly ids?: readonly string[] | undefined;
  /** How many can't be read, and are left alone. */
  readonly unreadable?: number | undefined;
  /** The time of one call was over; the service goes on. */
  readonly more?: boolean | undefined;
}

export interface Rerun {
  /** A sentence for people. */
  readonly message: string;
  /** How many run again. */
  readonly rerun?: number | undefined;
  /** How many fit. */
  readonly matched?: number | undefined;
  /** How many were run again before. */
  readonly known?: number | undefined;
  /** How many can't be run again: their definition is no longer kept, a policy forbids them, a ceiling is reached. */
  readonly refused?: number | undefined;
  /** Nothing was done. */
  readonly dryRun?: boolean | undefined;
  /** The new jobs of this call, the first thousand. */
  readonly ids?: readonly string[] | undefined;
  /** The time of one call was over; the service goes on. */
  readonly more?: boolean | undefined;
}

export interface Priority {
  /** A sentence for people. */
  readonly message: string;
  /** The job's id. */
  readonly id?: string | undefined;
  readonly priority?: number | undefined;
}

export interface GroupSlots {
  /** The job's id. */
  readonly id: string;
  /** The job's name. */
  readonly name: string;
  /** It has its slot. */
  readonly since?: string | undefined;
  /** It has ended, and Azure does not confirm that nothing of it runs any more. */
  readonly leaked?: boolean | undefined;
}

export interface GroupWaiting {
  /** The job's id. */
  readonly id: string;
  /** The job's name. */
  readonly name: string;
  /** Its wait counts from: accepted less its priority. */
  readonly since?: string | undefined;
  /** Its own. */
  readonly limit?: number | undefined;
}

export interface Group {
  /** Its name, in lower case. */
  readonly group: string;
  /** Slots that are held. */
  readonly held: number;
  /** The operator's; null where the operator has set no limit. */
  readonly limit?: number | null | undefined;
  /** An operator lets nobody in. */
  readonly paused?: boolean | undefined;
  /** Who holds them: the first 20 in a list, the first 1,000 of one group. */
  readonly slots?: readonly GroupSlots[] | undefined;
  /** Who waits, the next first; as many. */
  readonly waiting?: readonly GroupWaiting[] | undefined;
  /** Not all are shown. */
  readonly more?: boolean | undefined;
}

export interface Groups {
  /** Those of which a slot is held, or an operator has said something. */
  readonly groups: readonly Group[];
  /** Where the next page begins. */
  readonly continuation?: string | undefined;
}

export interface Paused {
  /** A sentence for people. */
  readonly message: string;
  readonly paused?: boolean | undefined;
  /** What people read. */
  readonly reason?: string | undefined;
}

export interface Resumed {
  /** A sentence for people. */
  readonly message: string;
  readonly paused?: boolean | undefined;
  /** How many waited for this. */
  readonly woken?: number | undefined;
  /** The time of one call was over; the others follow. */
  readonly more?: boolean | undefined;
}

export interface Reindexed {
  /** A sentence for people. */
  readonly message: string;
  /** The index is whole: jobs are accepted again. False: call again. */
  readonly complete: boolean;
  /** Rows that were read so far. */
  readonly jobs?: number | undefined;
  /** Of these, rows that can't be read; their names are kept for them. */
  readonly skipped?: number | undefined;
}

export interface AdoptableGroups {
  readonly name: string;
  readonly resourceGroup: string;
  readonly location?: string | undefined;
  /** As Azure reports it, or Unknown. */
  readonly state: string;
  /** A job of this name could replace it. */
  readonly replaceable: boolean;
}

export interface Adoptable {
  /** A sentence for people. */
  readonly message: string;
  /** `ADOPT_FINISHED_GROUPS` is on. */
  readonly enabled: boolean;
  /** False where a list failed or was cut off. */
  readonly complete?: boolean | undefined;
  readonly groups: readonly AdoptableGroups[];
}

export interface TemplateInfo {
  /** The template's. */
  readonly name: string;
  /** From 1; never given twice. */
  readonly version: number;
  /** When this version was stored. */
  readonly createdAt?: string | undefined;
  /** Who stored it, by their token. */
  readonly createdBy?: string | undefined;
  /** In the order of their declaration. */
  readonly parameterNames?: readonly string[] | undefined;
}

export interface TemplatePage {
  /** By name; of each its newest version. */
  readonly templates: readonly TemplateInfo[];
  /** Where the next page begins; absent on the last. */
  readonly continuation?: string | undefined;
}

export interface TemplateParameter {
  readonly type: "string" | "number" | "boolean" | "list" | NewerWord;
  /** Its value is kept secret. */
  readonly secret?: boolean | undefined;
  /** It has no default. */
  readonly required?: boolean | undefined;
  /** What its author says of it. */
  readonly description?: string | undefined;
  /** What it is unless it is given. */
  readonly default?: string | number | boolean | readonly string[] | undefined;
  /** All that it may be. */
  readonly values?: readonly (string | number)[] | undefined;
  /** What its text must match (RE2), as a whole. */
  readonly pattern?: string | undefined;
}

export interface Template {
  /** The template's. */
  readonly name: string;
  /** From 1; never given twice. */
  readonly version: number;
  /** When this version was stored. */
  readonly createdAt?: string | undefined;
  /** Who stored it, by their token. */
  readonly createdBy?: string | undefined;
  /** In the order of their declaration. */
  readonly parameterNames?: readonly string[] | undefined;
  /** Its text as it was stored: it can be edited and stored again. */
  readonly definition: string;
  /** By name. */
  readonly parameters: Readonly<Record<string, TemplateParameter>>;
  /** Options that a caller with Job.Run alone may set. */
  readonly allow?: readonly string[] | undefined;
  /** Those that are kept, newest first; absent where one version was asked for. */
  readonly versions?: readonly TemplateInfo[] | undefined;
}

export interface TemplateStored {
  /** A sentence for people. */
  readonly message: string;
  /** The template's. */
  readonly name?: string | undefined;
  /** The new one. */
  readonly version: number;
  /** What is odd in it. */
  readonly warnings?: readonly Fault[] | undefined;
}

export interface TemplateDeleted {
  /** A sentence for people. */
  readonly message: string;
}

export interface PoisonListMessages {
  /** What replay and drop take. */
  readonly messageId: string;
  /** When it came. */
  readonly insertedAt: string;
  /** Of its text, which is never shown. */
  readonly bytes: number;
  /** Of its job, where the service itself gave the message up. */
  readonly id?: string | undefined;
  /** Why it did. */
  readonly reason?: string | undefined;
  /** Since when the message waited. */
  readonly since?: string | undefined;
}

export interface PoisonList {
  readonly messages: readonly PoisonListMessages[];
}

export interface PoisonTaken {
  /** A sentence for people. */
  readonly message: string;
  /** How many. */
  readonly replayed?: number | undefined;
  /** How many. */
  readonly dropped?: number | undefined;
  /** There are more: the time of one call was over. */
  readonly more?: boolean | undefined;
}

export interface Health {
  readonly status: string;
}

/** The platform's timer; without it, calls and messages bring the sweep on. */
export interface HealthDetailsTimer {
  /** It runs. */
  readonly ok?: boolean | undefined;
  /** Since when it runs, or when it last did. */
  readonly since?: string | null | undefined;
}

/** The queue aci-wake; without it, the sweep moves jobs, a few each minute. */
export interface HealthDetailsQueue {
  /** It delivers. */
  readonly ok?: boolean | undefined;
  /** Since when it does, or when it last did. */
  readonly since?: string | null | undefined;
}

export interface HealthDetailsSweep {
  /** When its last turn began. */
  readonly begunAt?: string | null | undefined;
  /** When it was last finished. */
  readonly completedAt?: string | null | undefined;
  /** Who began it: timer, queue, operator. */
  readonly by?: string | undefined;
  /** The next turn goes on with it. */
  readonly unfinished?: boolean | undefined;
  /** Why its last turn failed. */
  readonly error?: string | undefined;
}

/** The job index: without it no job is accepted. */
export interface HealthDetailsIndex {
  /** It is whole; otherwise `POST /api/reindex` rebuilds it. */
  readonly ok?: boolean | undefined;
}

/** The storage account. */
export interface HealthDetailsStorage {
  /** Its tables answer within two seconds. While they can't be read, the answer is a 503 that says since when. */
  readonly ok?: boolean | undefined;
  /** Since when this instance can read it, or since when it is slow. */
  readonly since?: string | null | undefined;
  /** How slow it is. */
  readonly error?: string | undefined;
}

export interface HealthDetailsLogStorage {
  /** It answered when it was last asked; it is asked once a minute. */
  readonly ok?: boolean | undefined;
  /** Since when that is so. */
  readonly since?: string | null | undefined;
  /** Why it does not work. */
  readonly error?: string | undefined;
}

export interface HealthDetailsSealKey {
  /** It answered when it was last asked; it is asked once a minute. */
  readonly ok?: boolean | undefined;
  /** Since when that is so. */
  readonly since?: string | null | undefined;
  /** Why it does not work. */
  readonly error?: string | undefined;
}

export interface HealthDetailsVault {
  /** It answered when it was last asked; it is asked once a minute. */
  readonly ok?: boolean | undefined;
  /** Since when that is so. */
  readonly since?: string | null | undefined;
  /** Why it does not work. */
  readonly error?: string | undefined;
}

export interface HealthDetailsEventTopic {
  /** It answered when it was last asked; it is asked once a minute. */
  readonly ok?: boolean | undefined;
  /** Since when that is so. */
  readonly since?: string | null | undefined;
  /** Why it does not work. */
  readonly error?: string | undefined;
}

export interface HealthDetailsWebhook {
  /** It answered when it was last asked; it is asked once a minute. */
  readonly ok?: boolean | undefined;
  /** Since when that is so. */
  readonly since?: string | null | undefined;
  /** Why it does not work. */
  readonly error?: string | undefined;
}

export interface HealthDetailsArm {
  /** Azure Resource Manager answered last time. */
  readonly ok?: boolean | undefined;
  /** Since when that is so. */
  readonly since?: string | null | undefined;
}

/** Posted messages that wait for what they need, and are sent again. */
export interface HealthDetailsWaitingMessages {
  /** How many; counted up to 5000. */
  readonly count?: number | undefined;
  /** Since when the oldest waits. */
  readonly oldest?: string | null | undefined;
  readonly reasons?: Readonly<Record<string, number>> | undefined;
}

export interface HealthDetailsUnreadable {
  /** Of the job. */
  readonly id?: string | undefined;
  /** Why its row can't be read. */
  readonly why?: string | undefined;
}

export interface HealthDetailsPaused {
  readonly reason?: string | undefined;
  /** Since when. */
  readonly since?: string | null | undefined;
}

export interface HealthDetails {
  readonly status:
    | "ok"
    | "misconfigured"
    | "late"
    | "the job index is lost"
    | "refused by Azure Resource Manager"
    | "no answer from Azure Resource Manager"
    | NewerWord;
  /** Of the service. */
  readonly version?: string | undefined;
  /** When the last pass over all that jobs hang on was completed. */
  readonly lastReconcile?: string | null | undefined;
  /** The platform's timer; without it, calls and messages bring the sweep on. */
  readonly timer?: HealthDetailsTimer | undefined;
  /** The queue aci-wake; without it, the sweep moves jobs, a few each minute. */
  readonly queue?: HealthDetailsQueue | undefined;
  /** How each part of the sweep went, by name. */
  readonly sweep?: Readonly<Record<string, HealthDetailsSweep>> | undefined;
  /** The job index: without it no job is accepted. */
  readonly index?: HealthDetailsIndex | undefined;
  /** The storage account. */
  readonly storage?: HealthDetailsStorage | undefined;
  /** Where logs are stored, while jobs are active; null until it was asked. */
  readonly logStorage?: HealthDetailsLogStorage | null | undefined;
  /** The key that seals definitions. */
  readonly sealKey?: HealthDetailsSealKey | null | undefined;
  /** The vault that definitions refer to; null without one, and until it was asked. */
  readonly vault?: HealthDetailsVault | null | undefined;
  /** The Event Grid topic that gets events; null without one, and until the first minute is over. */
  readonly eventTopic?: HealthDetailsEventTopic | null | undefined;
  /** The webhook that is notified of ends; null without one, and until the first minute is over. */
  readonly webhook?: HealthDetailsWebhook | null | undefined;
  readonly arm?: HealthDetailsArm | undefined;
  /** When Azure Resource Manager last answered. */
  readonly lastArmSuccess?: string | null | undefined;
  /** Until then it asked us to wait. */
  readonly throttledUntil?: string | null | undefined;
  /** Messages on aci-jobs. */
  readonly queueLength?: number | undefined;
  /** Messages on aci-wake. */
  readonly wakeLength?: number | undefined;
  /** Messages on aci-events. */
  readonly eventsLength?: number | undefined;
  /** Messages on aci-jobs-poison. */
  readonly poisonLength?: number | undefined;
  /** Messages on aci-wake-poison. */
  readonly wakePoisonLength?: number | undefined;
  /** Messages on aci-events-poison. */
  readonly eventsPoisonLength?: number | undefined;
  /** Jobs that have not ended. */
  readonly activeJobs?: number | undefined;
  /** Jobs that something outside the service holds up, and ended ones whose group can't be deleted. */
  readonly blockedJobs?: number | undefined;
  /** The same by reason. */
  readonly blocked?: Readonly<Record<string, number>> | undefined;
  /** Groups that should be gone and are not. */
  readonly leakedGroups?: number | undefined;
  /** Ended jobs whose caller was not reached yet, and jobs with events that the topic or webhook did not take yet. */
  readonly undeliveredNotifications?: number | undefined;
  /** Ended jobs whose caller was not reached for a minute. */
  readonly lateNotifications?: number | undefined;
  /** Events that the topic or webhook did not take for a day. */
  readonly droppedNotifications?: number | undefined;
  /** When the oldest job that waits was accepted. */
  readonly oldestQueued?: string | null | undefined;
  /** Posted messages that wait for what they need, and are sent again. */
  readonly waitingMessages?: HealthDetailsWaitingMessages | undefined;
  /** Rows that can't be read; counted up to 1000. */
  readonly unreadableRows?: number | undefined;
  /** The first ten of them. */
  readonly unreadable?: readonly HealthDetailsUnreadable[] | undefined;
  readonly paused?: HealthDetailsPaused | null | undefined;
  /** What is wrong with the settings. */
  readonly faults?: readonly string[] | undefined;
  /** Settings that nobody reads and that resemble a setting. They stop nothing. */
  readonly misspelt?: readonly string[] | undefined;
}

/** Run a container group as a job. */
export type TriggerQuery = {
  /**
   * `true`: 202 and a `Location` to poll until the job's end. `started`: the `Location` answers 200 once the group
   * runs. `link`: the `Location` needs no key.
   */
  readonly polling?: "true" | "false" | "started" | "link" | NewerWord | undefined;
  /** From accept to end, all attempts and waiting included. */
  readonly timeout?: string | number | undefined;
  /** From accept to the first create. */
  readonly queueTimeout?: string | number | undefined;
  /** Each attempt's time from create to running. Ends nothing while the group can't be read, for an hour at most. */
  readonly startTimeout?: string | number | undefined;
  /** Each attempt's time from running to its end. Ends nothing while the group can't be read, for an hour at most. */
  readonly runTimeout?: string | number | undefined;
  /** How many further attempts a failed job gets. */
  readonly retries?: number | string | undefined;
  /**
   * Ordered rules: exit codes (`137`, `1-5`), reasons, faults (`platform`) or `*`; `!` in front means no retry.
   * The first match wins; no match stops.
   */
  readonly retryOn?: readonly (string | number)[] | string | undefined;
  /** What happens when an active job has that name. */
  readonly onConflict?: "reject" | "wait" | "replace" | "attach" | NewerWord | undefined;
  /** Adds a suffix to the group's name, so that the same definition can run side by side. */
  readonly uniqueName?: boolean | string | undefined;
  /** The main container: when it exits the job ends and the other containers are stopped. */
  readonly main?: string | undefined;
  /**
   * Whether the finished group stays for a while. It goes when a new job needs its name, or when the job is
   * deleted or canceled by a call.
   */
  readonly keep?: "never" | "failed" | "always" | NewerWord | undefined;
  /**
   * The job is canceled if nobody reads its own `Location` for this time; an outage of the service does not count.
   * With `polling=started` somebody must go on reading.
   */
  readonly lease?: string | number | undefined;
  /**
   * Gives every container ACI_PROXY_JOB_ID, _NAME, _ATTEMPT, _DEADLINE, TRACEPARENT, and ACI_PROXY_RESULT_URL,
   * which takes one result by PUT.
   */
  readonly env?: boolean | string | undefined;
  /**
   * Jobs of one group share its slots. A job holds one from its admission until nothing of it runs any more.
   * Compared without case.
   */
  readonly group?: string | undefined;
  /**
   * The job starts only while fewer slots of its group are held. Other jobs of the group may have other limits; an
   * operator's limit holds besides.
   */
  readonly groupLimit?: number | string | undefined;
  /** What happens when no slot of the group is free, or others wait for one. */
  readonly onGroupFull?: "wait" | "reject" | NewerWord | undefined;
  /** Seconds of head start where the job waits with others: for its name, for a slot of its group, for a create. */
  readonly priority?: number | string | undefined;
  /** Whose job it is, for shares, ceilings and reports. Compared without case. Without `TEAMS` it is a label. */
  readonly team?: string | undefined;
  /** Free labels, `KEY=VALUE` or `LABEL`; they become tags of the container group. */
  readonly tags?: Readonly<Record<string, unknown>> | readonly unknown[] | string | undefined;
  /** `FACTORY/PIPELINE/RUNID/ACTIVITY`, for the table's columns and the group's tags. */
  readonly source?: string | undefined;
  /**
   * HTTP status of the final reply of a job that did not succeed. With `polling=started`, where 200 says that the
   * group runs, 200 is taken as 500.
   */
  readonly failureStatus?: number | string | undefined;
  /** Bytes of each container's output in the status reply; its tail, cut at a line. */
  readonly outputLimit?: number | string | undefined;
  /**
   * One job of this many children, one for each item: see [arrays.md](arrays.md). Each child has
   * ACI_PROXY_ARRAY_INDEX, _SIZE and _ITEM, and exactly `${index}`, `${item}` and `${item.FIELD}` in the
   * definition's values are replaced.
   */
  readonly array?:
    number | readonly (string | number | boolean | Readonly<Record<string, unknown>>)[] | string | undefined;
  /** Children of the array that exist at once, at most. */
  readonly parallelism?: number | string | undefined;
  /** The first child that fails cancels the rest of the array. */
  readonly failFast?: boolean | string | undefined;
  /** How many children must succeed for the array to succeed. */
  readonly minSuccess?: number | string | undefined;
  /**
   * This many items of the array share one container group, a container each; see [arrays.md](arrays.md#packing).
   * parallelism then counts groups.
   */
  readonly pack?: number | string | undefined;
  /** Warnings are errors. */
  readonly strict?: boolean | string | undefined;
  /** All checks, no job. */
  readonly dryRun?: boolean | string | undefined;
  /** Runs this template; the body is `{parameters, options}`. */
  readonly template?: string | undefined;
  /** Of the template; default the newest. */
  readonly version?: number | string | undefined;
};

/** The state of a job: 202 until it has ended. */
export type StatusQuery = {
  /** Only the job's own end ends this poll: nothing else in the query is judged. */
  readonly poll?: string | undefined;
  /** Answer 200 when the group runs, or once it is gone; default at the job's end. */
  readonly until?: "started" | "deleted" | NewerWord | undefined;
};

/** Jobs, newest first. */
export type JobsQuery = {
  /**
   * `active` for all that have not ended, or some of Queued, Provisioning, Pending, Running, Succeeded, Failed,
   * Stopped, TimedOut, Canceled, separated by commas.
   */
  readonly state?: string | undefined;
  /** Only jobs of this container group, in any letter case. */
  readonly name?: string | undefined;
  /** Only jobs with this label: `KEY`, or `KEY=VALUE`. */
  readonly tag?: string | undefined;
  /** Only jobs that wait or ended for this reason. */
  readonly reason?: Reason | undefined;
  /** Only jobs that ended by this fault. */
  readonly fault?: Party | undefined;
  /** Only jobs of this pipeline run. */
  readonly runId?: string | undefined;
  /** Only jobs of this pipeline. */
  readonly pipeline?: string | undefined;
  /** Only jobs of this data factory. */
  readonly factory?: string | undefined;
  /** Only jobs of this activity. */
  readonly activity?: string | undefined;
  /** Only jobs that came so. */
  readonly via?: "http" | "queue" | "rerun" | NewerWord | undefined;
  /** Only jobs of this team, in any letter case. */
  readonly team?: string | undefined;
  /** Only jobs of this group, in any letter case. */
  readonly group?: string | undefined;
  /** Only jobs of this template, in any letter case. */
  readonly template?: string | undefined;
  /** Only jobs that are children of this array, by its job's id, in the order of their indexes. */
  readonly array?: string | undefined;
  /** Accepted at or after: a time, or a duration ago. */
  readonly since?: string | undefined;
  /** Accepted before: a time, or a duration ago. */
  readonly until?: string | undefined;
  /** How many at most; default 100. */
  readonly top?: number | string | undefined;
  /** Where the page before ended, unchanged, with the same filters. */
  readonly continuation?: string | undefined;
  /** Default JSON. */
  readonly format?: "json" | "csv" | "ndjson" | NewerWord | undefined;
  /** Every page in one stream, as CSV or NDJSON. */
  readonly all?: boolean | string | undefined;
};

/** How many jobs there were, how they ended, what they took and cost. */
export type SummaryQuery = {
  /**
   * `active` for all that have not ended, or some of Queued, Provisioning, Pending, Running, Succeeded, Failed,
   * Stopped, TimedOut, Canceled, separated by commas.
   */
  readonly state?: string | undefined;
  /** Only jobs of this container group, in any letter case. */
  readonly name?: string | undefined;
  /** Only jobs with this label: `KEY`, or `KEY=VALUE`. */
  readonly tag?: string | undefined;
  /** Only jobs that wait or ended for this reason. */
  readonly reason?: Reason | undefined;
  /** Only jobs that ended by this fault. */
  readonly fault?: Party | undefined;
  /** Only jobs of this pipeline run. */
  readonly runId?: string | undefined;
  /** Only jobs of this pipeline. */
  readonly pipeline?: string | undefined;
  /** Only jobs of this data factory. */
  readonly factory?: string | undefined;
  /** Only jobs of this activity. */
  readonly activity?: string | undefined;
  /** Only jobs that came so. */
  readonly via?: "http" | "queue" | "rerun" | NewerWord | undefined;
  /** Only jobs of this team, in any letter case. */
  readonly team?: string | undefined;
  /** Only jobs of this group, in any letter case. */
  readonly group?: string | undefined;
  /** Only jobs of this template, in any letter case. */
  readonly template?: string | undefined;
  /** Only jobs that are children of this array, by its job's id, in the order of their indexes. */
  readonly array?: string | undefined;
  /** Accepted at or after: a time, or a duration ago. */
  readonly since?: string | undefined;
  /** Accepted before: a time, or a duration ago. */
  readonly until?: string | undefined;
  /** What the jobs of a row have in common; default `state`. */
  readonly by?:
    | "state"
    | "reason"
    | "fault"
    | "name"
    | "pipeline"
    | "run"
    | "team"
    | "template"
    | "location"
    | "hour"
    | "day"
    | NewerWord
    | undefined;
};

/** What came of each index of an array. */
export type ResultsQuery = {
  /**
   * `active` for all that have not ended, or some of Queued, Provisioning, Pending, Running, Succeeded, Failed,
   * Stopped, TimedOut, Canceled, separated by commas.
   */
  readonly state?: string | undefined;
  /** Only this index and later ones. */
  readonly from?: number | string | undefined;
  /** How many at most; default 100. */
  readonly top?: number | string | undefined;
  /** Where the page before ended, unchanged, with the same filters. */
  readonly continuation?: string | undefined;
  /** Default JSON; NDJSON has all of them, a line each. */
  readonly format?: "json" | "ndjson" | NewerWord | undefined;
};

/** The logs of all containers, each line with its container's name in front where there are several. */
export type LogsQuery = {
  /** Only the last lines. */
  readonly tail?: number | string | undefined;
  /** Only later lines: a time, or a duration ago. */
  readonly since?: string | undefined;
  /** The attempt; default the newest. A follower that names an attempt does not go on into the next. */
  readonly attempt?: number | string | undefined;
  /** Stream until the job has ended, at most four minutes. */
  readonly follow?: boolean | string | undefined;
  /** Of an array: whose log. */
  readonly index?: number | string | undefined;
  /** Default text. */
  readonly format?: "text" | "json" | NewerWord | undefined;
};

/** The log of one container. */
export type ContainerLogsQuery = {
  /** Only the last lines. */
  readonly tail?: number | string | undefined;
  /** Only later lines: a time, or a duration ago. */
  readonly since?: string | undefined;
  /** The attempt; default the newest. A follower that names an attempt does not go on into the next. */
  readonly attempt?: number | string | undefined;
  /** Stream until the job has ended, at most four minutes. */
  readonly follow?: boolean | string | undefined;
  /** Of an array: whose log. */
  readonly index?: number | string | undefined;
  /** Default text. */
  readonly format?: "text" | "json" | NewerWord | undefined;
};

/** A job's state for whoever has its link (`polling=link`); needs no key. */
export type LinkQuery = {
  /** Only the job's own end ends this poll: nothing else in the query is judged. */
  readonly poll?: string | undefined;
};

/** Cancel a job and delete its group. */
export type DeleteQuery = {
  /** 202 and a `Location` that answers 200 once the group is gone. */
  readonly polling?: boolean | string | undefined;
};

/** Run a job again. */
export type RerunQuery = {
  /** 202 and a `Location` to poll. */
  readonly polling?: boolean | string | undefined;
};

/** Run all jobs again that match and did not succeed. */
export interface RerunManyBody {
  readonly state?: string | undefined;
  readonly reason?: string | undefined;
  readonly name?: string | undefined;
  readonly tag?: string | undefined;
  readonly pipeline?: string | undefined;
  readonly group?: string | undefined;
  readonly team?: string | undefined;
  readonly array?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly dryRun?: boolean | string | undefined;
}

/** The templates, by name. */
export type TemplatesQuery = {
  /** How many at most; default 100. */
  readonly top?: number | string | undefined;
  /** Where the page before ended, unchanged. */
  readonly continuation?: string | undefined;
};

/** A template: its text and its parameters. */
export type TemplateQuery = {
  /** One of the versions that are kept; default the newest. */
  readonly version?: number | string | undefined;
};

/** Cancel all active jobs that match. */
export interface CancelManyBody {
  readonly name?: string | undefined;
  readonly tag?: string | undefined;
  readonly pipeline?: string | undefined;
  readonly group?: string | undefined;
  readonly team?: string | undefined;
  readonly state?: string | undefined;
  readonly dryRun?: boolean | string | undefined;
}

/** Give a waiting job another place. */
export interface PriorityBody {
  readonly priority: number;
}

/** Groups of jobs, and who holds their slots. */
export type GroupsQuery = {
  /** Where the page before ended. */
  readonly continuation?: string | undefined;
};

/** Limit or pause a group; null gives it back. */
export interface SteerGroupBody {
  readonly limit?: number | null | undefined;
  readonly paused?: boolean | null | undefined;
}

/** Accept jobs and let them wait. */
export interface PauseBody {
  readonly reason: string;
}

/** Let them go on. */
export interface ResumeBody {
  readonly reason?: string | undefined;
}

/** Try one of them again, or all. */
export interface PoisonReplayBody {
  readonly messageId?: string | undefined;
  readonly all?: boolean | string | undefined;
}

/** Drop one of them, or all. */
export interface PoisonDropBody {
  readonly messageId?: string | undefined;
  readonly all?: boolean | string | undefined;
}

/** Each reply by its name in the description. */
export interface Replies {
  readonly ArrayStatus: ArrayStatus;
  readonly ArrayRecord: ArrayRecord;
  readonly ItemFailure: ItemFailure;
  readonly ItemResult: ItemResult;
  readonly ChildResult: ChildResult;
  readonly Results: Results;
  readonly Fault: Fault;
  readonly AzureError: AzureError;
  readonly Container: Container;
  readonly ContainerSoFar: ContainerSoFar;
  readonly HistoryLine: HistoryLine;
  readonly GroupEvent: GroupEvent;
  readonly Attempt: Attempt;
  readonly JobRowStopping: JobRowStopping;
  readonly JobRowArray1: JobRowArray1;
  readonly JobRow: JobRow;
  readonly Accepted: Accepted;
  readonly Checked: Checked;
  readonly StatusWaiting: StatusWaiting;
  readonly StatusQueue: StatusQueue;
  readonly StatusStopping: StatusStopping;
  readonly Status: Status;
  readonly Unknown: Unknown;
  readonly ResultStored: ResultStored;
  readonly Deleted: Deleted;
  readonly JobPage: JobPage;
  readonly UnreadableJobStopping: UnreadableJobStopping;
  readonly UnreadableJobArray1: UnreadableJobArray1;
  readonly UnreadableJob: UnreadableJob;
  readonly Definition: Definition;
  readonly JobRecordStopping: JobRecordStopping;
  readonly JobRecordContainers: JobRecordContainers;
  readonly JobRecordOptionsRetryOnWhen1: JobRecordOptionsRetryOnWhen1;
  readonly JobRecordOptionsRetryOnWhen2: JobRecordOptionsRetryOnWhen2;
  readonly JobRecordOptionsRetryOnWhen3: JobRecordOptionsRetryOnWhen3;
  readonly JobRecordOptionsRetryOn: JobRecordOptionsRetryOn;
  readonly JobRecordOptionsSource: JobRecordOptionsSource;
  readonly JobRecordOptions: JobRecordOptions;
  readonly JobRecordWaiting: JobRecordWaiting;
  readonly JobRecordQueue: JobRecordQueue;
  readonly JobRecordCancel: JobRecordCancel;
  readonly JobRecord: JobRecord;
  readonly Problem: Problem;
  readonly SummaryRowQueueSeconds: SummaryRowQueueSeconds;
  readonly SummaryRowStartSeconds: SummaryRowStartSeconds;
  readonly SummaryRowRunSeconds: SummaryRowRunSeconds;
  readonly SummaryRow: SummaryRow;
  readonly Caller: Caller;
  readonly Summary: Summary;
  readonly LogLines: LogLines;
  readonly Log: Log;
  readonly Canceled: Canceled;
  readonly Rerun: Rerun;
  readonly Priority: Priority;
  readonly GroupSlots: GroupSlots;
  readonly GroupWaiting: GroupWaiting;
  readonly Group: Group;
  readonly Groups: Groups;
  readonly Paused: Paused;
  readonly Resumed: Resumed;
  readonly Reindexed: Reindexed;
  readonly AdoptableGroups: AdoptableGroups;
  readonly Adoptable: Adoptable;
  readonly TemplateInfo: TemplateInfo;
  readonly TemplatePage: TemplatePage;
  readonly TemplateParameter: TemplateParameter;
  readonly Template: Template;
  readonly TemplateStored: TemplateStored;
  readonly TemplateDeleted: TemplateDeleted;
  readonly PoisonListMessages: PoisonListMessages;
  readonly PoisonList: PoisonList;
  readonly PoisonTaken: PoisonTaken;
  readonly Health: Health;
  readonly HealthDetailsTimer: HealthDetailsTimer;
  readonly HealthDetailsQueue: HealthDetailsQueue;
  readonly HealthDetailsSweep: HealthDetailsSweep;
  readonly HealthDetailsIndex: HealthDetailsIndex;
  readonly HealthDetailsStorage: HealthDetailsStorage;
  readonly HealthDetailsLogStorage: HealthDetailsLogStorage;
  readonly HealthDetailsSealKey: HealthDetailsSealKey;
  readonly HealthDetailsVault: HealthDetailsVault;
  readonly HealthDetailsEventTopic: HealthDetailsEventTopic;
  readonly HealthDetailsWebhook: HealthDetailsWebhook;
  readonly HealthDetailsArm: HealthDetailsArm;
  readonly HealthDetailsWaitingMessages: HealthDetailsWaitingMessages;
  readonly HealthDetailsUnreadable: HealthDetailsUnreadable;
  readonly HealthDetailsPaused: HealthDetailsPaused;
  readonly HealthDetails: HealthDetails;
  readonly State: State;
  readonly Reason: Reason;
  readonly Party: Party;
  readonly ProblemCode: ProblemCode;
}
