/** Numbers as people read them. */
import type { Quantile } from './histogram.js';

const NONE = '–';
const SPACE = '\u202f';

/** `0 µs`, `43 µs`, `1.24 ms`, `12.3 ms`, `1.20 s`. */
export function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined || !Number.isFinite(milliseconds)) {
    return NONE;
  }
  if (milliseconds === 0) {
    return `0${SPACE}µs`;
  }
  if (milliseconds < 0.9995) {
    const microseconds = milliseconds * 1_000;
    return `${microseconds < 9.95 ? microseconds.toFixed(1) : microseconds.toFixed(0)}${SPACE}µs`;
  }
  const [value, unit] = milliseconds < 999.5 ? [milliseconds, 'ms'] : [milliseconds / 1_000, 's'];
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)}${SPACE}${unit}`;
}

export function quantileText(quantile: Quantile | undefined): string {
  return quantile?.isAbove === true
    ? `> ${duration(quantile.milliseconds)}`
    : duration(quantile?.milliseconds);
}

const BYTE_UNITS = ['KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `1.5 KiB`, `64 MiB`. */
export function bytes(count: number | undefined): string {
  if (count === undefined || !Number.isFinite(count)) {
    return NONE;
  }
  if (count < 1_023.5) {
    return `${Math.round(count)}${SPACE}B`;
  }
  let value = count / 1_024;
  let unit = 0;
  while (value >= 1_023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${value.toFixed(value < 9.95 ? 1 : 0)}${SPACE}${BYTE_UNITS[unit]}`;
}

/** `12 345`: in groups of three, by narrow spaces. */
export function whole(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, SPACE);
}

/** Of something a second: `0`, `0.4`, `12`, `12 345`. */
export function rate(perSecond: number): string {
  return perSecond === 0 || perSecond >= 9.95 ? whole(perSecond) : perSecond.toFixed(1);
}

/** `12:03:04`, by the clock of whoever looks. */
export function timeOfDay(at: number): string {
  const time = new Date(at);
  return clock(time.getHours(), time.getMinutes(), time.getSeconds());
}

/** The same without seconds. */
export function minuteOfDay(at: number): string {
  const time = new Date(at);
  return clock(time.getHours(), time.getMinutes());
}

function clock(...parts: readonly number[]): string {
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** How long something has lasted: `4 s`, `3 min`, `2 h`, `5 d`. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  const [value, unit] =
    seconds < 60
      ? [seconds, 's']
      : seconds < 3_600
        ? [Math.floor(seconds / 60), 'min']
        : seconds < 86_400
          ? [Math.floor(seconds / 3_600), 'h']
          : [Math.floor(seconds / 86_400), 'd'];
  return `${value}${SPACE}${unit}`;
}

/** At most so many characters of a text; no half of a pair of surrogates. */
export function cut(
  text: string,
  characters: number,
): { readonly text: string; readonly omitted: number } {
  if (text.length <= characters) {
    return { text, omitted: 0 };
  }
  const last = text.charCodeAt(characters - 1);
  const end = last >= 0xd800 && last < 0xdc00 ? characters - 1 : characters;
  return { text: text.slice(0, end), omitted: text.length - end };
}
