/** How numbers are written on every screen: grouped, with a true minus, with as many digits as their interval supports. */

export const NARROW = "\u202f"; // narrow no-break space: in thousands, before % and before units
export const MINUS = "\u2212";
export const DASH = "\u2013";

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, NARROW);
}

/** A number with a fixed count of decimals: `1 234.50`, `−0.3`. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return "not measured";
  const [whole = "0", part] = Math.abs(value).toFixed(decimals).split(".");
  const text = part === undefined ? grouped(whole) : `${grouped(whole)}.${part}`;
  const isZero = Number(Math.abs(value).toFixed(decimals)) === 0;
  return value < 0 && !isZero ? MINUS + text : text;
}

/** A count of things: `2 296`. */
export function count(n: number): string {
  return fixed(Math.round(n), 0);
}

/** A count with its noun: `1 label`, `2 428 labels`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${Math.abs(n) === 1 ? one : many}`;
}

/** A share (0 to 1) as per cent: `71.4 %`. */
export function percent(share: number, decimals = 1): string {
  return `${fixed(share * 100, decimals)}${NARROW}%`;
}

/** A limit or a bound (0 to 1) with only the digits it has: `2 %`, `1.64 %`. */
export function percentShort(share: number, decimals = 2): string {
  const text = fixed(share * 100, decimals);
  return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text}${NARROW}%`;
}

/** How many decimals an interval supports, in units of what is shown. */
export function decimalsFor(width: number): number {
  if (width >= 3) return 0;
  if (width >= 0.3) return 1;
  if (width >= 0.03) return 2;
  return 3;
}

/** Two ends of a range: `93.3–95.1`, and `−10 to 10` because a dash beside a minus reads badly. */
export function range(low: number, high: number, decimals: number): string {
  const joint = low < 0 || high < 0 ? " to " : DASH;
  return fixed(low, decimals) + joint + fixed(high, decimals);
}

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** A share with its interval and n: `94.2 % (93.3–95.1, n = 1 920)`. */
export function percentWithInterval({ value, low, high, n }: Estimate): string {
  const decimals = decimalsFor((high - low) * 100);
  return `${percent(value, decimals)} (${range(low * 100, high * 100, decimals)}, n = ${count(n)})`;
}

/** A part of a whole: counts come first while there are fewer than 30: `3 of 29 (10 %)`, later `12.0 % (48 of 400)`. */
export function partOf(part: number, whole: number): string {
  const counts = `${count(part)} of ${count(whole)}`;
  if (whole <= 0) return counts;
  return whole < 30 ? `${counts} (${percent(part / whole, 0)})` : `${percent(part / whole, 1)} (${counts})`;
}

/** A signed move of a score: `+0.24`, `−0.02`. */
export function signed(value: number, decimals = 2): string {
  const text = fixed(value, decimals);
  return text.startsWith(MINUS) || Number(value.toFixed(decimals)) === 0 ? text : `+${text}`;
}

/** A measured value with at most four significant digits and no trailing zeros: `0.08474`, `1 001`, `17.99`. */
export function measured(value: number): string {
  if (!Number.isFinite(value)) return "not measured";
  if (value === 0) return "0";
  if (Number.isInteger(value)) return fixed(value, 0);
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size < -6) return value.toExponential(2).replaceAll("-", MINUS);
  const decimals = Math.max(0, Math.min(8, 3 - size));
  return fixed(value, decimals)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}

/** A value with its unit: `92 g/L`; per cent and units are kept on the line by a narrow space. */
export function withUnit(text: string, unit: string | null | undefined): string {
  return unit ? `${text}${NARROW}${unit}` : text;
}
