/** The ring: five stages on a circle, clockwise from the top, joined by arcs with an arrow head. Pure geometry, in view-box units. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Ring {
  readonly width: number;
  readonly height: number;
  readonly centre: Point;
  readonly radius: number;
  readonly nodes: readonly Point[];
  readonly arcs: readonly Arc[];
}

export interface Arc {
  readonly line: string; // SVG path of the arc
  readonly head: string; // SVG path of the arrow head at its end
}

const GAP = 9; // degrees left free beside each node
const HEAD = 7; // length of an arrow head's stroke
const SPREAD = 30; // half angle of the arrow head in degrees

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const short = (value: number): string => String(Math.round(value * 10) / 10);

function on(centre: Point, radius: number, degrees: number): Point {
  return { x: centre.x + radius * Math.cos(radians(degrees)), y: centre.y + radius * Math.sin(radians(degrees)) };
}

function arc(centre: Point, radius: number, from: number, to: number): Arc {
  const start = on(centre, radius, from);
  const end = on(centre, radius, to);
  const tip = on(centre, radius, to + 1);
  const back = to + 1 - 90; // against the clockwise direction of travel
  const stroke = (turn: number): string => {
    const side = on(tip, HEAD, back + turn);
    return `M${short(tip.x)},${short(tip.y)}L${short(side.x)},${short(side.y)}`;
  };
  return {
    line: `M${short(start.x)},${short(start.y)}A${radius},${radius} 0 0 1 ${short(end.x)},${short(end.y)}`,
    head: stroke(SPREAD) + stroke(-SPREAD),
  };
}

/** Places `count` stages; arc `i` runs from stage `i` to the next one, the last back to the first. */
export function ring(count: number, { width = 700, height = 480, radius = 170, top = 84 } = {}): Ring {
  const centre = { x: width / 2, y: top + radius };
  const step = 360 / count;
  const angle = (index: number): number => -90 + index * step;
  return {
    width,
    height,
    centre,
    radius,
    nodes: Array.from({ length: count }, (_, index) => on(centre, radius, angle(index))),
    arcs: Array.from({ length: count }, (_, index) => arc(centre, radius, angle(index) + GAP, angle(index + 1) - GAP)),
  };
}

/** Where the brake's rail begins: at 1 when the warning lies above it, else as far under the warning as the stop lies over it. */
export function railStart(warnsAt: number, stopsAt: number): number {
  return warnsAt > 1 ? 1 : warnsAt ** 2 / stopsAt;
}

/** Where a value stands on a logarithmic rail, as a share of its length; held inside the rail. */
export function onLogRail(value: number, start: number, end: number): number {
  if (!(value > start)) return 0;
  if (!(end > start && start > 0)) return 1;
  return Math.min(1, Math.log(value / start) / Math.log(end / start));
}

export interface RangePlace {
  readonly from: number; // start of the reference range, 0 to 1 of the drawing
  readonly to: number;
  readonly at: number; // the value
  readonly flag: "low" | "high" | "";
}

/** Where a value stands against its reference range, drawn so that both fit: the range fills half of the width when the value is inside. */
export function againstReference(value: number, low: number, high: number): RangePlace | null {
  if (![value, low, high].every(Number.isFinite) || high <= low) return null;
  const margin = (high - low) / 2;
  const start = Math.min(low - margin, value - margin / 2);
  const end = Math.max(high + margin, value + margin / 2);
  const share = (x: number): number => (x - start) / (end - start);
  return {
    from: share(low),
    to: share(high),
    at: share(value),
    flag: value < low ? "low" : value > high ? "high" : "",
  };
}

/** The dots from `from` up to but without `to` of a hundred, as one SVG path: two rows of fifty squares of 6 at steps of 8. */
export function dots(from: number, to: number): string {
  let path = "";
  for (let dot = from; dot < to; dot += 1) {
    path += `M${(dot % 50) * 8 + 0.5},${Math.floor(dot / 50) * 8 + 0.5}h6v6h-6z`;
  }
  return path;
}
