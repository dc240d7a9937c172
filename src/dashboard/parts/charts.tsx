import type { ComponentChildren } from "preact";

/** Small charts, drawn by hand. Each says in words what it shows. */

export interface Series {
  readonly label: string;
  /** A class of the style sheet. */
  readonly tone: string;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** One for each value, the full text. */
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}

const [width, height, top, bottom] = [320, 124, 16, 18];
const inner = height - top - bottom;

/** Bars, one series on top of the other. */
export function Bars({ title, labels, series, format }: ChartProps) {
  const sums = labels.map((_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
  const max = Math.max(...sums, 0) || 1;
  const step = width / Math.max(1, labels.length);
  return (
    <Frame title={title} labels={labels} series={series} format={format} max={max}>
      {labels.map((label, index) => {
        let y = top + inner;
        return (
          <g key={label}>
            <title>{`${label}: ${told(series, index, format)}`}</title>
            <rect x={index * step} y={top} width={step} height={inner} class="hit" />
            {series.map(({ tone, values, label: name }) => {
              const tall = ((values[index] ?? 0) / max) * inner;
              y -= tall;
              return (
                <rect
                  key={name}
                  x={index * step + step * 0.14}
                  y={y}
                  width={step * 0.72}
                  height={tall}
                  rx="1.5"
                  class={`fill-${tone}`}
                />
              );
            })}
          </g>
        );
      })}
    </Frame>
  );
}

/** Lines over time; a value that is not known leaves a gap. */
export function Lines({ title, labels, series, format }: ChartProps) {
  const max = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)), 0) || 1;
  const step = width / Math.max(1, labels.length);
  const x = (index: number): number => (index + 0.5) * step;
  const y = (value: number): number => top + inner - (value / max) * inner;
  return (
    <Frame title={title} labels={labels} series={series} format={format} max={max}>
      {series.map(({ label, tone, values }) => (
        <g key={label}>
          <path class={`line line-${tone}`} d={pathOf(values, x, y)} />
          {values.map(
            (value, index) =>
              value !== null && <circle key={index} cx={x(index)} cy={y(value)} r="2" class={`fill-${tone}`} />,
          )}
        </g>
      ))}
      {labels.map((label, index) => (
        <rect key={label} x={index * step} y={top} width={step} height={inner} class="hit">
          <title>{`${label}: ${told(series, index, format)}`}</title>
        </rect>
      ))}
    </Frame>
  );
}

function pathOf(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let isDown = false;
  let path = "";
  for (const [index, value] of values.entries()) {
    if (value !== null) path += `${isDown ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = value !== null;
  }
  return path;
}

const told = (series: readonly Series[], index: number, format: (value: number) => string): string =>
  series.map(({ label, values }) => `${label} ${values[index] == null ? "–" : format(values[index])}`).join(", ");

function Frame({
  title,
  labels,
  series,
  format,
  max,
  children,
}: ChartProps & { readonly max: number; readonly children: ComponentChildren }) {
  const last = labels.length - 1;
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="legend">
          {series.map(({ label, tone }) => (
            <span key={label}>
              <i class={`dot fill-${tone}`} aria-hidden="true" />
              {label}
            </span>
          ))}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${title}. Newest, ${labels[last] ?? "no day"}: ${last < 0 ? "nothing" : told(series, last, format)}. Highest: ${format(max)}.`}
      >
        <line x1="0" x2={width} y1={top} y2={top} class="grid" />
        <line x1="0" x2={width} y1={top + inner / 2} y2={top + inner / 2} class="grid" />
        <line x1="0" x2={width} y1={top + inner} y2={top + inner} class="grid" />
        {children}
        <text x="0" y={top - 4} class="axis">
          {format(max)}
        </text>
        <text x="0" y={height - 4} class="axis">
          {labels[0]}
        </text>
        <text x={width} y={height - 4} class="axis" text-anchor="end">
          {labels[last]}
        </text>
      </svg>
    </figure>
  );
}
