const files = import.meta.glob<string>('../../../../scenarios/*.yaml', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** A scenario that comes with Corral. */
export interface ScenarioText {
  readonly name: string;
  /** Its first comment: what it shows. */
  readonly about: string;
  readonly text: string;
}

/** All of `scenarios/`, by name. */
export const scenarioTexts: readonly ScenarioText[] = Object.entries(files)
  .map(([path, text]) => ({ name: path.replace(/^.*\/|\.yaml$/g, ''), about: aboutOf(text), text }))
  .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));

function aboutOf(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^#\s*/, ''))
    .join(' ');
}
