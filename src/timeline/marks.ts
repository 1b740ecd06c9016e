import { escapeHtml } from '../escape-html.ts';

/** A bar narrower than this would not be seen, in px. */
const NARROWEST = 1.5;
/** Room that a character of a text takes, in px. */
const CHARACTER = 6.2;

export const round = (value: number): number => Math.round(value * 10) / 10;

/** Kinds of a mark as its classes: the names are none that a page may have for something else. */
export const classOf = (kinds: string): string =>
  kinds
    .split(' ')
    .map((kind) => `tl-${kind}`)
    .join(' ');

/** A bar; `about` is what is said of it when the pointer rests on it. */
export interface Bar {
  readonly x: number;
  readonly toX: number;
  readonly y: number;
  readonly height: number;
  readonly kind: string;
  readonly about: string;
  /** Stands inside when there is room. */
  readonly label?: string;
}

/** SVG of a bar. */
export function barOf({ x, toX, y, height, kind, about, label = '' }: Bar): string {
  const width = Math.max(kind === 'touch' ? 0 : NARROWEST, toX - x);
  const rect = `<rect class="${classOf(kind)}" x="${round(x)}" y="${y}" width="${round(width)}" height="${height}">${titleOf(about)}</rect>`;
  if (label === '' || width < label.length * CHARACTER + 8) return rect;
  return `${rect}<text class="${classOf(`inside ${kind}`)}" x="${round(x + 4)}" y="${round(y + height / 2 + 4)}">${escapeHtml(label)}</text>`;
}

/** SVG of what is said of a mark: browsers show it by themselves, and pages can read it. */
export const titleOf = (about: string): string => `<title>${escapeHtml(about)}</title>`;

/** SVG of a text in the column of names, as long as there is room. */
export function nameOf(text: string, y: number, left: number, kind = 'label'): string {
  const most = Math.max(4, Math.floor((left - 8) / CHARACTER));
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  const whole = short === text ? '' : titleOf(text);
  return `<text class="${classOf(kind)}" x="0" y="${y}">${escapeHtml(short)}${whole}</text>`;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A filled line that goes in steps, as the `d` of a path: each value holds until the next. */
export function stepPath(points: readonly Point[], right: number, base: number): string {
  const [first] = points;
  if (!first) return '';
  const steps = points.map(({ x, y }, i) => `L${round(x)} ${round(points[i - 1]?.y ?? base)}V${round(y)}`);
  return `M${round(first.x)} ${base}${steps.join('')}H${round(right)}V${base}Z`;
}
