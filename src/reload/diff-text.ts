import type { ModelDifference, SettingChange } from '../management/schemas.ts';

/** A line for each difference, as people read it: `+` new, `-` gone, `~` changed. */
export const diffText = (
  models: readonly ModelDifference[],
  settings: readonly SettingChange[],
): readonly string[] => [...models.map(modelLine), ...settings.map(settingLine)];

function modelLine({ name, change, fields, runners, waiting }: ModelDifference): string {
  if (change === 'added') return `+ model ${name}: ${fields.map(({ key, to }) => `${key} ${to}`).join(', ')}`;
  if (change === 'removed') {
    const effects = [
      ...(runners.length > 0 ? [`${runners.join(', ')} may finish what it is running`] : []),
      ...(waiting > 0 ? [`${waiting} waiting requests are refused`] : []),
    ];
    return [`- model ${name}`, ...effects].join('; ');
  }
  const what = fields.map(({ key, from, to }) => `${key} ${from ?? 'unset'} → ${to ?? 'unset'}`).join(', ');
  const effect = runners.length > 0 ? `; ${runners.join(', ')} may finish what it is running, then goes` : '';
  return `~ model ${name}: ${what}${effect}`;
}

const settingLine = ({ key, from, to, needsRestart }: SettingChange): string =>
  `~ ${key}: ${from ?? 'unset'} → ${to ?? 'unset'}${needsRestart ? ' (counts after a restart)' : ''}`;
