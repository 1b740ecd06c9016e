import type { ComparedNeed } from './measure-need.ts';
import type { OptionSet } from './option-sets.ts';

const BEGIN = '<!-- needs: written by `npm run docs:needs` -->';
const END = '<!-- end of needs -->';
const MIB = 1024 ** 2;

/** One option set and what came of it. */
export interface NeedRow {
  readonly set: OptionSet;
  readonly need: ComparedNeed;
}

/** How far a figure is from what was measured, as a share of that; 0.1 is a tenth too much. */
export const errorOf = (bytes: number, { measuredBytes }: ComparedNeed): number => bytes / measuredBytes - 1;

/** A page with its table of needs as they were found on such a machine. Throws when it has no place for one. */
export function withNeedsTable(page: string, rows: readonly NeedRow[], machine: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page needs ${BEGIN} and ${END}`);
  const table = [
    ['Model', 'Options', 'Predicted', '`llama-fit-params`', 'Corrected', 'Measured'],
    ['---', '---', '---', '---', '---', '---'],
    ...rows.map(({ set, need }) => [
      set.model,
      set.says,
      figure(need.predictedBytes, need),
      figure(need.fitBytes, need),
      figure(need.correctedBytes, need),
      mib(need.measuredBytes),
    ]),
  ];
  const lines = table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const worst = (of: (need: ComparedNeed) => number | null): string => {
    const errors = rows.flatMap(({ need }) => {
      const bytes = of(need);
      return bytes === null ? [] : [errorOf(bytes, need)];
    });
    return percent(errors.reduce((most, error) => (Math.abs(error) > Math.abs(most) ? error : most), 0));
  };
  const errors =
    `Worst errors: predicted ${worst(({ predictedBytes }) => predictedBytes)}, ` +
    `\`llama-fit-params\` ${worst(({ fitBytes }) => fitBytes)}, corrected ${worst(({ correctedBytes }) => correctedBytes)}.`;
  return `${before}${BEGIN}\n\n${machine}\n\n${lines}\n\n${errors}\n\n${END}${after}`;
}

const figure = (bytes: number | null, need: ComparedNeed): string =>
  bytes === null ? '–' : `${mib(bytes)} (${percent(errorOf(bytes, need))})`;

const mib = (bytes: number): string => String(Math.round(bytes / MIB));

const percent = (share: number): string => {
  const rounded = (share * 100).toFixed(1);
  return `${Number(rounded) > 0 ? '+' : ''}${rounded.replace('-', '−')} %`;
};
