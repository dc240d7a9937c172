"""Client of ACI Proxy: container groups of Azure Container Instances as jobs.

One file, the standard library alone, Python 3.9 or later: copy it beside your program.

    from aci_proxy import AciProxy

    proxy = AciProxy("https://my-app.azurewebsites.net", key)
    job = proxy.submit(open("job.yaml").read(), timeout="PT1H")
    end = proxy.follow(job.id, on_line=lambda container, line: print(container, line))
    print(end.state, end.exit_code, end.result)

A job that failed is a result too. A service that refuses raises `Refused`, one that can't be reached `Unreachable`; each error has a
`code`. A service of another version may use words and members that this file does not know: words are kept as they are, and every
reply has its whole text as `raw`.
"""

from __future__ import annotations

import codecs
import hashlib
import http.client
import json
import queue
import threading
import time
import typing
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field, fields
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Callable, ClassVar, Dict, Iterator, List, Mapping, Optional, Tuple, Type, TypeVar, Union

__all__ = ["AciProxy", "AciProxyError", "Misuse", "Refused", "Unreachable", "has_ended"]

Value = Union[str, int, float, bool, List[Any], Mapping[str, Any], None]
"""An option's or parameter's value: lists and mappings become words with commas in between, as the service reads them."""
Definition = Union[str, Mapping[str, Any]]
"""A container group: YAML or JSON as text, or a mapping that is sent as JSON."""
Token = Union[str, Callable[[], str]]
"""A bearer token, or what gives one for each call."""


class AciProxyError(Exception):
    """What can go wrong between a program and the service. No message contains the key.

    `code` is the service's own code (docs/http.md), or `Unreachable`, `KeyRefused`, `NotAciProxy` (something else answers at that
    address), `Refused` (a refusal without a code), `Misuse`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Misuse(AciProxyError):
    """The client was used wrongly; the message says how to use it."""

    def __init__(self, message: str) -> None:
        super().__init__("Misuse", message)


class Unreachable(AciProxyError):
    """No answer: nothing listens there, the name is unknown, the connection broke, it took too long. May pass."""

    def __init__(self, message: str) -> None:
        super().__init__("Unreachable", message)


class Refused(AciProxyError):
    """An answer that is a refusal, or that this version of the client does not understand.

    `status` is the HTTP status, `errors` and `warnings` have places in the definition, `retry_after` is in seconds, `request_id` is found
    in the service's logs.
    """

    def __init__(
        self,
        code: str,
        status: int,
        message: str,
        problem: Optional[Problem] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.errors: List[Fault] = (problem and problem.errors) or []
        self.warnings: List[Fault] = (problem and problem.warnings) or []
        self.request_id = problem and problem.request_id
        self.retry_after = retry_after


def has_ended(status: Union[Status, JobRow, JobRecord]) -> bool:
    """True for a state that never changes again."""
    return status.state in ("Succeeded", "Failed", "Stopped", "TimedOut", "Canceled")


@dataclass(frozen=True)
class Reply:
    """What all replies have in common."""

    raw: Dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The reply as it came, members of a newer service included."""
    _names: ClassVar[Dict[str, str]] = {}


R = TypeVar("R", bound=Reply)


class _Mismatch(Exception):
    """A reply that is not of the type that was asked for."""


@lru_cache(maxsize=None)
def _hints(kind: Type[Reply]) -> Dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    """A JSON value as that type; raises `_Mismatch`."""
    origin = typing.get_origin(kind)
    if kind is Any:
        return value
    if origin is Union:
        for each in typing.get_args(kind):
            try:
                return _read(each, value)
            except _Mismatch:
                continue
    elif origin is list and isinstance(value, list):
        return [_read(typing.get_args(kind)[0], each) for each in value]
    elif origin is dict and isinstance(value, dict):
        return {name: _read(typing.get_args(kind)[1], each) for name, each in value.items()}
    elif isinstance(kind, type) and issubclass(kind, Reply) and isinstance(value, dict):
        return _read_reply(kind, value)
    elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    elif isinstance(kind, type) and isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise _Mismatch


def _read_reply(kind: Type[R], value: Dict[str, Any]) -> R:
    hints = _hints(kind)
    members = {}
    for each in fields(kind):
        name = kind._names.get(each.name, each.name)
        if each.init and name in value:
            members[each.name] = _read(hints[each.name], value[name])
    try:
        reply = kind(**members)
    except TypeError:
        raise _Mismatch from None
    object.__setattr__(reply, "raw", value)
    return reply


# <types: made by npm run docs from the API's description>

State = str
"""Ended: Succeeded, Failed, Stopped, TimedOut, Canceled. Unknown: it can't be read now. One of these,
or a word of a newer service: Queued, Provisioning, Pending, Running, Succeeded, Failed, Stopped,
TimedOut, Canceled, Unknown.
"""


Reason = str
"""Stable; docs/faults.md explains each. One of these, or a word of a newer service: Accepted,
Starting, ImagePull, VolumeMount, ContainerStart, NotVisible, Paused, NameBusy, GroupFull, TeamFull,
Budget, TooManyJobs, CreateLimit, QuotaReached, NoCapacity, Throttled, ArmUnavailable, GroupBusy,
SealKeyUnavailable, VaultUnavailable, RegistryBusy, NotAuthorized, IdentityRefused,
SubscriptionNotReady, ResourceLocked, TargetGone, SubnetFull, RetryDelay, InvalidDefinition,
InvalidOptions, InvalidParameters, TemplateNotFound, InvalidMessage, NeverEnds, PolicyRefused,
PolicyDenied, QuotaTooSmall, CreateFailed, DefinitionGone, SealKeyUnknown, VaultRefused, NameTaken,
NameActive, KeyReused, InaccessibleImage, ImagePullFailed, MountFailed, StartFailed, NetworkFailed,
StartTimeout, QueueTimeout, ProvisioningFailed, CrashLoop, Completed, ExitCode, ExitUnknown,
ProbeFailed, OutOfMemory, PlatformRestart, SpotEvicted, GroupDisappeared, GroupReplaced,
StoppedExternally, RunTimeout, DeadlineExceeded, ChildrenFailed, ArrayEnded, CanceledByCaller,
Replaced, LeaseExpired, InternalError.
"""


Party = str
"""Whose fault something was. One of these, or a word of a newer service: platform, image, definition,
program, caller, quota, capacity, identity, network.
"""


ProblemCode = str
"""Stable; docs/http.md explains each. One of these, or a word of a newer service: InvalidDefinition,
InvalidOptions, InvalidRequest, InvalidParameters, NeverEnds, PolicyRefused, Forbidden, JobNotFound,
TemplateNotFound, DefinitionNotFound, MessageNotFound, NameActive, AmbiguousName, GroupFull,
JobEnded, CannotRerun, DefinitionGone, BodyTooSlow, VersionChanged, BodyTooLarge, ResultExists,
ResultTooLate, KeyReused, TooManyJobs, InternalError, StorageUnavailable, InvalidSettings,
SealKeyUnavailable, JobUnreadable, IndexLost.
"""


@dataclass(frozen=True)
class ArrayStatus(Reply):
    """The reply ArrayStatus."""

    _names: ClassVar[Dict[str, str]] = {
        "timed_out": "timedOut",
    }
    size: int
    """Items."""
    runs: Optional[int] = None
    """Items that run: in a rerun those alone that had not succeeded."""
    succeeded: Optional[int] = None
    """Items."""
    failed: Optional[int] = None
    """Items."""
    stopped: Optional[int] = None
    """Items."""
    timed_out: Optional[int] = None
    """Items."""
    canceled: Optional[int] = None
    """Items."""
    active: Optional[int] = None
    """Children that exist and have not ended."""
    failures: Optional[List[ItemFailure]] = None
    """At most 20, the lowest indexes."""


@dataclass(frozen=True)
class ArrayRecord(Reply):
    """The reply ArrayRecord."""

    _names: ClassVar[Dict[str, str]] = {
        "timed_out": "timedOut",
    }
    size: int
    """Items."""
    runs: Optional[int] = None
    """Items that run: in a rerun those alone that had not succeeded."""
    succeeded: Optional[int] = None
    """Items."""
    failed: Optional[int] = None
    """Items."""
    stopped: Optional[int] = None
    """Items."""
    timed_out: Optional[int] = None
    """Items."""
    canceled: Optional[int] = None
    """Items."""
    active: Optional[int] = None
    """Children that exist and have not ended."""
    failures: Optional[List[ItemFailure]] = None
    """At most 20, the lowest indexes."""
    parallelism: Optional[int] = None
    """Children that have not ended exist at once, at most."""
    ends: Optional[str] = None
    """For each index a letter: `S` succeeded, `F` failed, `O` stopped, `T` timed out, `C` canceled, `A`
    active, `.` not made yet, `-` not of this run.
    """


@dataclass(frozen=True)
class ItemFailure(Reply):
    """The reply ItemFailure."""

    _names: ClassVar[Dict[str, str]] = {
        "exit_code": "exitCode",
    }
    index: int
    """From 0."""
    state: str
    """How it ended."""
    reason: Optional[Reason] = None
    """Why."""
    exit_code: Optional[int] = None


@dataclass(frozen=True)
class ItemResult(Reply):
    """The reply ItemResult."""

    _names: ClassVar[Dict[str, str]] = {
        "exit_code": "exitCode",
    }
    index: int
    """From 0."""
    state: State
    """Of its job."""
    reason: Optional[Reason] = None
    """Why it waits, is being stopped, or ended."""
    exit_code: Optional[int] = None
    result: Optional[Dict[str, Any]] = None
    """The JSON object that the program printed last, or sent to its result address."""


@dataclass(frozen=True)
class ChildResult(Reply):
    """The reply ChildResult."""

    _names: ClassVar[Dict[str, str]] = {
        "exit_code": "exitCode",
    }
    index: int
    """From 0."""
    state: State
    """Of its job."""
    id: str
    """Of the job that runs it."""
    reason: Optional[Reason] = None
    """Why it waits, is being stopped, or ended."""
    exit_code: Optional[int] = None
    result: Optional[Dict[str, Any]] = None
    """The JSON object that the program printed last, or sent to its result address."""
    item: Optional[Union[str, float, bool, Dict[str, Any]]] = None
    """Of an array with items that are not secret, while its definition is kept."""


@dataclass(frozen=True)
class Results(Reply):
    """The reply Results."""

    results: List[ChildResult]
    """By index; those that have no job yet are left out, and an item of a pack until that has ended."""
    id: Optional[str] = None
    """The job's id."""
    name: Optional[str] = None
    """As its caller wrote it."""
    state: Optional[State] = None
    """Its state."""
    size: Optional[int] = None
    """Of the array."""
    continuation: Optional[str] = None
    """Where the next page begins; absent on the last one."""


@dataclass(frozen=True)
class Fault(Reply):
    """The reply Fault."""

    path: str
    """The member, as `properties.containers[0].properties.image`; an option's or parameter's name."""
    line: int
    """Of the caller's text, from 1."""
    column: int
    """From 1."""
    message: str
    """What is wrong with it."""


@dataclass(frozen=True)
class AzureError(Reply):
    """Azure's own error."""

    _names: ClassVar[Dict[str, str]] = {
        "http_status": "httpStatus",
        "correlation_id": "correlationId",
        "request_id": "requestId",
    }
    code: Optional[str] = None
    """Azure's own code."""
    message: Optional[str] = None
    """Azure's own words, with secrets masked."""
    http_status: Optional[int] = None
    correlation_id: Optional[str] = None
    """For Azure's support."""
    request_id: Optional[str] = None
    """For Azure's support."""


@dataclass(frozen=True)
class Container(Reply):
    """The reply Container."""

    start_time: Optional[str] = None
    """Started, as YYYY-MM-DDTHH:MM:SS, UTC."""
    finish_time: Optional[str] = None
    """Ended, as YYYY-MM-DDTHH:MM:SS, UTC."""
    state: Optional[str] = None
    """As Azure names it: Waiting, Running, Terminated."""
    exit_code: Optional[int] = None
    """Null where Azure reports no exit code."""
    detail_status: Optional[str] = None
    """Azure's own word for it."""
    output: Optional[str] = None
    """The end of its log, as much as the option `outputLimit` allows."""
    output_truncated: Optional[bool] = None
    """The log is longer."""
    log: Optional[str] = None
    """How much of its log was captured."""
    restart_count: Optional[int] = None
    """How often it was started again."""


@dataclass(frozen=True)
class ContainerSoFar(Reply):
    """The reply ContainerSoFar."""

    start_time: Optional[str] = None
    """Started, as YYYY-MM-DDTHH:MM:SS, UTC."""
    finish_time: Optional[str] = None
    """Ended, as YYYY-MM-DDTHH:MM:SS, UTC."""
    state: Optional[str] = None
    """As Azure names it: Waiting, Running, Terminated."""
    exit_code: Optional[int] = None
    """Null where Azure reports no exit code."""
    detail_status: Optional[str] = None
    """Azure's own word for it."""
    output: Optional[str] = None
    """The end of its log, as much as the option `outputLimit` allows."""
    output_truncated: Optional[bool] = None
    """The log is longer."""
    log: Optional[str] = None
    """How much of its log was captured."""
    restart_count: Optional[int] = None
    """How often it was started again."""


@dataclass(frozen=True)
class HistoryLine(Reply):
    """The reply HistoryLine."""

    _names: ClassVar[Dict[str, str]] = {
        "from_": "from",
    }
    at: str
    """When."""
    to: str
    """The state after."""
    reason: str
    """Why."""
    attempt: int
    """From 1."""
    from_: Optional[str] = None
    """The state before; empty of the first."""


@dataclass(frozen=True)
class GroupEvent(Reply):
    """The reply GroupEvent."""

    name: str
    """As Azure names it: Pulling, Started, Killing."""
    count: int
    """How often."""
    message: str
    """Azure's own words, with secrets masked."""
    at: Optional[str] = None
    """When."""
    container: Optional[str] = None
    """Of which; absent of the group's own."""
    type: Optional[str] = None
    """Normal or Warning."""


@dataclass(frozen=True)
class Attempt(Reply):
    """The reply Attempt."""

    _names: ClassVar[Dict[str, str]] = {
        "exit_code": "exitCode",
        "waited_for": "waitedFor",
        "provisioning_at": "provisioningAt",
        "started_at": "startedAt",
        "finished_at": "finishedAt",
        "pull_seconds": "pullSeconds",
    }
    number: int
    """From 1."""
    state: str
    """How it ended."""
    reason: Optional[Reason] = None
    """Why it ended."""
    detail: Optional[str] = None
    """The sentence for people."""
    exit_code: Optional[int] = None
    container: Optional[str] = None
    """Whose exit code that is."""
    waited_for: Optional[Reason] = None
    """Why it had not begun, where its time ran out before it did."""
    provisioning_at: Optional[str] = None
    """Its create was sent."""
    started_at: Optional[str] = None
    """Its first container started."""
    finished_at: Optional[str] = None
    """It ended."""
    pull_seconds: Optional[float] = None
    """Of the images, by Azure's events."""
    location: Optional[str] = None
    """Region of its group."""
    containers: Optional[Dict[str, Container]] = None
    result: Optional[Dict[str, Any]] = None
    """The JSON object that the program printed last, or sent to its result address."""


@dataclass(frozen=True)
class JobRowStopping(Reply):
    """An end is decided, and Azure has not confirmed it."""

    reason: Reason
    """Why it ends."""
    since: str
    """Since when."""


@dataclass(frozen=True)
class JobRowArray1(Reply):
    """The reply JobRowArray1."""

    _names: ClassVar[Dict[str, str]] = {
        "timed_out": "timedOut",
    }
    size: Optional[int] = None
    """Items."""
    runs: Optional[int] = None
    """Items that run: in a rerun those alone that had not succeeded."""
    succeeded: Optional[int] = None
    """Items."""
    failed: Optional[int] = None
    """Items."""
    stopped: Optional[int] = None
    """Items."""
    timed_out: Optional[int] = None
    """Items."""
    canceled: Optional[int] = None
    """Items."""


@dataclass(frozen=True)
class JobRow(Reply):
    """The reply JobRow."""

    _names: ClassVar[Dict[str, str]] = {
        "group_name": "groupName",
        "created_at": "createdAt",
        "queued_at": "queuedAt",
        "provisioning_at": "provisioningAt",
        "started_at": "startedAt",
        "finished_at": "finishedAt",
        "kept_until": "keptUntil",
        "deadline_at": "deadlineAt",
        "expected_start_at": "expectedStartAt",
        "expected_end_at": "expectedEndAt",
        "queue_seconds": "queueSeconds",
        "start_seconds": "startSeconds",
        "pull_seconds": "pullSeconds",
        "run_seconds": "runSeconds",
        "duration_seconds": "durationSeconds",
        "exit_code": "exitCode",
        "failed_container": "failedContainer",
        "container_count": "containerCount",
        "memory_gb": "memoryGB",
        "vcpu_seconds": "vcpuSeconds",
        "gb_seconds": "gbSeconds",
        "cost_estimate": "costEstimate",
        "resource_group": "resourceGroup",
        "group_deleted": "groupDeleted",
        "requested_by": "requestedBy",
        "pipeline_run_id": "pipelineRunId",
        "rerun_of": "rerunOf",
        "template_version": "templateVersion",
        "array_id": "arrayId",
        "array_index": "arrayIndex",
        "message_id": "messageId",
        "callback_state": "callbackState",
    }
    id: str
    """The job's id."""
    name: str
    """As its caller wrote it."""
    state: State
    """Its state."""
    group_name: Optional[str] = None
    """Of the container group: the name, or with `uniqueName` the name and a suffix."""
    reason: Optional[Reason] = None
    """Why it waits, is being stopped, or ended."""
    message: Optional[str] = None
    """A sentence for people."""
    fault: Optional[Party] = None
    """Whose fault it was."""
    attempt: Optional[int] = None
    """From 1."""
    created_at: Optional[str] = None
    """Accepted."""
    queued_at: Optional[str] = None
    """This attempt began to wait."""
    provisioning_at: Optional[str] = None
    """This attempt's create was sent."""
    started_at: Optional[str] = None
    """This attempt's first container started."""
    finished_at: Optional[str] = None
    """Ended."""
    kept_until: Optional[str] = None
    """When a group that is kept goes."""
    deadline_at: Optional[str] = None
    """`createdAt` and `timeout`."""
    expected_start_at: Optional[str] = None
    """While it stands in a wait queue: when its create is expected to be sent."""
    expected_end_at: Optional[str] = None
    """Once its name has five successes: when it is expected to end."""
    queue_seconds: Optional[float] = None
    """Accepted to the first create."""
    start_seconds: Optional[float] = None
    """Create to the first container's start, this attempt."""
    pull_seconds: Optional[float] = None
    """Of the images, by Azure's events."""
    run_seconds: Optional[float] = None
    """First container's start to the job's end."""
    duration_seconds: Optional[float] = None
    """Accepted to ended."""
    evictions: Optional[int] = None
    """How often Azure took a Spot group's capacity back, over all attempts."""
    exit_code: Optional[int] = None
    """Of `main`, else of the container that failed first, else 0."""
    failed_container: Optional[str] = None
    """Whose exit code that is."""
    container_count: Optional[int] = None
    """Init containers left out."""
    images: Optional[str] = None
    """Separated by commas."""
    cpu: Optional[float] = None
    """Cores that the group asks for."""
    memory_gb: Optional[float] = None
    """Memory that the group asks for."""
    vcpu_seconds: Optional[float] = None
    """Over all attempts."""
    gb_seconds: Optional[float] = None
    """Over all attempts."""
    cost_estimate: Optional[float] = None
    """In `currency`."""
    currency: Optional[str] = None
    """Of the estimate."""
    location: Optional[str] = None
    """Region of the group."""
    resource_group: Optional[str] = None
    """Of the group."""
    group_deleted: Optional[bool] = None
    """The group is known to be gone, or was never created."""
    stopping: Optional[JobRowStopping] = None
    """An end is decided, and Azure has not confirmed it."""
    requested_by: Optional[str] = None
    """Who asked, by their token."""
    via: Optional[str] = None
    """How it came."""
    factory: Optional[str] = None
    """Of the option `source`."""
    pipeline: Optional[str] = None
    """Of the option `source`."""
    pipeline_run_id: Optional[str] = None
    """Of the option `source`."""
    activity: Optional[str] = None
    """Of the option `source`."""
    tags: Optional[Union[Dict[str, str], str]] = None
    """Its labels; text where the cell was edited by hand and is no JSON."""
    group: Optional[str] = None
    """Of the option `group`, in lower case."""
    priority: Optional[int] = None
    """Seconds of head start in wait queues."""
    team: Optional[str] = None
    """Whose job it is, in lower case."""
    rerun_of: Optional[str] = None
    """Of the job that this one runs again."""
    template: Optional[str] = None
    """The template that it is a run of."""
    template_version: Optional[int] = None
    """Of its template."""
    array: Optional[Union[JobRowArray1, str]] = None
    """Of an array: its size, and how many ended in each way; text where the cell was edited by hand."""
    array_id: Optional[str] = None
    """The job's id."""
    array_index: Optional[int] = None
    """Which of the array's items it runs, from 0."""
    message_id: Optional[str] = None
    """Of the queue's message that brought it."""
    warnings: Optional[int] = None
    """How many the definition got."""
    callback_state: Optional[str] = None
    """Of `callBackUri`."""
    version: Optional[int] = None
    """Of the row's form."""


@dataclass(frozen=True)
class Accepted(Reply):
    """The reply Accepted."""

    _names: ClassVar[Dict[str, str]] = {
        "status_url": "statusUrl",
        "logs_url": "logsUrl",
        "rerun_of": "rerunOf",
    }
    message: str
    """A sentence for people."""
    name: str
    """As its caller wrote it."""
    state: State
    """Its state."""
    id: str
    """The job's id."""
    status_url: Optional[str] = None
    logs_url: Optional[str] = None
    attached: Optional[bool] = None
    """An earlier job, which the call joined."""
    rerun_of: Optional[str] = None
    """Of the job that this one runs again."""
    warnings: Optional[List[Fault]] = None


@dataclass(frozen=True)
class Checked(Reply):
    """The reply Checked."""

    _names: ClassVar[Dict[str, str]] = {
        "dry_run": "dryRun",
    }
    message: str
    """A sentence for people."""
    name: Optional[str] = None
    """As its caller wrote it."""
    dry_run: Optional[bool] = None
    warnings: Optional[List[Fault]] = None


@dataclass(frozen=True)
class StatusWaiting(Reply):
    """Why it has not begun; of an array that runs, why no child does."""

    reason: Reason
    """Why it has not begun."""
    since: Optional[str] = None
    """Since when."""
    detail: Optional[str] = None
    """More about it."""
    position: Optional[int] = None
    """Its place among those that wait for the same, from 1."""
    advice: Optional[str] = None
    """What can be done about it."""


@dataclass(frozen=True)
class StatusQueue(Reply):
    """Where it stands in the wait queue; absent behind the first 1,000."""

    _names: ClassVar[Dict[str, str]] = {
        "expected_start_at": "expectedStartAt",
    }
    position: int
    """In the order in which the wait queue would be called now, at most 15 s old, from 1."""
    of: int
    """How many stand in it; at most 1,000 are counted."""
    expected_start_at: Optional[str] = None
    """When its create is expected to be sent; for creates, groups and names only."""


@dataclass(frozen=True)
class StatusStopping(Reply):
    """An end is decided, and Azure has not confirmed it."""

    reason: Reason
    """Why it ends."""
    since: str
    """Since when."""


@dataclass(frozen=True)
class Status(Reply):
    """The reply Status."""

    _names: ClassVar[Dict[str, str]] = {
        "created_at": "createdAt",
        "started_at": "startedAt",
        "logs_url": "logsUrl",
        "rerun_of": "rerunOf",
        "init_containers": "initContainers",
        "expected_end_at": "expectedEndAt",
        "exit_code": "exitCode",
        "failed_container": "failedContainer",
        "finished_at": "finishedAt",
        "group_deleted": "groupDeleted",
        "results_url": "resultsUrl",
        "results_truncated": "resultsTruncated",
    }
    state: State
    """Its state."""
    id: str
    """The job's id."""
    message: Optional[str] = None
    """A sentence for people."""
    name: Optional[str] = None
    """As its caller wrote it."""
    attempt: Optional[int] = None
    """From 1."""
    created_at: Optional[str] = None
    """Accepted."""
    started_at: Optional[str] = None
    """This attempt's first container started."""
    team: Optional[str] = None
    """Whose job it is."""
    logs_url: Optional[str] = None
    rerun_of: Optional[str] = None
    """Of the job that this one runs again."""
    warnings: Optional[List[Fault]] = None
    azure: Optional[AzureError] = None
    containers: Optional[Dict[str, ContainerSoFar]] = None
    """By name; empty while they run."""
    init_containers: Optional[Dict[str, ContainerSoFar]] = None
    reason: Optional[Reason] = None
    """Why it waits, is being stopped, or ended."""
    waiting: Optional[StatusWaiting] = None
    """Why it has not begun; of an array that runs, why no child does."""
    queue: Optional[StatusQueue] = None
    """Where it stands in the wait queue; absent behind the first 1,000."""
    expected_end_at: Optional[str] = None
    """Once its name has five successes: when it is expected to end."""
    late: Optional[bool] = None
    """It runs for longer than 95 of 100 of its name; known after ten successes."""
    stopping: Optional[StatusStopping] = None
    """An end is decided, and Azure has not confirmed it."""
    fault: Optional[Party] = None
    """Whose fault it was."""
    advice: Optional[str] = None
    """What can be done about it."""
    exit_code: Optional[int] = None
    failed_container: Optional[str] = None
    """Whose exit code that is."""
    finished_at: Optional[str] = None
    """Ended."""
    group_deleted: Optional[bool] = None
    """The group is gone."""
    result: Optional[Dict[str, Any]] = None
    """The JSON object that the program printed last, or sent to its result address."""
    array: Optional[ArrayStatus] = None
    results_url: Optional[str] = None
    """Of an array: what came of each index."""
    results: Optional[List[ItemResult]] = None
    """Of an array that has ended: by index, as many as fit into 256 KiB."""
    results_truncated: Optional[bool] = None
    """`resultsUrl` has more."""


@dataclass(frozen=True)
class Unknown(Reply):
    """The reply Unknown."""

    id: str
    """The job's id."""
    state: str
    """It can't be read now; ask again."""
    message: Optional[str] = None
    """A sentence for people."""


@dataclass(frozen=True)
class ResultStored(Reply):
    """The reply ResultStored."""

    message: Optional[str] = None
    """A sentence for people."""
    id: Optional[str] = None
    """The job's id."""
    attempt: Optional[int] = None
    """From 1."""


@dataclass(frozen=True)
class Deleted(Reply):
    """The reply Deleted."""

    _names: ClassVar[Dict[str, str]] = {
        "group_deleted": "groupDeleted",
    }
    message: str
    """A sentence for people."""
    name: Optional[str] = None
    """As its caller wrote it."""
    state: Optional[State] = None
    """Its state."""
    id: Optional[str] = None
    """The job's id."""
    group_deleted: Optional[bool] = None
    """The group is gone."""


@dataclass(frozen=True)
class JobPage(Reply):
    """The reply JobPage."""

    jobs: List[JobRow]
    skipped: Optional[int] = None
    """Rows that can't be read and are left out."""
    continuation: Optional[str] = None
    """Where the next page begins; absent on the last one."""


@dataclass(frozen=True)
class UnreadableJobStopping(Reply):
    """An end is decided, and Azure has not confirmed it."""

    reason: Optional[Reason] = None
    """Why it ends."""
    since: Optional[str] = None
    """Since when."""


@dataclass(frozen=True)
class UnreadableJobArray1(Reply):
    """The reply UnreadableJobArray1."""

    _names: ClassVar[Dict[str, str]] = {
        "timed_out": "timedOut",
    }
    size: Optional[int] = None
    """Items."""
    runs: Optional[int] = None
    """Items that run: in a rerun those alone that had not succeeded."""
    succeeded: Optional[int] = None
    """Items."""
    failed: Optional[int] = None
    """Items."""
    stopped: Optional[int] = None
    """Items."""
    timed_out: Optional[int] = None
    """Items."""
    canceled: Optional[int] = None
    """Items."""


@dataclass(frozen=True)
class UnreadableJob(Reply):
    """The columns of a row that can't be read."""

    _names: ClassVar[Dict[str, str]] = {
        "group_name": "groupName",
        "created_at": "createdAt",
        "queued_at": "queuedAt",
        "provisioning_at": "provisioningAt",
        "started_at": "startedAt",
        "finished_at": "finishedAt",
        "kept_until": "keptUntil",
        "deadline_at": "deadlineAt",
        "expected_start_at": "expectedStartAt",
        "expected_end_at": "expectedEndAt",
        "queue_seconds": "queueSeconds",
        "start_seconds": "startSeconds",
        "pull_seconds": "pullSeconds",
        "run_seconds": "runSeconds",
        "duration_seconds": "durationSeconds",
        "exit_code": "exitCode",
        "failed_container": "failedContainer",
        "container_count": "containerCount",
        "memory_gb": "memoryGB",
        "vcpu_seconds": "vcpuSeconds",
        "gb_seconds": "gbSeconds",
        "cost_estimate": "costEstimate",
        "resource_group": "resourceGroup",
        "group_deleted": "groupDeleted",
        "requested_by": "requestedBy",
        "pipeline_run_id": "pipelineRunId",
        "rerun_of": "rerunOf",
        "template_version": "templateVersion",
        "array_id": "arrayId",
        "array_index": "arrayIndex",
        "message_id": "messageId",
        "callback_state": "callbackState",
    }
    id: Optional[str] = None
    """The job's id."""
    name: Optional[str] = None
    """As its caller wrote it."""
    group_name: Optional[str] = None
    """Of the container group: the name, or with `uniqueName` the name and a suffix."""
    state: Optional[State] = None
    """Its state."""
    reason: Optional[Reason] = None
    """Why it waits, is being stopped, or ended."""
    message: Optional[str] = None
    """A sentence for people."""
    fault: Optional[Party] = None
    """Whose fault it was."""
    attempt: Optional[int] = None
    """From 1."""
    created_at: Optional[str] = None
    """Accepted."""
    queued_at: Optional[str] = None
    """This attempt began to wait."""
    provisioning_at: Optional[str] = None
    """This attempt's create was sent."""
    started_at: Optional[str] = None
    """This attempt's first container started."""
    finished_at: Optional[str] = None
    """Ended."""
    kept_until: Optional[str] = None
    """When a group that is kept goes."""
    deadline_at: Optional[str] = None
    """`createdAt` and `timeout`."""
    expected_start_at: Optional[str] = None
    """While it stands in a wait queue: when its create is expected to be sent."""
    expected_end_at: Optional[str] = None
    """Once its name has five successes: when it is expected to end."""
    queue_seconds: Optional[float] = None
    """Accepted to the first create."""
    start_seconds: Optional[float] = None
    """Create to the first container's start, this attempt."""
    pull_seconds: Optional[float] = None
    """Of the images, by Azure's events."""
    run_seconds: Optional[float] = None
    """First container's start to the job's end."""
    duration_seconds: Optional[float] = None
    """Accepted to ended."""
    evictions: Optional[int] = None
    """How often Azure took a Spot group's capacity back, over all attempts."""
    exit_code: Optional[int] = None
    """Of `main`, else of the container that failed first, else 0."""
    failed_container: Optional[str] = None
    """Whose exit code that is."""
    container_count: Optional[int] = None
    """Init containers left out."""
    images: Optional[str] = None
    """Separated by commas."""
    cpu: Optional[float] = None
    """Cores that the group asks for."""
    memory_gb: Optional[float] = None
    """Memory that the group asks for."""
    vcpu_seconds: Optional[float] = None
    """Over all attempts."""
    gb_seconds: Optional[float] = None
    """Over all attempts."""
    cost_estimate: Optional[float] = None
    """In `currency`."""
    currency: Optional[str] = None
    """Of the estimate."""
    location: Optional[str] = None
    """Region of the group."""
    resource_group: Optional[str] = None
    """Of the group."""
    group_deleted: Optional[bool] = None
    """The group is known to be gone, or was never created."""
    stopping: Optional[UnreadableJobStopping] = None
    """An end is decided, and Azure has not confirmed it."""
    requested_by: Optional[str] = None
    """Who asked, by their token."""
    via: Optional[str] = None
    """How it came."""
    factory: Optional[str] = None
    """Of the option `source`."""
    pipeline: Optional[str] = None
    """Of the option `source`."""
    pipeline_run_id: Optional[str] = None
    """Of the option `source`."""
    activity: Optional[str] = None
    """Of the option `source`."""
    tags: Optional[Union[Dict[str, str], str]] = None
    """Its labels; text where the cell was edited by hand and is no JSON."""
    group: Optional[str] = None
    """Of the option `group`, in lower case."""
    priority: Optional[int] = None
    """Seconds of head start in wait queues."""
    team: Optional[str] = None
    """Whose job it is, in lower case."""
    rerun_of: Optional[str] = None
    """Of the job that this one runs again."""
    template: Optional[str] = None
    """The template that it is a run of."""
    template_version: Optional[int] = None
    """Of its template."""
    array: Optional[Union[UnreadableJobArray1, str]] = None
    """Of an array: its size, and how many ended in each way; text where the cell was edited by hand."""
    array_id: Optional[str] = None
    """The job's id."""
    array_index: Optional[int] = None
    """Which of the array's items it runs, from 0."""
    message_id: Optional[str] = None
    """Of the queue's message that brought it."""
    warnings: Optional[int] = None
    """How many the definition got."""
    callback_state: Optional[str] = None
    """Of `callBackUri`."""
    version: Optional[int] = None
    """Of the row's form."""
    unreadable: Optional[str] = None
    """Why there is no more."""


@dataclass(frozen=True)
class Definition(Reply):
    """The reply Definition."""

    id: Optional[str] = None
    """The job's id."""
    definition: Optional[Dict[str, Any]] = None
    """The container group as it was submitted; `***` stands for what is or may be a secret."""


@dataclass(frozen=True)
class JobRecordStopping(Reply):
    """An end is decided, and Azure has not confirmed it."""

    reason: Reason
    """Why it ends."""
    since: str
    """Since when."""


@dataclass(frozen=True)
class JobRecordContainers(Reply):
    """The reply JobRecordContainers."""

    start_time: Optional[str] = None
    """Started, as YYYY-MM-DDTHH:MM:SS, UTC."""
    finish_time: Optional[str] = None
    """Ended, as YYYY-MM-DDTHH:MM:SS, UTC."""
    state: Optional[str] = None
    """As Azure names it: Waiting, Running, Terminated."""
    exit_code: Optional[int] = None
    """Null where Azure reports no exit code."""
    detail_status: Optional[str] = None
    """Azure's own word for it."""
    output: Optional[str] = None
    """The end of its log, as much as the option `outputLimit` allows."""
    output_truncated: Optional[bool] = None
    """The log is longer."""
    log: Optional[str] = None
    """How much of its log was captured."""
    restart_count: Optional[int] = None
    """How often it was started again."""
    init: Optional[bool] = None


@dataclass(frozen=True)
class JobRecordOptionsRetryOnWhen1(Reply):
    """The reply JobRecordOptionsRetryOnWhen1."""

    _names: ClassVar[Dict[str, str]] = {
        "exit_codes": "exitCodes",
    }
    exit_codes: Optional[List[int]] = None


@dataclass(frozen=True)
class JobRecordOptionsRetryOnWhen2(Reply):
    """The reply JobRecordOptionsRetryOnWhen2."""

    reason: Optional[Reason] = None
    """That reason."""


@dataclass(frozen=True)
class JobRecordOptionsRetryOnWhen3(Reply):
    """The reply JobRecordOptionsRetryOnWhen3."""

    party: Optional[Party] = None
    """Whose fault it was."""


@dataclass(frozen=True)
class JobRecordOptionsRetryOn(Reply):
    """The reply JobRecordOptionsRetryOn."""

    when: Optional[Union[JobRecordOptionsRetryOnWhen1, JobRecordOptionsRetryOnWhen2, JobRecordOptionsRetryOnWhen3, str]] = None
    retry: Optional[bool] = None


@dataclass(frozen=True)
class JobRecordOptionsSource(Reply):
    """The reply JobRecordOptionsSource."""

    _names: ClassVar[Dict[str, str]] = {
        "pipeline_run_id": "pipelineRunId",
    }
    factory: Optional[str] = None
    pipeline: Optional[str] = None
    pipeline_run_id: Optional[str] = None
    activity: Optional[str] = None


@dataclass(frozen=True)
class JobRecordOptions(Reply):
    """The reply JobRecordOptions."""

    _names: ClassVar[Dict[str, str]] = {
        "queue_timeout": "queueTimeout",
        "start_timeout": "startTimeout",
        "run_timeout": "runTimeout",
        "retry_on": "retryOn",
        "on_conflict": "onConflict",
        "unique_name": "uniqueName",
        "group_limit": "groupLimit",
        "on_group_full": "onGroupFull",
        "failure_status": "failureStatus",
        "output_limit": "outputLimit",
        "fail_fast": "failFast",
        "min_success": "minSuccess",
        "dry_run": "dryRun",
    }
    polling: Optional[str] = None
    timeout: Optional[str] = None
    queue_timeout: Optional[str] = None
    start_timeout: Optional[str] = None
    run_timeout: Optional[str] = None
    retries: Optional[int] = None
    retry_on: Optional[List[JobRecordOptionsRetryOn]] = None
    on_conflict: Optional[str] = None
    unique_name: Optional[bool] = None
    main: Optional[str] = None
    keep: Optional[str] = None
    lease: Optional[str] = None
    env: Optional[bool] = None
    group: Optional[str] = None
    group_limit: Optional[int] = None
    on_group_full: Optional[str] = None
    priority: Optional[int] = None
    team: Optional[str] = None
    tags: Optional[Dict[str, str]] = None
    source: Optional[JobRecordOptionsSource] = None
    failure_status: Optional[int] = None
    output_limit: Optional[int] = None
    array: Optional[int] = None
    parallelism: Optional[int] = None
    fail_fast: Optional[bool] = None
    min_success: Optional[Union[int, str]] = None
    pack: Optional[int] = None
    strict: Optional[bool] = None
    dry_run: Optional[bool] = None


@dataclass(frozen=True)
class JobRecordWaiting(Reply):
    """Why it has not begun."""

    reason: Reason
    """Why it has not begun."""
    since: str
    """Since when."""
    detail: Optional[str] = None
    """More about it."""
    position: Optional[int] = None
    """Its place among those that wait for the same, from 1."""


@dataclass(frozen=True)
class JobRecordQueue(Reply):
    """Where it stands in the wait queue; absent behind the first 1,000."""

    _names: ClassVar[Dict[str, str]] = {
        "expected_start_at": "expectedStartAt",
    }
    position: int
    """In the order in which the wait queue would be called now, at most 15 s old, from 1."""
    of: int
    """How many stand in it; at most 1,000 are counted."""
    expected_start_at: Optional[str] = None
    """When its create is expected to be sent; for creates, groups and names only."""


@dataclass(frozen=True)
class JobRecordCancel(Reply):
    """The reply JobRecordCancel."""

    at: Optional[str] = None
    """When."""
    reason: Optional[Reason] = None
    """Why."""
    by: Optional[str] = None
    """Who, by their token."""


@dataclass(frozen=True)
class JobRecord(Reply):
    """The reply JobRecord."""

    _names: ClassVar[Dict[str, str]] = {
        "group_name": "groupName",
        "created_at": "createdAt",
        "queued_at": "queuedAt",
        "provisioning_at": "provisioningAt",
        "started_at": "startedAt",
        "finished_at": "finishedAt",
        "kept_until": "keptUntil",
        "deadline_at": "deadlineAt",
        "expected_start_at": "expectedStartAt",
        "expected_end_at": "expectedEndAt",
        "queue_seconds": "queueSeconds",
        "start_seconds": "startSeconds",
        "pull_seconds": "pullSeconds",
        "run_seconds": "runSeconds",
        "duration_seconds": "durationSeconds",
        "exit_code": "exitCode",
        "failed_container": "failedContainer",
        "container_count": "containerCount",
        "memory_gb": "memoryGB",
        "vcpu_seconds": "vcpuSeconds",
        "gb_seconds": "gbSeconds",
        "cost_estimate": "costEstimate",
        "resource_group": "resourceGroup",
        "group_deleted": "groupDeleted",
        "requested_by": "requestedBy",
        "pipeline_run_id": "pipelineRunId",
        "rerun_of": "rerunOf",
        "template_version": "templateVersion",
        "array_id": "arrayId",
        "array_index": "arrayIndex",
        "message_id": "messageId",
        "callback_state": "callbackState",
        "api_version": "apiVersion",
        "results_url": "resultsUrl",
        "look_at": "lookAt",
        "correlation_id": "correlationId",
        "reply_state": "replyState",
    }
    id: str
    """The job's id."""
    name: str
    """As its caller wrote it."""
    state: State
    """Its state."""
    group_name: Optional[str] = None
    """Of the container group: the name, or with `uniqueName` the name and a suffix."""
    reason: Optional[Reason] = None
    """Why it waits, is being stopped, or ended."""
    message: Optional[str] = None
    """A sentence for people."""
    fault: Optional[Party] = None
    """Whose fault it was."""
    attempt: Optional[int] = None
    """From 1."""
    created_at: Optional[str] = None
    """Accepted."""
    queued_at: Optional[str] = None
    """This attempt began to wait."""
    provisioning_at: Optional[str] = None
    """This attempt's create was sent."""
    started_at: Optional[str] = None
    """This attempt's first container started."""
    finished_at: Optional[str] = None
    """Ended."""
    kept_until: Optional[str] = None
    """When a group that is kept goes."""
    deadline_at: Optional[str] = None
    """`createdAt` and `timeout`."""
    expected_start_at: Optional[str] = None
    """While it stands in a wait queue: when its create is expected to be sent."""
    expected_end_at: Optional[str] = None
    """Once its name has five successes: when it is expected to end."""
    queue_seconds: Optional[float] = None
    """Accepted to the first create."""
    start_seconds: Optional[float] = None
    """Create to the first container's start, this attempt."""
    pull_seconds: Optional[float] = None
    """Of the images, by Azure's events."""
    run_seconds: Optional[float] = None
    """First container's start to the job's end."""
    duration_seconds: Optional[float] = None
    """Accepted to ended."""
    evictions: Optional[int] = None
    """How often Azure took a Spot group's capacity back, over all attempts."""
    exit_code: Optional[int] = None
    """Of `main`, else of the container that failed first, else 0."""
    failed_container: Optional[str] = None
    """Whose exit code that is."""
    container_count: Optional[int] = None
    """Init containers left out."""
    images: Optional[str] = None
    """Separated by commas."""
    cpu: Optional[float] = None
    """Cores that the group asks for."""
    memory_gb: Optional[float] = None
    """Memory that the group asks for."""
    vcpu_seconds: Optional[float] = None
    """Over all attempts."""
    gb_seconds: Optional[float] = None
    """Over all attempts."""
    cost_estimate: Optional[float] = None
    """In `currency`."""
    currency: Optional[str] = None
    """Of the estimate."""
    location: Optional[str] = None
    """Region of the group."""
    resource_group: Optional[str] = None
    """Of the group."""
    group_deleted: Optional[bool] = None
    """The group is known to be gone, or was never created."""
    stopping: Optional[JobRecordStopping] = None
    """An end is decided, and Azure has not confirmed it."""
    requested_by: Optional[str] = None
    """Who asked, by their token."""
    via: Optional[str] = None
    """How it came."""
    factory: Optional[str] = None
    """Of the option `source`."""
    pipeline: Optional[str] = None
    """Of the option `source`."""
    pipeline_run_id: Optional[str] = None
    """Of the option `source`."""
    activity: Optional[str] = None
    """Of the option `source`."""
    tags: Optional[Union[Dict[str, str], str]] = None
    """Its labels; text where the cell was edited by hand and is no JSON."""
    group: Optional[str] = None
    """Of the option `group`, in lower case."""
    priority: Optional[int] = None
    """Seconds of head start in wait queues."""
    team: Optional[str] = None
    """Whose job it is, in lower case."""
    rerun_of: Optional[str] = None
    """Of the job that this one runs again."""
    template: Optional[str] = None
    """The template that it is a run of."""
    template_version: Optional[int] = None
    """Of its template."""
    array: Optional[ArrayRecord] = None
    array_id: Optional[str] = None
    """The job's id."""
    array_index: Optional[int] = None
    """Which of the array's items it runs, from 0."""
    message_id: Optional[str] = None
    """Of the queue's message that brought it."""
    warnings: Optional[List[Fault]] = None
    callback_state: Optional[str] = None
    """Of `callBackUri`."""
    version: Optional[int] = None
    """Of the row's form."""
    api_version: Optional[str] = None
    """Of the definition."""
    results_url: Optional[str] = None
    """Of an array: what came of each index."""
    containers: Optional[Dict[str, JobRecordContainers]] = None
    options: Optional[JobRecordOptions] = None
    look_at: Optional[str] = None
    """When the service looks at its group next."""
    waiting: Optional[JobRecordWaiting] = None
    """Why it has not begun."""
    queue: Optional[JobRecordQueue] = None
    """Where it stands in the wait queue; absent behind the first 1,000."""
    late: Optional[bool] = None
    """It runs for longer than 95 of 100 of its name; known after ten successes."""
    cancel: Optional[JobRecordCancel] = None
    history: Optional[List[HistoryLine]] = None
    """Its states, and its longer waits (from and to `Queued`), oldest first."""
    events: Optional[List[GroupEvent]] = None
    """Azure's events of the group and its containers."""
    attempts: Optional[List[Attempt]] = None
    """Those that ended, oldest first."""
    azure: Optional[AzureError] = None
    correlation_id: Optional[str] = None
    """Of the message that posted it."""
    reply_state: Optional[str] = None
    """Of `replyTo`."""


@dataclass(frozen=True)
class Problem(Reply):
    """The reply Problem."""

    _names: ClassVar[Dict[str, str]] = {
        "request_id": "requestId",
    }
    message: str
    """A sentence for people."""
    code: Optional[ProblemCode] = None
    errors: Optional[List[Fault]] = None
    """Every fault, each with its place."""
    warnings: Optional[List[Fault]] = None
    """What is odd besides."""
    request_id: Optional[str] = None
    """Found in the service's logs."""
    id: Optional[str] = None
    """Of the job that stands in the way."""
    name: Optional[str] = None
    """Of the job that stands in the way."""
    state: Optional[State] = None
    """Its state."""
    ids: Optional[List[str]] = None
    """Of the jobs that the name could mean."""
    group: Optional[str] = None
    """That has no free slot."""
    held: Optional[int] = None
    """Slots of it that are held."""
    limit: Optional[int] = None
    """The smaller of the job's own and the operator's."""
    waiting: Optional[int] = None
    """Jobs that wait for one, counted to a thousand."""
    path: Optional[str] = None
    """Where the two definitions of one idempotency key differ."""
    faults: Optional[List[str]] = None
    """What is wrong with the service's settings."""


@dataclass(frozen=True)
class SummaryRowQueueSeconds(Reply):
    """Accepted to the first create, of the jobs that have such a time; null where no job has it."""

    p50: Optional[float] = None
    """Half of them took no longer."""
    p95: Optional[float] = None
    """95 of 100 took no longer."""


@dataclass(frozen=True)
class SummaryRowStartSeconds(Reply):
    """Create to the first container's start, of the jobs that have such a time; null where no job has it."""

    p50: Optional[float] = None
    """Half of them took no longer."""
    p95: Optional[float] = None
    """95 of 100 took no longer."""


@dataclass(frozen=True)
class SummaryRowRunSeconds(Reply):
    """First container's start to the end, of the jobs that have such a time; null where no job has it."""

    p50: Optional[float] = None
    """Half of them took no longer."""
    p95: Optional[float] = None
    """95 of 100 took no longer."""


@dataclass(frozen=True)
class SummaryRow(Reply):
    """The reply SummaryRow."""

    _names: ClassVar[Dict[str, str]] = {
        "queue_seconds": "queueSeconds",
        "start_seconds": "startSeconds",
        "run_seconds": "runSeconds",
        "vcpu_seconds": "vcpuSeconds",
        "gb_seconds": "gbSeconds",
    }
    key: str
    """What these jobs have in common; empty for those without one. Hours as 2026-11-24T08:00:00Z, days as
    2026-11-24.
    """
    count: int
    """How many."""
    succeeded: Optional[int] = None
    """Of these."""
    failed: Optional[int] = None
    """Of these, ended in any other way: Failed, Stopped, TimedOut, Canceled."""
    queue_seconds: Optional[SummaryRowQueueSeconds] = None
    """Accepted to the first create, of the jobs that have such a time; null where no job has it."""
    start_seconds: Optional[SummaryRowStartSeconds] = None
    """Create to the first container's start, of the jobs that have such a time; null where no job has it."""
    run_seconds: Optional[SummaryRowRunSeconds] = None
    """First container's start to the end, of the jobs that have such a time; null where no job has it."""
    vcpu_seconds: Optional[float] = None
    """All together."""
    gb_seconds: Optional[float] = None
    """All together."""
    cost: Optional[float] = None
    """All together, in `currency`."""


@dataclass(frozen=True)
class Caller(Reply):
    """The reply Caller."""

    id: Optional[str] = None
    """With `AUTH_MODE=entra`: of the person, or of the application that calls for itself."""
    may: Optional[List[str]] = None
    """`submit` jobs, `cancel` its own, `steer` (cancel any, run again) one by one, `operate` on many at
    once.
    """
    teams: Optional[List[str]] = None
    """That the caller belongs to, where teams guard; a new job is the first one's."""


@dataclass(frozen=True)
class Summary(Reply):
    """The reply Summary."""

    _names: ClassVar[Dict[str, str]] = {
        "generated_at": "generatedAt",
    }
    rows: List[SummaryRow]
    """Hours and days in their order, all else the largest first."""
    by: Optional[str] = None
    generated_at: Optional[str] = None
    """When the jobs were read: an answer is kept for a minute."""
    since: Optional[str] = None
    """Accepted at or after."""
    until: Optional[str] = None
    """Accepted before."""
    skipped: Optional[int] = None
    """Rows that can't be read and are not counted."""
    currency: Optional[str] = None
    """Of `cost`."""
    truncated: Optional[bool] = None
    """There are more jobs than were read: the newest were."""


@dataclass(frozen=True)
class LogLines(Reply):
    """The reply LogLines."""

    container: str
    """Whose output."""
    text: str
    """The line."""
    at: Optional[str] = None
    """When, ISO 8601; empty where that is not known."""
    mark: Optional[bool] = None
    """The line is the service's own: it says what is missing here."""


@dataclass(frozen=True)
class Log(Reply):
    """The reply Log."""

    lines: List[LogLines]
    id: Optional[str] = None
    """The job's id."""
    name: Optional[str] = None
    """The job's name."""
    state: Optional[State] = None
    """Its state."""
    attempt: Optional[int] = None
    """Of which attempt, from 1."""


@dataclass(frozen=True)
class Canceled(Reply):
    """The reply Canceled."""

    _names: ClassVar[Dict[str, str]] = {
        "dry_run": "dryRun",
    }
    message: str
    """A sentence for people."""
    canceled: Optional[int] = None
    """How many are being canceled."""
    matched: Optional[int] = None
    """How many fit and are not canceled yet."""
    dry_run: Optional[bool] = None
    """Nothing was done."""
    ids: Optional[List[str]] = None
    """The first thousand."""
    unreadable: Optional[int] = None
    """How many can't be read, and are left alone."""
    more: Optional[bool] = None
    """The time of one call was over; the service goes on."""


@dataclass(frozen=True)
class Rerun(Reply):
    """The reply Rerun."""

    _names: ClassVar[Dict[str, str]] = {
        "dry_run": "dryRun",
    }
    message: str
    """A sentence for people."""
    rerun: Optional[int] = None
    """How many run again."""
    matched: Optional[int] = None
    """How many fit."""
    known: Optional[int] = None
    """How many were run again before."""
    refused: Optional[int] = None
    """How many can't be run again: their definition is no longer kept, a policy forbids them, a ceiling is
    reached.
    """
    dry_run: Optional[bool] = None
    """Nothing was done."""
    ids: Optional[List[str]] = None
    """The new jobs of this call, the first thousand."""
    more: Optional[bool] = None
    """The time of one call was over; the service goes on."""


@dataclass(frozen=True)
class Priority(Reply):
    """The reply Priority."""

    message: str
    """A sentence for people."""
    id: Optional[str] = None
    """The job's id."""
    priority: Optional[int] = None


@dataclass(frozen=True)
class GroupSlots(Reply):
    """The reply GroupSlots."""

    id: str
    """The job's id."""
    name: str
    """The job's name."""
    since: Optional[str] = None
    """It has its slot."""
    leaked: Optional[bool] = None
    """It has ended, and Azure does not confirm that nothing of it runs any more."""


@dataclass(frozen=True)
class GroupWaiting(Reply):
    """The reply GroupWaiting."""

    id: str
    """The job's id."""
    name: str
    """The job's name."""
    since: Optional[str] = None
    """Its wait counts from: accepted less its priority."""
    limit: Optional[int] = None
    """Its own."""


@dataclass(frozen=True)
class Group(Reply):
    """The reply Group."""

    group: str
    """Its name, in lower case."""
    held: int
    """Slots that are held."""
    limit: Optional[int] = None
    """The operator's; null where the operator has set no limit."""
    paused: Optional[bool] = None
    """An operator lets nobody in."""
    slots: Optional[List[GroupSlots]] = None
    """Who holds them: the first 20 in a list, the first 1,000 of one group."""
    waiting: Optional[List[GroupWaiting]] = None
    """Who waits, the next first; as many."""
    more: Optional[bool] = None
    """Not all are shown."""


@dataclass(frozen=True)
class Groups(Reply):
    """The reply Groups."""

    groups: List[Group]
    """Those of which a slot is held, or an operator has said something."""
    continuation: Optional[str] = None
    """Where the next page begins."""


@dataclass(frozen=True)
class Paused(Reply):
    """The reply Paused."""

    message: str
    """A sentence for people."""
    paused: Optional[bool] = None
    reason: Optional[str] = None
    """What people read."""


@dataclass(frozen=True)
class Resumed(Reply):
    """The reply Resumed."""

    message: str
    """A sentence for people."""
    paused: Optional[bool] = None
    woken: Optional[int] = None
    """How many waited for this."""
    more: Optional[bool] = None
    """The time of one call was over; the others follow."""


@dataclass(frozen=True)
class Reindexed(Reply):
    """The reply Reindexed."""

    message: str
    """A sentence for people."""
    complete: bool
    """The index is whole: jobs are accepted again. False: call again."""
    jobs: Optional[int] = None
    """Rows that were read so far."""
    skipped: Optional[int] = None
    """Of these, rows that can't be read; their names are kept for them."""


@dataclass(frozen=True)
class AdoptableGroups(Reply):
    """The reply AdoptableGroups."""

    _names: ClassVar[Dict[str, str]] = {
        "resource_group": "resourceGroup",
    }
    name: str
    resource_group: str
    state: str
    """As Azure reports it, or Unknown."""
    replaceable: bool
    """A job of this name could replace it."""
    location: Optional[str] = None


@dataclass(frozen=True)
class Adoptable(Reply):
    """The reply Adoptable."""

    message: str
    """A sentence for people."""
    enabled: bool
    """`ADOPT_FINISHED_GROUPS` is on."""
    groups: List[AdoptableGroups]
    complete: Optional[bool] = None
    """False where a list failed or was cut off."""


@dataclass(frozen=True)
class TemplateInfo(Reply):
    """The reply TemplateInfo."""

    _names: ClassVar[Dict[str, str]] = {
        "created_at": "createdAt",
        "created_by": "createdBy",
        "parameter_names": "parameterNames",
    }
    name: str
    """The template's."""
    version: int
    """From 1; never given twice."""
    created_at: Optional[str] = None
    """When this version was stored."""
    created_by: Optional[str] = None
    """Who stored it, by their token."""
    parameter_names: Optional[List[str]] = None
    """In the order of their declaration."""


@dataclass(frozen=True)
class TemplatePage(Reply):
    """The reply TemplatePage."""

    templates: List[TemplateInfo]
    """By name; of each its newest version."""
    continuation: Optional[str] = None
    """Where the next page begins; absent on the last."""


@dataclass(frozen=True)
class TemplateParameter(Reply):
    """The reply TemplateParameter."""

    type: str
    secret: Optional[bool] = None
    """Its value is kept secret."""
    required: Optional[bool] = None
    """It has no default."""
    description: Optional[str] = None
    """What its author says of it."""
    default: Optional[Union[str, float, bool, List[str]]] = None
    """What it is unless it is given."""
    values: Optional[List[Union[str, float]]] = None
    """All that it may be."""
    pattern: Optional[str] = None
    """What its text must match (RE2), as a whole."""


@dataclass(frozen=True)
class Template(Reply):
    """The reply Template."""

    _names: ClassVar[Dict[str, str]] = {
        "created_at": "createdAt",
        "created_by": "createdBy",
        "parameter_names": "parameterNames",
    }
    name: str
    """The template's."""
    version: int
    """From 1; never given twice."""
    definition: str
    """Its text as it was stored: it can be edited and stored again."""
    parameters: Dict[str, TemplateParameter]
    """By name."""
    created_at: Optional[str] = None
    """When this version was stored."""
    created_by: Optional[str] = None
    """Who stored it, by their token."""
    parameter_names: Optional[List[str]] = None
    """In the order of their declaration."""
    allow: Optional[List[str]] = None
    """Options that a caller with Job.Run alone may set."""
    versions: Optional[List[TemplateInfo]] = None
    """Those that are kept, newest first; absent where one version was asked for."""


@dataclass(frozen=True)
class TemplateStored(Reply):
    """The reply TemplateStored."""

    message: str
    """A sentence for people."""
    version: int
    """The new one."""
    name: Optional[str] = None
    """The template's."""
    warnings: Optional[List[Fault]] = None
    """What is odd in it."""


@dataclass(frozen=True)
class TemplateDeleted(Reply):
    """The reply TemplateDeleted."""

    message: str
    """A sentence for people."""


@dataclass(frozen=True)
class PoisonListMessages(Reply):
    """The reply PoisonListMessages."""

    _names: ClassVar[Dict[str, str]] = {
        "message_id": "messageId",
        "inserted_at": "insertedAt",
    }
    message_id: str
    """What replay and drop take."""
    inserted_at: str
    """When it came."""
    bytes: int
    """Of its text, which is never shown."""
    id: Optional[str] = None
    """Of its job, where the service itself gave the message up."""
    reason: Optional[str] = None
    """Why it did."""
    since: Optional[str] = None
    """Since when the message waited."""


@dataclass(frozen=True)
class PoisonList(Reply):
    """The reply PoisonList."""

    messages: List[PoisonListMessages]


@dataclass(frozen=True)
class PoisonTaken(Reply):
    """The reply PoisonTaken."""

    message: str
    """A sentence for people."""
    replayed: Optional[int] = None
    """How many."""
    dropped: Optional[int] = None
    """How many."""
    more: Optional[bool] = None
    """There are more: the time of one call was over."""


@dataclass(frozen=True)
class Health(Reply):
    """The reply Health."""

    status: str


@dataclass(frozen=True)
class HealthDetailsTimer(Reply):
    """The platform's timer; without it, calls and messages bring the sweep on."""

    ok: Optional[bool] = None
    """It runs."""
    since: Optional[str] = None
    """Since when it runs, or when it last did."""


@dataclass(frozen=True)
class HealthDetailsQueue(Reply):
    """The queue aci-wake; without it, the sweep moves jobs, a few each minute."""

    ok: Optional[bool] = None
    """It delivers."""
    since: Optional[str] = None
    """Since when it does, or when it last did."""


@dataclass(frozen=True)
class HealthDetailsSweep(Reply):
    """The reply HealthDetailsSweep."""

    _names: ClassVar[Dict[str, str]] = {
        "begun_at": "begunAt",
        "completed_at": "completedAt",
    }
    begun_at: Optional[str] = None
    """When its last turn began."""
    completed_at: Optional[str] = None
    """When it was last finished."""
    by: Optional[str] = None
    """Who began it: timer, queue, operator."""
    unfinished: Optional[bool] = None
    """The next turn goes on with it."""
    error: Optional[str] = None
    """Why its last turn failed."""


@dataclass(frozen=True)
class HealthDetailsIndex(Reply):
    """The job index: without it no job is accepted."""

    ok: Optional[bool] = None
    """It is whole; otherwise `POST /api/reindex` rebuilds it."""


@dataclass(frozen=True)
class HealthDetailsStorage(Reply):
    """The storage account."""

    ok: Optional[bool] = None
    """Its tables answer within two seconds. While they can't be read, the answer is a 503 that says since
    when.
    """
    since: Optional[str] = None
    """Since when this instance can read it, or since when it is slow."""
    error: Optional[str] = None
    """How slow it is."""


@dataclass(frozen=True)
class HealthDetailsLogStorage(Reply):
    """The reply HealthDetailsLogStorage."""

    ok: Optional[bool] = None
    """It answered when it was last asked; it is asked once a minute."""
    since: Optional[str] = None
    """Since when that is so."""
    error: Optional[str] = None
    """Why it does not work."""


@dataclass(frozen=True)
class HealthDetailsSealKey(Reply):
    """The reply HealthDetailsSealKey."""

    ok: Optional[bool] = None
    """It answered when it was last asked; it is asked once a minute."""
    since: Optional[str] = None
    """Since when that is so."""
    error: Optional[str] = None
    """Why it does not work."""


@dataclass(frozen=True)
class HealthDetailsVault(Reply):
    """The reply HealthDetailsVault."""

    ok: Optional[bool] = None
    """It answered when it was last asked; it is asked once a minute."""
    since: Optional[str] = None
    """Since when that is so."""
    error: Optional[str] = None
    """Why it does not work."""


@dataclass(frozen=True)
class HealthDetailsEventTopic(Reply):
    """The reply HealthDetailsEventTopic."""

    ok: Optional[bool] = None
    """It answered when it was last asked; it is asked once a minute."""
    since: Optional[str] = None
    """Since when that is so."""
    error: Optional[str] = None
    """Why it does not work."""


@dataclass(frozen=True)
class HealthDetailsWebhook(Reply):
    """The reply HealthDetailsWebhook."""

    ok: Optional[bool] = None
    """It answered when it was last asked; it is asked once a minute."""
    since: Optional[str] = None
    """Since when that is so."""
    error: Optional[str] = None
    """Why it does not work."""


@dataclass(frozen=True)
class HealthDetailsArm(Reply):
    """The reply HealthDetailsArm."""

    ok: Optional[bool] = None
    """Azure Resource Manager answered last time."""
    since: Optional[str] = None
    """Since when that is so."""


@dataclass(frozen=True)
class HealthDetailsWaitingMessages(Reply):
    """Posted messages that wait for what they need, and are sent again."""

    count: Optional[int] = None
    """How many; counted up to 5000."""
    oldest: Optional[str] = None
    """Since when the oldest waits."""
    reasons: Optional[Dict[str, int]] = None


@dataclass(frozen=True)
class HealthDetailsUnreadable(Reply):
    """The reply HealthDetailsUnreadable."""

    id: Optional[str] = None
    """Of the job."""
    why: Optional[str] = None
    """Why its row can't be read."""


@dataclass(frozen=True)
class HealthDetailsPaused(Reply):
    """The reply HealthDetailsPaused."""

    reason: Optional[str] = None
    since: Optional[str] = None
    """Since when."""


@dataclass(frozen=True)
class HealthDetails(Reply):
    """The reply HealthDetails."""

    _names: ClassVar[Dict[str, str]] = {
        "last_reconcile": "lastReconcile",
        "log_storage": "logStorage",
        "seal_key": "sealKey",
        "event_topic": "eventTopic",
        "last_arm_success": "lastArmSuccess",
        "throttled_until": "throttledUntil",
        "queue_length": "queueLength",
        "wake_length": "wakeLength",
        "events_length": "eventsLength",
        "poison_length": "poisonLength",
        "wake_poison_length": "wakePoisonLength",
        "events_poison_length": "eventsPoisonLength",
        "active_jobs": "activeJobs",
        "blocked_jobs": "blockedJobs",
        "leaked_groups": "leakedGroups",
        "undelivered_notifications": "undeliveredNotifications",
        "late_notifications": "lateNotifications",
        "dropped_notifications": "droppedNotifications",
        "oldest_queued": "oldestQueued",
        "waiting_messages": "waitingMessages",
        "unreadable_rows": "unreadableRows",
    }
    status: str
    version: Optional[str] = None
    """Of the service."""
    last_reconcile: Optional[str] = None
    """When the last pass over all that jobs hang on was completed."""
    timer: Optional[HealthDetailsTimer] = None
    """The platform's timer; without it, calls and messages bring the sweep on."""
    queue: Optional[HealthDetailsQueue] = None
    """The queue aci-wake; without it, the sweep moves jobs, a few each minute."""
    sweep: Optional[Dict[str, HealthDetailsSweep]] = None
    """How each part of the sweep went, by name."""
    index: Optional[HealthDetailsIndex] = None
    """The job index: without it no job is accepted."""
    storage: Optional[HealthDetailsStorage] = None
    """The storage account."""
    log_storage: Optional[HealthDetailsLogStorage] = None
    """Where logs are stored, while jobs are active; null until it was asked."""
    seal_key: Optional[HealthDetailsSealKey] = None
    """The key that seals definitions."""
    vault: Optional[HealthDetailsVault] = None
    """The vault that definitions refer to; null without one, and until it was asked."""
    event_topic: Optional[HealthDetailsEventTopic] = None
    """The Event Grid topic that gets events; null without one, and until the first minute is over."""
    webhook: Optional[HealthDetailsWebhook] = None
    """The webhook that is notified of ends; null without one, and until the first minute is over."""
    arm: Optional[HealthDetailsArm] = None
    last_arm_success: Optional[str] = None
    """When Azure Resource Manager last answered."""
    throttled_until: Optional[str] = None
    """Until then it asked us to wait."""
    queue_length: Optional[int] = None
    """Messages on aci-jobs."""
    wake_length: Optional[int] = None
    """Messages on aci-wake."""
    events_length: Optional[int] = None
    """Messages on aci-events."""
    poison_length: Optional[int] = None
    """Messages on aci-jobs-poison."""
    wake_poison_length: Optional[int] = None
    """Messages on aci-wake-poison."""
    events_poison_length: Optional[int] = None
    """Messages on aci-events-poison."""
    active_jobs: Optional[int] = None
    """Jobs that have not ended."""
    blocked_jobs: Optional[int] = None
    """Jobs that something outside the service holds up, and ended ones whose group can't be deleted."""
    blocked: Optional[Dict[str, int]] = None
    """The same by reason."""
    leaked_groups: Optional[int] = None
    """Groups that should be gone and are not."""
    undelivered_notifications: Optional[int] = None
    """Ended jobs whose caller was not reached yet, and jobs with events that the topic or webhook did not
    take yet.
    """
    late_notifications: Optional[int] = None
    """Ended jobs whose caller was not reached for a minute."""
    dropped_notifications: Optional[int] = None
    """Events that the topic or webhook did not take for a day."""
    oldest_queued: Optional[str] = None
    """When the oldest job that waits was accepted."""
    waiting_messages: Optional[HealthDetailsWaitingMessages] = None
    """Posted messages that wait for what they need, and are sent again."""
    unreadable_rows: Optional[int] = None
    """Rows that can't be read; counted up to 1000."""
    unreadable: Optional[List[HealthDetailsUnreadable]] = None
    """The first ten of them."""
    paused: Optional[HealthDetailsPaused] = None
    faults: Optional[List[str]] = None
    """What is wrong with the settings."""
    misspelt: Optional[List[str]] = None
    """Settings that nobody reads and that resemble a setting. They stop nothing."""

# </types>


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ",".join(f"{name}={_text(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ",".join(_text(each) for each in value)
    return str(value)


def _with_items(definition: Definition, items: List[Any], of_template: bool) -> Mapping[str, Any]:
    """The items of an array go in the body: into the envelope that it is, or one around the definition."""
    try:
        read: Any = json.loads(definition) if isinstance(definition, str) else definition
    except ValueError:
        read = None
    names: Dict[str, str] = {name.lower(): name for name in read} if isinstance(read, Mapping) else {}
    own = "definition" in names or "definitionblob" in names or "properties" not in names
    if of_template or ("version" in names and own):
        key = names.get("options", "options")
        return {**read, key: {**(read.get(key) or {}), "array": items}}
    return {"version": 1, "definition": definition, "options": {"array": items}}


_ABSENT: Any = object()
"""Not given, where None is sent as null."""
_NULL: Any = object()


def _or_null(value: Any) -> Any:
    return None if value is _ABSENT else _NULL if value is None else value


def _present(members: Mapping[str, Any]) -> Dict[str, Any]:
    """Those that were given."""
    return {name: None if each is _NULL else each for name, each in members.items() if each is not None}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key along to wherever it goes."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _sendable(what: str, text: str) -> str:
    """A header that can't be sent would be shown in the error."""
    if not text.isascii() or not text.isprintable() or not text:
        raise Misuse(f"The {what} is empty, or has a line break or another character that no {what} has.")
    return text


def _refusal(takes_tokens: bool, sent_key: bool, sent_token: bool) -> str:
    if takes_tokens and not sent_token:
        return "The service takes no key but a token of Microsoft Entra ID."
    if takes_tokens:
        return "The service refused the token: it has expired, or is not for this service."
    return "The service takes no token; give its key." if sent_token and not sent_key else "The service refused the key."


class _Service:
    """The service's calls, one method for each."""

    def __init__(self, url: str, key: Optional[str], token: Optional[Token], timeout: float) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misuse("The address of the service must be an absolute http or https address.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise Misuse("Give the bare address of the service; the key is a parameter of its own.")
        is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        self.url = url.rstrip("/")
        self._key = key or ("local" if is_local and not token else None)
        self._token = token or None
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirects)

    def _send(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> http.client.HTTPResponse:
        """One call. The answer's body is still to be read, whatever its status."""
        words = urllib.parse.urlencode({name: _text(each) for name, each in _present(query or {}).items()})
        address = self.url + path + (("&" if "?" in path else "?") + words if words else "")
        request = urllib.request.Request(address, data=body, method=method, headers=dict(headers or {}))
        if self._key is not None:
            request.add_header("x-functions-key", _sendable("key", self._key))
        if self._token is not None:
            token = self._token if isinstance(self._token, str) else self._token()
            request.add_header("authorization", f"Bearer {_sendable('token', token)}")
        try:
            answer = self._opener.open(request, timeout=self._timeout)
        except urllib.error.HTTPError as refusal:
            if 300 <= refusal.code < 400:
                refusal.close()
                raise Refused("NotAciProxy", refusal.code, f"{self.url} redirects elsewhere; give the final address.") from None
            return typing.cast(http.client.HTTPResponse, refusal)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(f"No answer from {self.url} ({reason or type(error).__name__}).") from None
        return typing.cast(http.client.HTTPResponse, answer)

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        try:
            with answer:
                return answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"The answer of {self.url} broke off ({error}).") from None

    def _json(
        self,
        kind: Type[R],
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        definition: Optional[Definition] = None,
        idempotency_key: Optional[str] = None,
        also_refused: bool = False,
    ) -> R:
        """A call whose answer is such a reply; with `also_refused` whatever its HTTP status."""
        sent = body if body is not None else definition
        if definition is not None and query is not None and isinstance(query.get("array"), (list, tuple)):
            sent = _with_items(definition, list(query["array"]), query.get("template") is not None)
            query = {name: each for name, each in query.items() if name != "array"}
        headers = {"content-type": "application/yaml" if isinstance(sent, str) else "application/json"}
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        if isinstance(sent, Mapping):
            sent = json.dumps(_present(sent) if body is not None else sent)
        data = None if sent is None else sent.encode()
        answer = self._send(method, path, query, data, headers if sent is not None else None)
        return self._reply(kind, answer, also_refused)

    def _reply(self, kind: Type[R], answer: http.client.HTTPResponse, also_refused: bool = False) -> R:
        text = self._body(answer)
        if also_refused or answer.status < 300:
            try:
                return typing.cast(R, _read(kind, json.loads(text)))
            except (ValueError, RecursionError, _Mismatch):
                if answer.status < 300:
                    raise self._not_ours(answer) from None
        raise self._refused(answer, text)

    def _not_ours(self, answer: http.client.HTTPResponse) -> Refused:
        message = f"{self.url} answered with something else than ACI Proxy does; is the address right?"
        return Refused("NotAciProxy", answer.status, message)

    def _refused(self, answer: http.client.HTTPResponse, text: bytes) -> Refused:
        """A refusal as an error that says what to do, from the service's own words where it has some."""
        status, wait = answer.status, _retry_after(answer)
        try:
            problem: Optional[Problem] = _read(Problem, json.loads(text))
        except (ValueError, RecursionError, _Mismatch):
            problem = None
        if status == 401 or (status == 403 and problem is None):
            takes_tokens = (answer.headers.get("www-authenticate") or "").lower().startswith("bearer")
            return Refused("KeyRefused", status, _refusal(takes_tokens, self._key is not None, self._token is not None), None, wait)
        if problem is None:
            hint = "; is the address right?" if status == 404 else "."
            return Refused("Refused", status, f"The service answered {status} without saying why{hint}", None, wait)
        request = f" (request {problem.request_id})" if status >= 500 and problem.request_id else ""
        return Refused(problem.code or "Refused", status, problem.message + request, problem, wait)

    # <calls: made by npm run docs from the API's description>

    def submit(
        self,
        definition: Definition,
        *,
        polling: Optional[str] = None,
        timeout: Optional[Value] = None,
        queue_timeout: Optional[Value] = None,
        start_timeout: Optional[Value] = None,
        run_timeout: Optional[Value] = None,
        retries: Optional[int] = None,
        retry_on: Optional[Value] = None,
        on_conflict: Optional[str] = None,
        unique_name: Optional[bool] = None,
        main: Optional[str] = None,
        keep: Optional[str] = None,
        lease: Optional[Value] = None,
        env: Optional[bool] = None,
        group: Optional[str] = None,
        group_limit: Optional[int] = None,
        on_group_full: Optional[str] = None,
        priority: Optional[int] = None,
        team: Optional[str] = None,
        tags: Optional[Value] = None,
        source: Optional[str] = None,
        failure_status: Optional[int] = None,
        output_limit: Optional[int] = None,
        array: Optional[Value] = None,
        parallelism: Optional[int] = None,
        fail_fast: Optional[bool] = None,
        min_success: Optional[Value] = None,
        pack: Optional[int] = None,
        strict: Optional[bool] = None,
        template: Optional[str] = None,
        version: Optional[int] = None,
        idempotency_key: Optional[str] = None,
        **newer: Value,
    ) -> Accepted:
        """Run a container group as a job.

        :param polling: `true`: 202 and a `Location` to poll until the job's end. `started`: the `Location`
            answers 200 once the group runs. `link`: the `Location` needs no key.
        :param timeout: From accept to end, all attempts and waiting included.
        :param queue_timeout: From accept to the first create.
        :param start_timeout: Each attempt's time from create to running. Ends nothing while the group can't
            be read, for an hour at most.
        :param run_timeout: Each attempt's time from running to its end. Ends nothing while the group can't
            be read, for an hour at most.
        :param retries: How many further attempts a failed job gets.
        :param retry_on: Ordered rules: exit codes (`137`, `1-5`), reasons, faults (`platform`) or `*`; `!`
            in front means no retry. The first match wins; no match stops.
        :param on_conflict: What happens when an active job has that name.
        :param unique_name: Adds a suffix to the group's name, so that the same definition can run side by
            side.
        :param main: The main container: when it exits the job ends and the other containers are stopped.
        :param keep: Whether the finished group stays for a while. It goes when a new job needs its name, or
            when the job is deleted or canceled by a call.
        :param lease: The job is canceled if nobody reads its own `Location` for this time; an outage of the
            service does not count. With `polling=started` somebody must go on reading.
        :param env: Gives every container ACI_PROXY_JOB_ID, _NAME, _ATTEMPT, _DEADLINE, TRACEPARENT, and
            ACI_PROXY_RESULT_URL, which takes one result by PUT.
        :param group: Jobs of one group share its slots. A job holds one from its admission until nothing of
            it runs any more. Compared without case.
        :param group_limit: The job starts only while fewer slots of its group are held. Other jobs of the
            group may have other limits; an operator's limit holds besides.
        :param on_group_full: What happens when no slot of the group is free, or others wait for one.
        :param priority: Seconds of head start where the job waits with others: for its name, for a slot of
            its group, for a create.
        :param team: Whose job it is, for shares, ceilings and reports. Compared without case. Without
            `TEAMS` it is a label.
        :param tags: Free labels, `KEY=VALUE` or `LABEL`; they become tags of the container group.
        :param source: `FACTORY/PIPELINE/RUNID/ACTIVITY`, for the table's columns and the group's tags.
        :param failure_status: HTTP status of the final reply of a job that did not succeed. With
            `polling=started`, where 200 says that the group runs, 200 is taken as 500.
        :param output_limit: Bytes of each container's output in the status reply; its tail, cut at a line.
        :param array: One job of this many children, one for each item: see [arrays.md](arrays.md). Each
            child has ACI_PROXY_ARRAY_INDEX, _SIZE and _ITEM, and exactly `${index}`, `${item}` and
            `${item.FIELD}` in the definition's values are replaced.
        :param parallelism: Children of the array that exist at once, at most.
        :param fail_fast: The first child that fails cancels the rest of the array.
        :param min_success: How many children must succeed for the array to succeed.
        :param pack: This many items of the array share one container group, a container each; see
            [arrays.md](arrays.md#packing). parallelism then counts groups.
        :param strict: Warnings are errors.
        :param template: Runs this template; the body is `{parameters, options}`.
        :param version: Of the template; default the newest.
        :param idempotency_key: The same key again gives the same job, not a second run.
        """
        return self._json(
            Accepted,
            "POST",
            "/api/trigger",
            query={
                "polling": polling,
                "timeout": timeout,
                "queueTimeout": queue_timeout,
                "startTimeout": start_timeout,
                "runTimeout": run_timeout,
                "retries": retries,
                "retryOn": retry_on,
                "onConflict": on_conflict,
                "uniqueName": unique_name,
                "main": main,
                "keep": keep,
                "lease": lease,
                "env": env,
                "group": group,
                "groupLimit": group_limit,
                "onGroupFull": on_group_full,
                "priority": priority,
                "team": team,
                "tags": tags,
                "source": source,
                "failureStatus": failure_status,
                "outputLimit": output_limit,
                "array": array,
                "parallelism": parallelism,
                "failFast": fail_fast,
                "minSuccess": min_success,
                "pack": pack,
                "strict": strict,
                "template": template,
                "version": version,
                **newer,
            },
            definition=definition,
            idempotency_key=idempotency_key,
        )

    def caller(
        self,
    ) -> Caller:
        """What the caller may do."""
        return self._json(
            Caller,
            "GET",
            "/api/caller",
        )

    def status(
        self,
        job: str,
        *,
        until: Optional[str] = None,
    ) -> Status:
        """The state of a job: 202 until it has ended.

        :param until: Answer 200 when the group runs, or once it is gone; default at the job's end.
        """
        return self._json(
            Status,
            "GET",
            f"/api/status/{_quoted(job)}",
            query={
                "until": until,
            },
            also_refused=True,
        )

    def jobs_page(
        self,
        *,
        state: Optional[str] = None,
        name: Optional[str] = None,
        tag: Optional[str] = None,
        reason: Optional[Reason] = None,
        fault: Optional[Party] = None,
        run_id: Optional[str] = None,
        pipeline: Optional[str] = None,
        factory: Optional[str] = None,
        activity: Optional[str] = None,
        via: Optional[str] = None,
        team: Optional[str] = None,
        group: Optional[str] = None,
        template: Optional[str] = None,
        array: Optional[str] = None,
        since: Optional[str] = None,
        until: Optional[str] = None,
        top: Optional[int] = None,
        continuation: Optional[str] = None,
    ) -> JobPage:
        """Jobs, newest first.

        :param state: `active` for all that have not ended, or some of Queued, Provisioning, Pending,
            Running, Succeeded, Failed, Stopped, TimedOut, Canceled, separated by commas.
        :param name: Only jobs of this container group, in any letter case.
        :param tag: Only jobs with this label: `KEY`, or `KEY=VALUE`.
        :param reason: Only jobs that wait or ended for this reason.
        :param fault: Only jobs that ended by this fault.
        :param run_id: Only jobs of this pipeline run.
        :param pipeline: Only jobs of this pipeline.
        :param factory: Only jobs of this data factory.
        :param activity: Only jobs of this activity.
        :param via: Only jobs that came so.
        :param team: Only jobs of this team, in any letter case.
        :param group: Only jobs of this group, in any letter case.
        :param template: Only jobs of this template, in any letter case.
        :param array: Only jobs that are children of this array, by its job's id, in the order of their
            indexes.
        :param since: Accepted at or after: a time, or a duration ago.
        :param until: Accepted before: a time, or a duration ago.
        :param top: How many at most; default 100.
        :param continuation: Where the page before ended, unchanged, with the same filters.
        """
        return self._json(
            JobPage,
            "GET",
            "/api/jobs",
            query={
                "state": state,
                "name": name,
                "tag": tag,
                "reason": reason,
                "fault": fault,
                "runId": run_id,
                "pipeline": pipeline,
                "factory": factory,
                "activity": activity,
                "via": via,
                "team": team,
                "group": group,
                "template": template,
                "array": array,
                "since": since,
                "until": until,
                "top": top,
                "continuation": continuation,
            },
        )

    def summary(
        self,
        *,
        state: Optional[str] = None,
        name: Optional[str] = None,
        tag: Optional[str] = None,
        reason: Optional[Reason] = None,
        fault: Optional[Party] = None,
        run_id: Optional[str] = None,
        pipeline: Optional[str] = None,
        factory: Optional[str] = None,
        activity: Optional[str] = None,
        via: Optional[str] = None,
        team: Optional[str] = None,
        group: Optional[str] = None,
        template: Optional[str] = None,
        array: Optional[str] = None,
        since: Optional[str] = None,
        until: Optional[str] = None,
        by: Optional[str] = None,
    ) -> Summary:
        """How many jobs there were, how they ended, what they took and cost.

        :param state: `active` for all that have not ended, or some of Queued, Provisioning, Pending,
            Running, Succeeded, Failed, Stopped, TimedOut, Canceled, separated by commas.
        :param name: Only jobs of this container group, in any letter case.
        :param tag: Only jobs with this label: `KEY`, or `KEY=VALUE`.
        :param reason: Only jobs that wait or ended for this reason.
        :param fault: Only jobs that ended by this fault.
        :param run_id: Only jobs of this pipeline run.
        :param pipeline: Only jobs of this pipeline.
        :param factory: Only jobs of this data factory.
        :param activity: Only jobs of this activity.
        :param via: Only jobs that came so.
        :param team: Only jobs of this team, in any letter case.
        :param group: Only jobs of this group, in any letter case.
        :param template: Only jobs of this template, in any letter case.
        :param array: Only jobs that are children of this array, by its job's id, in the order of their
            indexes.
        :param since: Accepted at or after: a time, or a duration ago.
        :param until: Accepted before: a time, or a duration ago.
        :param by: What the jobs of a row have in common; default `state`.
        """
        return self._json(
            Summary,
            "GET",
            "/api/jobs/summary",
            query={
                "state": state,
                "name": name,
                "tag": tag,
                "reason": reason,
                "fault": fault,
                "runId": run_id,
                "pipeline": pipeline,
                "factory": factory,
                "activity": activity,
                "via": via,
                "team": team,
                "group": group,
                "template": template,
                "array": array,
                "since": since,
                "until": until,
                "by": by,
            },
        )

    def record(
        self,
        job_id: str,
    ) -> JobRecord:
        """Everything about a job."""
        return self._json(
            JobRecord,
            "GET",
            f"/api/jobs/{_quoted(job_id)}",
        )

    def results_page(
        self,
        job_id: str,
        *,
        state: Optional[str] = None,
        from_: Optional[int] = None,
        top: Optional[int] = None,
        continuation: Optional[str] = None,
    ) -> Results:
        """What came of each index of an array.

        :param state: `active` for all that have not ended, or some of Queued, Provisioning, Pending,
            Running, Succeeded, Failed, Stopped, TimedOut, Canceled, separated by commas.
        :param from_: Only this index and later ones.
        :param top: How many at most; default 100.
        :param continuation: Where the page before ended, unchanged, with the same filters.
        """
        return self._json(
            Results,
            "GET",
            f"/api/jobs/{_quoted(job_id)}/results",
            query={
                "state": state,
                "from": from_,
                "top": top,
                "continuation": continuation,
            },
        )

    def definition(
        self,
        job_id: str,
    ) -> Definition:
        """What was submitted, with secrets masked."""
        return self._json(
            Definition,
            "GET",
            f"/api/jobs/{_quoted(job_id)}/definition",
        )

    def health_details(
        self,
    ) -> HealthDetails:
        """What operators look at."""
        return self._json(
            HealthDetails,
            "GET",
            "/api/health/details",
            also_refused=True,
        )

    def delete(
        self,
        job: str,
        *,
        polling: Optional[bool] = None,
    ) -> Deleted:
        """Cancel a job and delete its group.

        :param polling: 202 and a `Location` that answers 200 once the group is gone.
        """
        return self._json(
            Deleted,
            "DELETE",
            f"/api/delete/{_quoted(job)}",
            query={
                "polling": polling,
            },
        )

    def rerun(
        self,
        job_id: str,
        *,
        polling: Optional[bool] = None,
    ) -> Accepted:
        """Run a job again.

        :param polling: 202 and a `Location` to poll.
        """
        return self._json(
            Accepted,
            "POST",
            f"/api/jobs/{_quoted(job_id)}/rerun",
            query={
                "polling": polling,
            },
        )

    def rerun_many(
        self,
        *,
        state: Optional[str] = None,
        reason: Optional[str] = None,
        name: Optional[str] = None,
        tag: Optional[str] = None,
        pipeline: Optional[str] = None,
        group: Optional[str] = None,
        team: Optional[str] = None,
        array: Optional[str] = None,
        since: Optional[str] = None,
        until: Optional[str] = None,
        dry_run: Optional[Value] = None,
    ) -> Rerun:
        """Run all jobs again that match and did not succeed."""
        return self._json(
            Rerun,
            "POST",
            "/api/jobs/rerun",
            body={
                "state": state,
                "reason": reason,
                "name": name,
                "tag": tag,
                "pipeline": pipeline,
                "group": group,
                "team": team,
                "array": array,
                "since": since,
                "until": until,
                "dryRun": dry_run,
            },
        )

    def rerun_progress(
        self,
        key: str,
    ) -> Rerun:
        """How far a rerun of many jobs is."""
        return self._json(
            Rerun,
            "GET",
            f"/api/reruns/{_quoted(key)}",
        )

    def templates(
        self,
        *,
        top: Optional[int] = None,
        continuation: Optional[str] = None,
    ) -> TemplatePage:
        """The templates, by name.

        :param top: How many at most; default 100.
        :param continuation: Where the page before ended, unchanged.
        """
        return self._json(
            TemplatePage,
            "GET",
            "/api/templates",
            query={
                "top": top,
                "continuation": continuation,
            },
        )

    def template(
        self,
        name: str,
        *,
        version: Optional[int] = None,
    ) -> Template:
        """A template: its text and its parameters.

        :param version: One of the versions that are kept; default the newest.
        """
        return self._json(
            Template,
            "GET",
            f"/api/templates/{_quoted(name)}",
            query={
                "version": version,
            },
        )

    def template_put(
        self,
        name: str,
        definition: Definition,
    ) -> TemplateStored:
        """Store a new version of a template."""
        return self._json(
            TemplateStored,
            "PUT",
            f"/api/templates/{_quoted(name)}",
            definition=definition,
        )

    def template_delete(
        self,
        name: str,
    ) -> TemplateDeleted:
        """Delete a template with all its versions."""
        return self._json(
            TemplateDeleted,
            "DELETE",
            f"/api/templates/{_quoted(name)}",
        )

    def cancel_many(
        self,
        *,
        name: Optional[str] = None,
        tag: Optional[str] = None,
        pipeline: Optional[str] = None,
        group: Optional[str] = None,
        team: Optional[str] = None,
        state: Optional[str] = None,
        dry_run: Optional[Value] = None,
    ) -> Canceled:
        """Cancel all active jobs that match."""
        return self._json(
            Canceled,
            "POST",
            "/api/jobs/cancel",
            body={
                "name": name,
                "tag": tag,
                "pipeline": pipeline,
                "group": group,
                "team": team,
                "state": state,
                "dryRun": dry_run,
            },
        )

    def priority(
        self,
        job_id: str,
        *,
        priority: Optional[int] = None,
    ) -> Priority:
        """Give a waiting job another place."""
        return self._json(
            Priority,
            "POST",
            f"/api/jobs/{_quoted(job_id)}/priority",
            body={
                "priority": priority,
            },
        )

    def groups(
        self,
        *,
        continuation: Optional[str] = None,
    ) -> Groups:
        """Groups of jobs, and who holds their slots.

        :param continuation: Where the page before ended.
        """
        return self._json(
            Groups,
            "GET",
            "/api/groups",
            query={
                "continuation": continuation,
            },
        )

    def group(
        self,
        group: str,
    ) -> Group:
        """One group; its name is the rest of the path."""
        return self._json(
            Group,
            "GET",
            f"/api/groups/{_quoted(group)}",
        )

    def steer_group(
        self,
        group: str,
        *,
        limit: Optional[Value] = _ABSENT,
        paused: Optional[Value] = _ABSENT,
    ) -> Group:
        """Limit or pause a group; null gives it back."""
        return self._json(
            Group,
            "PUT",
            f"/api/groups/{_quoted(group)}",
            body={
                "limit": _or_null(limit),
                "paused": _or_null(paused),
            },
        )

    def pause(
        self,
        *,
        reason: Optional[str] = None,
    ) -> Paused:
        """Accept jobs and let them wait."""
        return self._json(
            Paused,
            "POST",
            "/api/pause",
            body={
                "reason": reason,
            },
        )

    def resume(
        self,
        *,
        reason: Optional[str] = None,
    ) -> Resumed:
        """Let them go on."""
        return self._json(
            Resumed,
            "POST",
            "/api/resume",
            body={
                "reason": reason,
            },
        )

    def reindex(
        self,
    ) -> Reindexed:
        """Write the lost job index anew from the rows."""
        return self._json(
            Reindexed,
            "POST",
            "/api/reindex",
        )

    def adopt(
        self,
    ) -> Adoptable:
        """Groups that this service did not create, and which of them a job of their name could replace."""
        return self._json(
            Adoptable,
            "GET",
            "/api/adopt",
        )

    def poison(
        self,
    ) -> PoisonList:
        """Messages that failed again and again."""
        return self._json(
            PoisonList,
            "GET",
            "/api/poison",
        )

    def poison_replay(
        self,
        *,
        message_id: Optional[str] = None,
        all: Optional[Value] = None,
    ) -> PoisonTaken:
        """Try one of them again, or all."""
        return self._json(
            PoisonTaken,
            "POST",
            "/api/poison/replay",
            body={
                "messageId": message_id,
                "all": all,
            },
        )

    def poison_drop(
        self,
        *,
        message_id: Optional[str] = None,
        all: Optional[Value] = None,
    ) -> PoisonTaken:
        """Drop one of them, or all."""
        return self._json(
            PoisonTaken,
            "POST",
            "/api/poison/drop",
            body={
                "messageId": message_id,
                "all": all,
            },
        )

    def health(
        self,
    ) -> Health:
        """Does storage answer."""
        return self._json(
            Health,
            "GET",
            "/api/health",
        )

    # </calls>


def _retry_after(answer: http.client.HTTPResponse) -> Optional[float]:
    """Seconds, at most an hour; the header has seconds or a date."""
    text = (answer.headers.get("retry-after") or "").strip()
    if text.isdigit():
        return float(min(int(text[:6]), 3600))
    try:
        return min(max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0), 3600.0)
    except (TypeError, ValueError, IndexError):
        return None


class AciProxy(_Service):
    """A service of ACI Proxy.

    :param url: its address; where `npm start` serves, if it is left out
    :param key: its function key; without key and token a service on this machine is taken to have the local stack's own
    :param token: a bearer token, for a service with `AUTH_MODE=entra`; or a function that gives one for each call, so
        that it can be renewed
    :param timeout: seconds without a byte after which a call is given up
    """

    def __init__(
        self,
        url: str = "http://localhost:7071",
        key: Optional[str] = None,
        *,
        token: Optional[Token] = None,
        timeout: float = 30.0,
    ) -> None:
        super().__init__(url, key, token, timeout)

    def dry_run(self, definition: Definition, **options: Value) -> Checked:
        """All the service's checks and no job. Options are named as for `submit`, or as the service names them."""
        query = {**{_camel(name): each for name, each in options.items()}, "dryRun": True}
        return self._json(Checked, "POST", "/api/trigger", query=query, definition=definition)

    def jobs(self, **filters: Value) -> Iterator[JobRow]:
        """The jobs that match, newest first, page by page as they are asked for; filters as of `jobs_page`."""
        query: Dict[str, Any] = {_camel(name): each for name, each in filters.items()}
        while True:
            page = self._json(JobPage, "GET", "/api/jobs", query=query)
            yield from page.jobs
            if not page.continuation:
                return
            if page.continuation == query.get("continuation"):
                raise Refused("NotAciProxy", 200, f"{self.url} gave the same page of jobs again.")
            query["continuation"] = page.continuation

    def results(self, array: str, **query: Value) -> Iterator[ChildResult]:
        """What became of an array's indexes, in their order, page by page as they are asked for. :param query: state, from_, top"""
        asked: Dict[str, Any] = {_camel(name): each for name, each in query.items()}
        while True:
            page = self._json(Results, "GET", f"/api/jobs/{_quoted(array)}/results", query=asked)
            yield from page.results
            if not page.continuation:
                return
            if page.continuation == asked.get("continuation"):
                raise Refused("NotAciProxy", 200, f"{self.url} gave the same page of results again.")
            asked["continuation"] = page.continuation

    def cancel(self, job: str, *, wait: bool = False) -> Deleted:
        """Cancels a job that has not ended, and removes its container group; with `wait` until the group is gone: the reply is then that of the end."""
        answer = self._send("DELETE", f"/api/delete/{_quoted(job)}", {"polling": True})
        reply = self._reply(Deleted, answer)
        path = self._path_of(answer)
        while wait and path is not None:
            answer = self._send("GET", path)
            if answer.status != 202:
                return self._reply(Deleted, answer)
            self._body(answer)
            time.sleep(max(_retry_after(answer) or 1.0, 0.1))
        return reply

    def result(self, job: str) -> Optional[Dict[str, Any]]:
        """What the job's program left as its result: a JSON object; None without one, and before the end."""
        return self.status(job).result

    def log(self, job: str, container: Optional[str] = None, **query: Value) -> str:
        """A job's whole log as text: of one container, or of all. :param query: tail, since, attempt"""
        return b"".join(self.log_bytes(job, container, **query)).decode("utf-8", "replace")

    def log_bytes(self, job: str, container: Optional[str] = None, **query: Value) -> Iterator[bytes]:
        """The same as it comes; with `follow=True` until the job has ended, at most four minutes."""
        path = "/".join(_quoted(each) for each in (job, container) if each is not None)
        answer = self._send("GET", f"/api/logs/{path}", query)
        if answer.status >= 300:
            raise self._refused(answer, self._body(answer))
        if "html" in (answer.headers.get("content-type") or ""):
            answer.close()
            raise self._not_ours(answer)
        try:
            with answer:
                while True:
                    part = answer.read1(65536)
                    if not part:
                        return
                    yield part
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"The answer of {self.url} broke off ({error}).") from None

    def wait(self, job: str, *, patience: float = 600.0) -> Status:
        """Waits for a job's end without its output."""
        return self.follow(job, patience=patience)

    def follow(
        self,
        job: str,
        *,
        on_line: Optional[Callable[[str, str], None]] = None,
        on_status: Optional[Callable[[Status], None]] = None,
        on_failure: Optional[Callable[[AciProxyError], None]] = None,
        patience: float = 600.0,
    ) -> Status:
        """Follows a job to its end, whatever that is: a failed job is a result too. It goes on, whatever happens here.

        All functions are called in this thread.

        :param on_line: gets the container's name and every line of its output, once
        :param on_status: gets every answer about the job
        :param on_failure: gets what went wrong in a way that may pass
        :param patience: seconds without any good answer after which the wait is given up
        """
        path, failures, seen = f"/api/status/{_quoted(job)}", 0, time.monotonic()
        logs = _Logs(self, on_line)
        try:
            while True:
                try:
                    answer = self._send("GET", path)
                    status = self._reply(Status, answer, True)
                except (Unreachable, Refused) as error:
                    may_pass = isinstance(error, Unreachable) or error.status == 429 or error.status >= 500
                    if not may_pass or time.monotonic() - seen > patience:
                        raise
                    if on_failure is not None:
                        on_failure(error)
                    asked = error.retry_after if isinstance(error, Refused) else None
                    logs.pass_on(asked if asked is not None else min(2.0**failures, 30.0))
                    failures = min(failures + 1, 5)
                    continue
                seen, failures = time.monotonic(), 0
                path = self._path_of(answer) or path
                if on_status is not None:
                    on_status(status)
                logs.look(status)
                # Of a state that only a newer service knows, HTTP decides.
                is_active = status.state in ("Queued", "Provisioning", "Pending", "Running", "Unknown")
                if has_ended(status) or not (is_active or answer.status == 202):
                    logs.finish()
                    return status
                wait = _retry_after(answer)
                logs.pass_on(2.0 if wait is None else wait)
        finally:
            logs.stop()

    def _path_of(self, answer: http.client.HTTPResponse) -> Optional[str]:
        """The `Location` on this very service: its host may be another one, which must never get the key."""
        location = urllib.parse.urlsplit(answer.headers.get("location") or "")
        at = max(location.path.rfind("/api/status/"), location.path.rfind("/api/delete/"))
        return None if at < 0 else location.path[at:] + (f"?{location.query}" if location.query else "")


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in more)


class _Logs:
    """The output of a job's containers: live while it runs, as far as the service can, and from the captured copy what was missing."""

    def __init__(self, service: AciProxy, on_line: Optional[Callable[[str, str], None]]) -> None:
        self._service = service
        self._on_line = on_line
        self._logs: Dict[Tuple[str, Optional[int]], _Log] = {}
        self._parts: queue.Queue[Tuple[_Log, Optional[bytes]]] = queue.Queue(maxsize=100)
        self._stopped = threading.Event()

    def look(self, status: Status) -> None:
        """To be called after every poll. The service disconnects followers after a while, so a poll also reconnects."""
        if self._on_line is None:
            return
        for name in [*(status.init_containers or {}), *(status.containers or {})]:
            key = (name, status.attempt)
            log = self._logs.setdefault(key, _Log(status.id, name, status.attempt, self._on_line))
            if status.state == "Running" and not log.is_live:
                log.is_live = True
                log.restart()
                threading.Thread(target=self._copy, args=(log,), daemon=True).start()

    def pass_on(self, seconds: float) -> None:
        """Waits, and hands over what the containers write meanwhile."""
        until = time.monotonic() + max(seconds, 0.1)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return
            try:
                log, part = self._parts.get(timeout=left)
            except queue.Empty:
                return
            if part is None:
                log.is_live = False
            else:
                log.take(part)

    def finish(self) -> None:
        """To be called when the job has ended: what is still missing, of earlier attempts too."""
        self.stop()
        for log in self._logs.values():
            log.restart()
            try:
                for part in self._service.log_bytes(log.job, log.container, attempt=log.attempt):
                    log.take(part)
            except (Refused, Unreachable):
                pass  # there is no log, or no longer: the status has the end of the output
            log.end()

    def stop(self) -> None:
        """Followers end with their connections, which the service closes with the job; what they bring counts no more."""
        self._stopped.set()

    def _copy(self, log: _Log) -> None:
        try:
            for part in self._service.log_bytes(log.job, log.container, attempt=log.attempt, follow=True):
                if not self._put((log, part)):
                    return
        except AciProxyError:
            pass  # there is no log yet, or the connection broke: the next poll, or the captured copy, has the rest
        self._put((log, None))

    def _put(self, part: Tuple[_Log, Optional[bytes]]) -> bool:
        while not self._stopped.is_set():
            try:
                self._parts.put(part, timeout=0.5)
                return True
            except queue.Full:
                continue
        return False


class _Log:
    """The output of one container in one attempt, read from its beginning as often as need be and shown once."""

    def __init__(self, job: str, container: str, attempt: Optional[int], on_line: Callable[[str, str], None]) -> None:
        self.job, self.container, self.attempt, self.is_live = job, container, attempt, False
        self._on_line = on_line
        self._shown, self._digest = 0, hashlib.sha256()
        self._again, self._again_digest = 0, hashlib.sha256()
        self._differs = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def restart(self) -> None:
        """What follows is the same output from its beginning again."""
        self._again, self._again_digest = 0, hashlib.sha256()

    def take(self, part: bytes) -> None:
        known = part[: self._shown - self._again] if self._again < self._shown else b""
        if known:
            self._again += len(known)
            self._again_digest.update(known)
            if self._again == self._shown and not self._differs and self._again_digest.digest() != self._digest.digest():
                self._differs = True
                self._on_line(self.container, "[the log begins differently from what was shown]")
        fresh = part[len(known) :]
        if not fresh:
            return
        self._shown += len(fresh)
        self._again = self._shown
        self._digest.update(fresh)
        *lines, self._rest = (self._rest + self._decoder.decode(fresh)).split("\n")
        for line in lines:
            self._on_line(self.container, line)

    def end(self) -> None:
        last = self._rest + self._decoder.decode(b"", True)
        self._rest = ""
        if last:
            self._on_line(self.container, last)
