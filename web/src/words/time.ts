/** Times as people say them: the clock for today, day and month before that, "in 1 h 18 min" only under a day. */

export interface Clockwork {
  readonly now: Date;
  readonly zone?: string; // IANA name; the reader's own zone when absent
}

interface Parts {
  readonly weekday: string;
  readonly day: string;
  readonly month: string;
  readonly year: string;
  readonly clock: string;
  readonly seconds: string;
}

function parts(at: Date, zone: string | undefined): Parts {
  const format = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  });
  const found = new Map(format.formatToParts(at).map((part) => [part.type, part.value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => found.get(type) ?? "";
  const month = get("month").slice(0, 3); // en-GB writes "Sept"
  return {
    weekday: get("weekday"),
    day: get("day"),
    month,
    year: get("year"),
    clock: `${get("hour")}:${get("minute")}`,
    seconds: get("second"),
  };
}

/** Reads an ISO time of the API; null when it is absent or not a time. */
export function readTime(text: string | null | undefined): Date | null {
  if (!text) return null;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** `10:41` today, `3 Nov, 16:20` this year, `3 Nov 2025, 16:20` before. */
export function moment(at: Date, { now, zone }: Clockwork): string {
  const then = parts(at, zone);
  const today = parts(now, zone);
  if (then.year !== today.year) return `${then.day} ${then.month} ${then.year}, ${then.clock}`;
  if (then.month !== today.month || then.day !== today.day) return `${then.day} ${then.month}, ${then.clock}`;
  return then.clock;
}

/** The same with seconds for the journal: `10:41:52`, `3 Nov, 16:20:07`. */
export function momentExact(at: Date, when: Clockwork): string {
  return `${moment(at, when)}:${parts(at, when.zone).seconds}`;
}

/** The date and time of a page: `Thu 5 Nov 2026, 10:42`. */
export function dateline(at: Date, zone?: string): string {
  const then = parts(at, zone);
  return `${then.weekday} ${then.day} ${then.month} ${then.year}, ${then.clock}`;
}

/** A length of time: `40 s`, `38 min`, `1 h 18 min`, `3 days`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  const days = Math.floor(hours / 24);
  return days === 1 ? "1 day" : `${days} days`;
}

/** When something is due: `in 1 h 18 min` under a day, `3 Nov, 16:20` later, `late by 12 min` when it has passed. */
export function due(at: Date, when: Clockwork): string {
  const seconds = (at.getTime() - when.now.getTime()) / 1000;
  if (seconds < 0) return `late by ${duration(-seconds)}`;
  return seconds < 24 * 3600 ? `in ${duration(seconds)}` : moment(at, when);
}
