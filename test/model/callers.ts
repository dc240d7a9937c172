import { HttpRequest, InvocationContext, type HttpHandler } from "@azure/functions";
import { cancelMany } from "../../src/http/operate/cancel-many.ts";
import { putGroup } from "../../src/http/operate/groups.ts";
import { rerunMany } from "../../src/http/operate/rerun-many.ts";
import { setPriority } from "../../src/http/operate/priority.ts";
import { resume } from "../../src/http/operate/resume.ts";
import { renewLease } from "../../src/http/lib/job-reply.ts";
import { accept } from "../../src/shared/intake/accept.ts";
import { cancel } from "../../src/shared/intake/cancel.ts";
import { rerunJob } from "../../src/shared/intake/rerun.ts";
import { deriveJobId, type JobId } from "../../src/shared/base/ids.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { replyQueue } from "./queues.ts";
import { submissionOf } from "./submissions.ts";
import type { Spec } from "./specs.ts";
import type { Host, World } from "./world.ts";

/** Callers, posters and operators: what they ask of a host, and what it answers. */
export interface Caller {
  readonly spec: Spec;
  readonly key: string | undefined;
  /** Where it wants to hear of the end, if it does. */
  readonly address: string | undefined;
  answered: boolean;
}

/** What was posted. */
export interface Post {
  readonly spec: Spec;
  /** That the poster chose, or that follows from its message. */
  readonly id: JobId;
  readonly key: string | undefined;
  readonly at: number;
  readonly correlationId: string;
}

/** What an operator says of a group. */
export interface Steering {
  readonly limit?: number | null;
  readonly paused?: boolean | null;
}
export const giveBack: Steering = { limit: null, paused: null };

export class Callers {
  readonly #world: World;
  readonly #insisting: Caller[] = [];
  #posts = 0;
  #asked = 0;

  constructor(world: World) {
    this.#world = world;
  }

  submit(spec: Spec, on: Host): void {
    this.again({ spec, key: undefined, address: this.#address(), answered: false }, on);
  }

  /** With an Idempotency-Key: this caller repeats itself until it is answered. */
  insist(spec: Spec, on: Host): void {
    const caller = { spec, key: `key ${this.#insisting.length}`, address: this.#address(), answered: false };
    this.#insisting.push(caller);
    this.again(caller, on);
  }

  /** Every other caller gives one. */
  #address(): string | undefined {
    return this.#asked++ % 2 === 0 ? this.#world.judge.listeners.address() : undefined;
  }

  get unanswered(): readonly Caller[] {
    return this.#insisting.filter(({ answered }) => !answered);
  }

  again(caller: Caller, on: Host): void {
    const { judge } = this.#world;
    const { order, checked } = submissionOf(caller.spec, "http", this.#world.settings);
    this.#world.run(async () => {
      const since = this.#world.now;
      const answer = await accept(
        on.deps,
        { ...order, idempotencyKey: caller.key },
        { ...checked, callBackUri: caller.address },
      );
      caller.answered = true;
      judge.answered(caller, since, answer);
      if (!answer.ok || answer.value.attached) return;
      // As the trigger does: from the row on a message that can't be sent is the timer's business.
      await on.deps.queues.run(answer.value.job.id).catch(() => undefined);
    });
  }

  /** @param id that the poster chose, if it chose one */
  post(spec: Spec, { id, key }: { readonly id?: JobId | undefined; readonly key?: string | undefined } = {}): void {
    const { order, text } = submissionOf(spec, "queue", this.#world.settings);
    const correlationId = `post ${++this.#posts}`;
    const to = { id, correlationId, idempotencyKey: key, replyTo: { queue: replyQueue } };
    const envelope = { version: 1, definition: text, options: order.envelope, ...to };
    const messageId = this.#world.queue.send(queueNames.jobs, JSON.stringify(envelope));
    const derived = deriveJobId(this.#world.now, messageId);
    this.#world.judge.posted({ spec, id: id ?? derived, key, at: this.#world.now, correlationId });
  }

  /** A poster's cancel may come before its job. */
  postCancel(id: JobId): void {
    this.#world.judge.canceled(id);
    this.#world.queue.send(queueNames.jobs, JSON.stringify({ version: 1, op: "cancel", id }));
  }

  cancel(id: JobId, on: Host): void {
    this.#world.judge.canceled(id);
    this.#world.run(() => cancel(on.deps, id, undefined));
  }

  rerun(id: JobId, on: Host): void {
    this.#world.run(async () => {
      const stored = await on.deps.jobs.peek(id);
      if (stored === undefined) return;
      const answer = await rerunJob(on.deps, stored, { requestedBy: undefined, traceparent: undefined, polls: false });
      if (!answer.ok) this.#world.judge.rerunRefused(stored.job, answer.error.code);
      else if (!answer.value.attached) await on.deps.queues.run(answer.value.job.id).catch(() => undefined);
    });
  }

  /** As a poll of the job's own `Location` does. */
  read(id: JobId, on: Host): void {
    this.#world.run(async () => {
      const stored = await on.deps.jobs.peek(id);
      if (stored === undefined) return;
      await renewLease(on.deps, stored);
      this.#world.judge.read(id);
    });
  }

  prefer(id: JobId, priority: number, on: Host): void {
    this.#world.judge.preferred(id);
    const text = JSON.stringify({ priority });
    this.#ask(setPriority(on.deps), { params: { id }, text });
  }

  steer(group: string, said: Steering, on: Host): void {
    this.#ask(putGroup(on.deps), { params: { group }, text: JSON.stringify(said) });
  }

  cancelMany(which: Readonly<Record<string, string>>, on: Host): void {
    this.#world.judge.canceledMany();
    this.#ask(cancelMany(on.deps), { params: {}, text: JSON.stringify(which) });
  }

  rerunMany(which: Readonly<Record<string, string>>, on: Host): void {
    this.#ask(rerunMany(on.deps), { params: {}, text: JSON.stringify(which) });
  }

  #ask(handler: HttpHandler, { params, text }: { params: Record<string, string>; text: string }): void {
    const request = new HttpRequest({
      method: "POST",
      url: "http://localhost/api/asked",
      params,
      body: { string: text },
    });
    this.#world.run(() => handler(request, new InvocationContext()));
  }

  pause(on: Host): void {
    this.#world.run(() => on.deps.control.pause("for a while", on.deps.now()));
  }

  resume(on: Host): void {
    const request = new HttpRequest({ method: "POST", url: "http://localhost/api/resume" });
    this.#world.run(() => resume(on.deps)(request, new InvocationContext()));
  }
}
