import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { columnsIn, outcomeOf, stepFrom } from "../logic/array.ts";
import { signOf, toneOf } from "./basics.tsx";

/**
 * Thousands of cells, an index each, in rows of equal length; only the rows in sight exist. One cell has the focus, arrows lead to the
 * others, and Enter or a double click opens one.
 */

/** Pixels of a cell with the gap behind it, as the style sheet says too. */
const cell = 24;
/** Rows in sight, and more of them above and below. */
const [rowsInSight, spare] = [16, 4];

export function Cells({
  ends,
  indexes,
  onPick,
  onOpen,
}: {
  /** A letter for each index. */
  readonly ends: string;
  /** Those that are shown, in this order. */
  readonly indexes: readonly number[];
  /** The cell that has the focus, or the mouse. */
  readonly onPick: (index: number) => void;
  readonly onOpen: (index: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [columns, setColumns] = useState(10);
  const [top, setTop] = useState(0);
  const [wanted, setWanted] = useState(0);
  const { length: count } = indexes;
  const place = Math.min(wanted, count - 1);
  const isMoved = useRef(false);

  useLayoutEffect(() => {
    const measure = new ResizeObserver(([entry]) => {
      if (entry) setColumns(columnsIn(entry.contentRect.width, cell));
    });
    if (box.current) measure.observe(box.current);
    return () => measure.disconnect();
  }, []);
  useLayoutEffect(() => {
    const area = box.current;
    if (!isMoved.current || area === null) return;
    isMoved.current = false;
    const at = Math.floor(place / columns) * cell;
    if (at < area.scrollTop) area.scrollTop = at;
    else if (at + cell > area.scrollTop + area.clientHeight) area.scrollTop = at + cell - area.clientHeight;
    area.querySelector<HTMLElement>("[tabindex='0']")?.focus({ preventScroll: true });
  }, [place, columns]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onOpen(indexes[place] ?? 0);
      return;
    }
    const next = stepFrom(event.key, place, { count, columns, rows: rowsInSight });
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    isMoved.current = next !== place;
    setWanted(next);
  };
  const rows = Math.ceil(count / columns);
  const first = Math.max(0, Math.floor(top / cell) - spare);
  const shown = new Set(Array.from({ length: rowsInSight + 2 * spare }, (_, row) => first + row));
  // The focus stays where it is, also when it is scrolled out of sight.
  shown.add(Math.floor(place / columns));
  return (
    <div
      ref={box}
      class="indexes"
      role="grid"
      aria-label="Indexes"
      aria-rowcount={rows}
      aria-colcount={columns}
      style={{ height: `${Math.min(rows, rowsInSight) * cell + 2}px` }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
      onPointerOver={(event) => pick(event, onPick)}
      onFocusIn={(event) => pick(event, onPick)}
      onClick={(event) => {
        const at = indexIn(event);
        if (at !== undefined) setWanted(indexes.indexOf(at));
      }}
      onDblClick={(event) => {
        const at = indexIn(event);
        if (at !== undefined) onOpen(at);
      }}
    >
      <div role="presentation" style={{ height: `${rows * cell}px` }}>
        {[...shown]
          .filter((row) => row < rows)
          .map((row) => {
            const from = row * columns;
            const of = indexes.slice(from, from + columns);
            const focus = place >= from && place < from + columns ? place - from : undefined;
            return <Line key={row} row={row} of={of} letters={of.map((at) => ends[at]).join("")} focus={focus} />;
          })}
      </div>
    </div>
  );
}

/** A row that has not changed is not made again while the grid scrolls. */
function Line({
  row,
  of,
  letters,
  focus,
}: {
  readonly row: number;
  readonly of: readonly number[];
  readonly letters: string;
  readonly focus: number | undefined;
}) {
  return useMemo(
    () => (
      <div role="row" aria-rowindex={row + 1} style={{ top: `${row * cell}px` }}>
        {of.map((index, column) => {
          const { state, label } = outcomeOf(letters[column]);
          return (
            <span
              key={index}
              role="gridcell"
              aria-colindex={column + 1}
              tabIndex={column === focus ? 0 : -1}
              data-index={index}
              class={`ix ${toneOf(state)}`}
              aria-label={`${index} ${label}`}
            >
              {signOf(state)}
            </span>
          );
        })}
      </div>
    ),
    [row, letters, focus, of[0], of.at(-1)],
  );
}

function indexIn({ target }: Event): number | undefined {
  const index = target instanceof HTMLElement ? target.dataset["index"] : undefined;
  return index === undefined ? undefined : Number(index);
}

function pick(event: Event, onPick: (index: number) => void): void {
  const index = indexIn(event);
  if (index !== undefined) onPick(index);
}
