import type { MachineDescription, TransitionDescription } from './describe-machine.ts';
import { stateDiagram } from './state-diagram.ts';

/**
 * The documentation of some machines as Markdown: for each a diagram, its states, and one row for each transition that
 * is written in it. The same machines always give the same text.
 */
export function documentMachines(machines: readonly MachineDescription[]): string {
  return `${INTRODUCTION}\n${machines.map(documentMachine).join('\n')}`;
}

const INTRODUCTION = `# Statecharts

Written by \`npm run docs:charts\` from \`machines/\`: change the charts and run it again.

- A state's transitions hold for all states inside it, unless one of those has its own for the same event.
- Rows with the same state and event are tried from top to bottom; the first whose guard holds is taken.
- No target: the state stays, and its timers run on. "anew": it is left and entered again.
- \`done\` and \`error\` tell how an invoked actor ended; \`after\` is a delay that has passed in the state.
- The diagrams show moves only, each drawn at the outermost states that it leaves and enters.
`;

const documentMachine = (machine: MachineDescription): string => `
## ${machine.id}

\`\`\`mermaid
${stateDiagram(machine)}
\`\`\`

### States of ${machine.id}

${stateTable(machine)}

### Transitions of ${machine.id}

${transitionTable(machine)}
`;

function stateTable({ id, states }: MachineDescription): string {
  const rows = states.map(({ path, type, description, entry, exit, invokes, tags }) => [
    code(path || id),
    description ?? '',
    type,
    list(entry),
    list(exit),
    invokes.map((invoke) => `${code(invoke.src)} as ${code(invoke.id)}`).join(', '),
    list(tags),
  ]);
  return table(['State', 'Meaning', 'Type', 'On entry', 'On exit', 'Invokes', 'Tags'], rows);
}

function transitionTable({ id, transitions }: MachineDescription): string {
  const rows = transitions.map((transition) => [
    code(transition.source || id),
    transition.label,
    transition.guard === null ? '' : code(transition.guard),
    targetsOf(transition),
    list(transition.actions),
  ]);
  return table(['From', 'Event', 'Guard', 'To', 'Actions'], rows);
}

function targetsOf({ source, targets, reenter }: TransitionDescription): string {
  return targets.map((target) => (reenter && target === source ? 'anew' : code(target))).join(', ');
}

/** A Markdown table without the columns that have nothing in them. */
function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const isUsed = headings.map((_, column) => rows.some((row) => row[column] !== ''));
  const line = (cells: readonly string[]) => `| ${cells.filter((_, column) => isUsed[column]).join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map((row) => line(row.map(escape)))].join(
    '\n',
  );
}

const code = (text: string): string => `\`${text}\``;
const list = (names: readonly string[]): string => names.map(code).join(', ');
const escape = (cell: string): string => cell.replaceAll('|', String.raw`\|`);
