import type { JobRecord } from "../api.ts";
import { duration } from "../logic/format.ts";
import { ticks, timelineOf, type Stage } from "../logic/timeline.ts";
import { isActive } from "../logic/grouping.ts";
import { useNow } from "../polled.ts";

const words: Readonly<Record<Stage, string>> = {
  queued: "Queued",
  placing: "Placing",
  pulling: "Pulling images",
  starting: "Starting",
  running: "Running",
  stopping: "Stopping",
};

/** Where a job's time went, to scale: one bar an attempt, and the same in a table of words. */
export function TimelineChart({ job }: { readonly job: JobRecord }) {
  const now = useNow(isActive(job.state) ? 1000 : 60_000);
  const { from, to, attempts } = timelineOf(job, now);
  const whole = (to - from) / 1000;
  const used = new Set(attempts.flatMap(({ bars }) => bars.map(({ stage }) => stage)));
  const at = (time: number): string => `${(((time - from) / (to - from)) * 100).toFixed(3)}%`;
  return (
    <div class="timeline">
      <div class="legend">
        {(Object.keys(words) as Stage[])
          .filter((stage) => used.has(stage))
          .map((stage) => (
            <span key={stage}>
              <i class={`dot st-${stage}`} aria-hidden="true" />
              {words[stage]} <span class="muted">{duration(total(attempts, stage))}</span>
            </span>
          ))}
      </div>
      {attempts.map(({ attempt, bars }) => (
        <div class="attempt" key={attempt}>
          <span class="muted">{attempts.length > 1 ? `Attempt ${attempt}` : "Attempt"}</span>
          <svg
            width="100%"
            height="22"
            role="img"
            aria-label={`Attempt ${attempt}: ${bars.map((bar) => `${words[bar.stage]} ${lasted(bar)}`).join(", ")}`}
          >
            <rect width="100%" height="22" rx="4" class="rail" />
            {bars.map((bar) => (
              <rect
                key={`${bar.stage} ${bar.from}`}
                x={at(bar.from)}
                width={at(from + Math.max(bar.to - bar.from, (to - from) / 400))}
                y="3"
                height="16"
                class={`st-${bar.stage}`}
              >
                <title>{`${words[bar.stage]}: ${lasted(bar)}`}</title>
              </rect>
            ))}
          </svg>
        </div>
      ))}
      <div class="attempt" aria-hidden="true">
        <span />
        <svg width="100%" height="16">
          {ticks(whole, 4).map((mark, index) => (
            <text
              key={mark}
              x={at(from + mark * 1000)}
              y="12"
              class="axis"
              text-anchor={index === 0 ? "start" : mark > whole * 0.95 ? "end" : "middle"}
            >
              {mark === 0 ? "0" : duration(mark)}
            </text>
          ))}
        </svg>
      </div>
    </div>
  );
}

const lasted = ({ from, to }: { readonly from: number; readonly to: number }): string => duration((to - from) / 1000);

function total(attempts: ReturnType<typeof timelineOf>["attempts"], stage: Stage): number {
  return attempts
    .flatMap(({ bars }) => bars)
    .reduce((sum, bar) => (bar.stage === stage ? sum + (bar.to - bar.from) / 1000 : sum), 0);
}
