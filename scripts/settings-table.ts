import { formatValue } from '../src/config/format-value.ts';
import { variableOf } from '../src/config/environment.ts';
import { needsRestart } from '../src/config/needs-restart.ts';
import { settings, type Setting } from '../src/config/settings.ts';

const BEGIN = '<!-- settings: written by `npm run docs:config` -->';
const END = '<!-- end of settings -->';
const NAMES: Readonly<Record<string, string>> = { models: 'NAME', devices: 'ID', keys: 'NAME' };

/** A page with its table of settings as the schema has them now. Throws when it has no place for one. */
export function withSettingsTable(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page needs ${BEGIN} and ${END}`);
  const head = ['Key', 'Takes', 'Default', '', 'Variable'];
  const rows = [head, head.map(() => '---'), ...settings().filter(isToldByItself).map(row)];
  return `${before}${BEGIN}\n\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n\n${END}${after}`;
}

/** A map of names is told by what stands under each name. */
const isToldByItself = ({ kind, path }: Setting): boolean => kind !== 'map' || path.length > 1;

function row(setting: Setting): string[] {
  const { path, kind, takes, description, defaultValue } = setting;
  const [root = ''] = path;
  const key = path.map((part) => (part === '*' ? (NAMES[root] ?? 'NAME') : part)).join('.');
  const variable = variableOf(setting);
  const isEmpty = defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return [
    code(key),
    takes,
    isEmpty ? '' : code(formatValue(defaultValue, kind)),
    description.replaceAll('|', '\\|') + (needsRestart(path) ? ' *Restart.*' : ''),
    variable === null ? '' : code(variable),
  ];
}

const code = (text: string): string => `\`${text}\``;
