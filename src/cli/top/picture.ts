import { formatBytes, sumBytes } from '../../../machines/vocabulary.ts';
import type { ConnectionState, Row } from '../../client/client.ts';
import type { DecisionEntry } from '../../management/schemas.ts';
import { printableLine } from '../../terminal/printable.ts';
import { bar } from '../bar.ts';
import { cut } from '../../cut.ts';
import { formatDuration, table } from '../table.ts';

/** What is known of a running Corral. */
export interface Scene {
  readonly url: string;
  /** Of the Corral that answers; null until one has. */
  readonly version: string | null;
  readonly connection: ConnectionState;
  readonly devices: readonly Row<'devices'>[];
  readonly runners: readonly Row<'runners'>[];
  readonly queue: readonly Row<'queue'>[];
  readonly speeds: readonly Row<'speeds'>[];
  /** Oldest first. */
  readonly decisions: readonly DecisionEntry[];
}

/** Room for the picture; infinite where nobody counts. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const BAR = 20;
const NAME = 24;
const MOST_QUEUED = 6;
const FEWEST_DECISIONS = 3;
const MOST_DECISIONS = 15;

const connections: Record<ConnectionState, string> = {
  open: '',
  connecting: 'connecting …',
  waiting: 'connection lost, trying again …',
  closed: '',
};

/** The picture as lines, none longer and no more of them than there is room for. Pure. */
export function pictureOf(scene: Scene, { columns, rows }: Size, nowMs: number): string {
  const above = [
    [headOf(scene, nowMs)],
    scene.devices.map(deviceLine),
    scene.runners.length === 0 ? ['Nothing is loaded.'] : runnerLines(scene, nowMs),
    queueLines(scene.queue, nowMs),
  ].filter((part) => part.length > 0);
  const used = above.reduce((sum, part) => sum + part.length + 1, 0);
  const room = Math.min(MOST_DECISIONS, Math.max(FEWEST_DECISIONS, rows - used - 2));
  const lines = [...above, decisionLines(scene.decisions, room)]
    .filter((part) => part.length > 0)
    .flatMap((part, index) => (index === 0 ? part : ['', ...part]));
  return lines
    .slice(0, rows)
    .map((line) => cut(printableLine(line), columns))
    .join('\n');
}

function headOf({ url, version, connection }: Scene, nowMs: number): string {
  const who = version === null ? 'corral' : `corral ${version}`;
  return [`${who} at ${url}`, timeOf(nowMs), connections[connection]]
    .filter((part) => part !== '')
    .join('   ');
}

function deviceLine({ id, name, limitBytes, reservedBytes, othersBytes, pause }: Row<'devices'>): string {
  const partOf = (bytes: number): number => (limitBytes === 0 ? 0 : bytes / limitBytes);
  const shares = [
    { part: partOf(reservedBytes), mark: '#' },
    { part: partOf(othersBytes), mark: '=' },
  ];
  const others = othersBytes > 0 ? `, others ${formatBytes(othersBytes)}` : '';
  const figures = `${formatBytes(reservedBytes)} of ${formatBytes(limitBytes)}${others}`;
  return `${id.padEnd(8)}${bar(shares, BAR)} ${figures}  ${name}${pause === null ? '' : '  paused'}`;
}

function runnerLines({ runners, speeds }: Scene, nowMs: number): string[] {
  const speedOf = (id: string): string => {
    const speed = speeds.find((row) => row.id === id);
    return speed === undefined ? '' : `${speed.tokensPerSecond.toFixed(0)} tok/s`;
  };
  const rows = runners.map((runner) => [
    runner.id,
    cut(runner.model, NAME),
    runner.progress === null ? runner.state : `${runner.state} ${Math.round(runner.progress * 100)} %`,
    `${runner.leases}/${runner.slots}`,
    formatBytes(sumBytes(runner.reservedBytes)),
    formatDuration(since(runner.since, nowMs)),
    staysFor(runner, nowMs),
    speedOf(runner.id),
  ]);
  return table(['RUNNER', 'MODEL', 'STATE', 'IN USE', 'MEMORY', 'SINCE', 'STAYS', 'SPEED'], rows).split('\n');
}

function staysFor({ pinned, keepAliveMs, idleUntil }: Row<'runners'>, nowMs: number): string {
  if (pinned) return 'pinned';
  if (keepAliveMs === 'forever') return 'forever';
  return idleUntil === null ? '-' : formatDuration(Math.max(0, Date.parse(idleUntil) - nowMs));
}

function queueLines(queue: readonly Row<'queue'>[], nowMs: number): string[] {
  if (queue.length === 0) return [];
  const shown = queue
    .toSorted((a, b) => (a.since < b.since ? -1 : 1))
    .slice(0, MOST_QUEUED)
    .map(({ model, position, since: from, reason }) => [
      cut(model, NAME),
      position,
      formatDuration(since(from, nowMs)),
      reason,
    ]);
  const more = queue.length - shown.length;
  return [
    ...table(['WAITS FOR', 'POSITION', 'SINCE', 'REASON'], shown).split('\n'),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

/** The latest first: what has just happened stands still at the top. */
function decisionLines(decisions: readonly DecisionEntry[], room: number): string[] {
  if (decisions.length === 0) return [];
  const rows = decisions
    .slice(-room)
    .toReversed()
    .map(({ at, kind, model, reason }) => [timeOf(Date.parse(at)), kind, cut(model, NAME), reason]);
  return table(['AT', 'DECISION', 'MODEL', 'WHY'], rows).split('\n');
}

const since = (moment: string, nowMs: number): number => Math.max(0, nowMs - Date.parse(moment));

const timeOf = (ms: number): string => new Date(ms).toTimeString().slice(0, 8);
