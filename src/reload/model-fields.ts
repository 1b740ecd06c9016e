import { createHmac, randomBytes } from 'node:crypto';
import type { KeepAlive, LaunchOptions, ModelSpec } from '../../machines/vocabulary.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import { formatDuration, formatSize } from '../config/format-value.ts';

const MIB = 1024 ** 2;

/** A model as its configuration makes it, key by key as in `corral.yaml`; null is what is not set, or as it is for all (`maxQueue`). */
export function modelFields(
  { aliases, variants = {}, spec, problem }: CatalogueEntry,
  maxQueue: number,
): ReadonlyMap<string, string | null> {
  const fields = new Map<string, string | null>([
    ['aliases', listed(aliases)],
    ['variants', Object.keys(variants).length > 0 ? JSON.stringify(variants) : null],
  ]);
  if (!spec) return fields.set('problem', problem?.message ?? 'it cannot be used');
  const { launch } = spec;
  return new Map([
    ...fields,
    ['path', launch.modelPath],
    ['context', spec.contexts ? 'auto' : String(launch.contextTokens)],
    ['slots', String(launch.slots)],
    ['keepAlive', kept(spec.keepAlive)],
    ['pin', String(spec.pinned)],
    ['comes back', String(spec.comesBack ?? false)],
    ['placement', spec.placement],
    ['devices', listed(spec.devices ?? [])],
    ['memory', spec.needSource === 'configured' ? formatSize(spec.needBytes) : null],
    ['runtime', launch.runtime],
    ['kind', launch.embedding ? 'embedding' : 'chat'],
    ['promptCache', launch.promptCacheMiB === undefined ? null : formatSize(launch.promptCacheMiB * MIB)],
    ['projector', launch.projectorPath ?? null],
    ['adapters', listed(launch.adapterPaths)],
    ['args', argumentsOf(launch)],
    ...programFields(spec),
    ['keepAliveLimit', spec.keepAliveLimit === undefined ? null : kept(spec.keepAliveLimit)],
    ['wait', spec.waitLimitMs === undefined ? null : formatDuration(spec.waitLimitMs)],
    ['priority', spec.priority ?? null],
    ['spread', spec.spread === undefined ? null : String(spec.spread)],
    ['replicas', spec.replicas === undefined ? null : String(spec.replicas)],
    ['maxQueue', spec.maxQueue === maxQueue ? null : String(spec.maxQueue)],
  ]);
}

/** How a process of it is started, where that is not all by Corral itself. */
function programFields({ launch, foreign, shares, limits }: ModelSpec): [string, string | null][] {
  const said = (value: object | null | undefined): string | null =>
    value && Object.keys(value).length > 0 ? JSON.stringify(value) : null;
  const places: [string, string | null][] = [
    ['memory by device', said(shares)],
    ['limits', said(limits)],
  ];
  if (launch.runtime !== 'command')
    return [
      ...places,
      ['llamaServer', launch.binary ?? null],
      ['wrapper', said(launch.wrapper)],
      ['env', envField(launch.env ?? {})],
    ];
  const { command, folder, health, stop, listener, env } = launch.program;
  return [
    ...places,
    ['command', said(command)],
    ['env', envField(env)],
    ['folder', folder],
    ['ready', said(health)],
    ['stop', said(stop)],
    ['listener', listener],
    ['paths', said(foreign?.paths)],
    ['calledAs', foreign?.calledAs ?? null],
  ];
}

/** Values may be secrets: only that they are others can be told. */
function envField(env: Readonly<Record<string, string>>): string | null {
  const names = Object.keys(env);
  if (names.length === 0) return null;
  const mark = createHmac('sha256', SALT).update(JSON.stringify(env)).digest('hex').slice(0, 8);
  return `${names.join(', ')} (values ${mark})`;
}

const SALT = randomBytes(32);

/** Less what has become another field. */
function argumentsOf({ gpuLayers, extraArgs }: LaunchOptions): string | null {
  const args = [...(gpuLayers === undefined ? [] : ['-ngl', String(gpuLayers)]), ...extraArgs];
  return args.length > 0 ? args.join(' ') : null;
}

const listed = (items: readonly string[]): string | null => (items.length > 0 ? items.join(', ') : null);

const kept = (keepAlive: KeepAlive): string => formatDuration(keepAlive === 'forever' ? Infinity : keepAlive);
