import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

/** A long list in which only the rows in sight exist. All rows have one height, which the style sheet says (`--row`). */

/** Rows above and below the window. */
const spare = 8;

export function Rows<T>({
  items,
  keyOf,
  head,
  render,
  onEnd,
}: {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly head: ComponentChildren;
  readonly render: (item: T) => ComponentChildren;
  /** The last rows are near. */
  readonly onEnd: (() => void) | undefined;
}) {
  const body = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ from: 0, to: 40, height: 56 });
  const { length } = items;
  useLayoutEffect(() => {
    const measure = (): void => {
      const box = body.current;
      if (!box) return;
      const height = Number.parseFloat(getComputedStyle(box).getPropertyValue("--row")) || 56;
      const above = -box.getBoundingClientRect().top / height;
      const from = Math.max(0, Math.min(length, Math.floor(above)) - spare);
      const to = Math.max(from + spare, Math.ceil(above + innerHeight / height) + spare);
      setRange((last) =>
        last.from === from && last.to === to && last.height === height ? last : { from, to, height },
      );
    };
    let frame = 0;
    const later = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(measure);
    };
    measure();
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", later);
      removeEventListener("resize", later);
    };
  }, [length]);
  const isNearEnd = range.to >= length - spare;
  useEffect(() => {
    if (isNearEnd) onEnd?.();
  }, [isNearEnd, length, onEnd]);
  const { from, to, height } = range;
  return (
    <div class="table" role="table" aria-label="Jobs" aria-rowcount={length + 1}>
      <div role="rowgroup">{head}</div>
      <div role="rowgroup" class="body" ref={body} style={{ height: `${length * height}px` }}>
        {items.slice(from, to).map((item, index) => (
          <div
            key={keyOf(item)}
            role="row"
            aria-rowindex={from + index + 2}
            class="tr"
            style={{ top: `${(from + index) * height}px` }}
          >
            <Shown item={item} render={render} />
          </div>
        ))}
      </div>
    </div>
  );
}

/** A row that stays in sight is not made again while the list scrolls. */
function Shown<T>({ item, render }: { readonly item: T; readonly render: (item: T) => ComponentChildren }) {
  return <>{useMemo(() => render(item), [item])}</>;
}
