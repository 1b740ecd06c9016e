import type { TimelineData } from 'corral/timeline';
import type { Decision, Device, Picture, Runner, Wait } from '../live/picture.ts';

/** What a timeline is built from. */
export type Looked = Pick<Picture, 'runners' | 'queue' | 'devices' | 'decisions'>;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Drawn<K extends keyof TimelineData> = TimelineData[K] extends readonly (infer One)[]
  ? Mutable<One>
  : never;
type DrawnRunner = Omit<Drawn<'runners'>, 'spans'> & { spans: Mutable<Drawn<'runners'>['spans'][number]>[] };
type DrawnDevice = Omit<Drawn<'devices'>, 'samples'> & { samples: Drawn<'devices'>['samples'][number][] };

/** Most entries of each list that are kept, of each runner and device too; the oldest give way. */
const MOST = 5_000;
/** Longer ago than the page keeps, in ms. */
const FORGOTTEN_MS = 11 * 60_000;

/** Makes a timeline of pictures that are looked at one after the other. */
export class TimelineBuilder {
  readonly #runners = new Map<string, DrawnRunner>();
  readonly #devices = new Map<string, DrawnDevice>();
  readonly #requests = new Map<string, Drawn<'requests'>>();
  readonly #decisions: Drawn<'decisions'>[] = [];
  readonly #queue: Drawn<'queue'>[] = [];
  #last: Looked = { runners: [], queue: [], devices: [], decisions: [] };
  #lastSeq = 0;
  #fromMs: number | null = null;

  /** Takes in how things are at a time, which is none before those of earlier. */
  look(atMs: number, picture: Looked): void {
    this.#fromMs ??= atMs;
    const { runners, queue, devices, decisions } = this.#last;
    if (picture.decisions !== decisions) this.#decide(picture.decisions);
    if (picture.runners !== runners) this.#move(atMs, picture.runners);
    if (picture.queue !== queue) this.#wait(atMs, picture.queue);
    if (picture.devices !== devices) for (const device of picture.devices) this.#measure(atMs, device);
    this.#last = picture;
  }

  /** The timeline until a time. It is the same object's content that goes on growing: draw it at once. */
  data(toMs: number): TimelineData {
    this.#touch(toMs);
    return {
      fromMs: this.#fromMs ?? toMs,
      toMs,
      runners: [...this.#runners.values()],
      devices: [...this.#devices.values()],
      requests: [...this.#requests.values()],
      decisions: this.#decisions,
      queue: this.#queue,
    };
  }

  /** Forgets what the page does not keep either. */
  forget(nowMs: number): void {
    const oldestMs = nowMs - FORGOTTEN_MS;
    this.#fromMs = Math.max(this.#fromMs ?? nowMs, oldestMs);
    for (const [id, { spans }] of this.#runners)
      if ((spans.at(-1)?.toMs ?? 0) < oldestMs) this.#runners.delete(id);
    for (const [id, { grantedAtMs, endedAtMs }] of this.#requests)
      if ((grantedAtMs ?? endedAtMs ?? nowMs) < oldestMs) this.#requests.delete(id);
    dropBefore(this.#decisions, oldestMs);
    dropBefore(this.#queue, oldestMs);
    for (const { samples } of this.#devices.values()) dropBefore(samples, oldestMs);
  }

  #decide(entries: readonly Decision[]): void {
    // A Corral that was started anew counts from 1 again.
    if ((entries.at(-1)?.seq ?? 0) < this.#lastSeq) this.#lastSeq = 0;
    const known = entries.findLastIndex(({ seq }) => seq <= this.#lastSeq);
    for (const { seq, at, kind, model, reason, leaseId } of entries.slice(known + 1)) {
      this.#lastSeq = seq;
      const atMs = Date.parse(at);
      keep(this.#decisions, { atMs, kind, model, reason });
      const request = leaseId === null ? undefined : this.#requests.get(leaseId);
      if (request && kind === 'grant') Object.assign(request, { grantedAtMs: atMs, outcome: 'served' });
      if (request && kind === 'refuse')
        Object.assign(request, { endedAtMs: atMs, outcome: 'refused', note: reason });
    }
  }

  #move(atMs: number, rows: readonly Runner[]): void {
    this.#touch(atMs);
    for (const row of rows) {
      const { id, model, state, leases, reservedBytes, since } = row;
      const runner = this.#runners.get(keyOf(row)) ?? { id, model, deviceIds: [], spans: [] };
      this.#runners.set(keyOf(row), runner);
      runner.deviceIds = [...new Set([...runner.deviceIds, ...Object.keys(reservedBytes)])];
      const last = runner.spans.at(-1);
      if (last?.state === state && last.leases === leases) continue;
      // A state is told a little later than it begins; the count of leases changes within it.
      const beganMs =
        last?.state === state ? atMs : Math.min(atMs, Math.max(last?.fromMs ?? -Infinity, Date.parse(since)));
      if (last) last.toMs = beganMs;
      keep(runner.spans, { state, leases, fromMs: beganMs, toMs: atMs });
    }
  }

  /** All that were there at the last look have been as they were until now. */
  #touch(atMs: number): void {
    for (const row of this.#last.runners) {
      const open = this.#runners.get(keyOf(row))?.spans.at(-1);
      if (open) open.toMs = atMs;
    }
  }

  #wait(atMs: number, rows: readonly Wait[]): void {
    const waiting = new Set(rows.map(({ id }) => id));
    for (const { id } of this.#last.queue) {
      const request = this.#requests.get(id);
      // Who is there no more without having been granted anything has left.
      if (request?.outcome === 'waiting' && !waiting.has(id))
        Object.assign(request, { endedAtMs: atMs, outcome: 'cancelled' });
    }
    for (const { id, model, since } of rows) {
      if (this.#requests.has(id)) continue;
      const waits = {
        submittedAtMs: Date.parse(since),
        grantedAtMs: null,
        endedAtMs: null,
        outcome: 'waiting',
        note: null,
      };
      this.#requests.set(id, { id, model, ...waits });
      const [oldest] = this.#requests.keys();
      if (this.#requests.size > MOST && oldest !== undefined) this.#requests.delete(oldest);
    }
    keep(this.#queue, { atMs, waiting: rows.length });
  }

  #measure(atMs: number, { id, totalBytes, limitBytes, reservedBytes, othersBytes }: Device): void {
    const device = this.#devices.get(id) ?? { id, totalBytes, limitBytes, samples: [] };
    this.#devices.set(id, Object.assign(device, { totalBytes, limitBytes }));
    const last = device.samples.at(-1);
    if (last?.reservedBytes === reservedBytes && last.othersBytes === othersBytes) return;
    keep(device.samples, { atMs, reservedBytes, heldBytes: null, othersBytes });
  }
}

function keep<Entry>(list: Entry[], entry: Entry): void {
  list.push(entry);
  // In one go now and then: taking the first away each time would move all others.
  if (list.length > 1.5 * MOST) list.splice(0, list.length - MOST);
}

/** The one that holds at that time stays. */
function dropBefore(list: { readonly atMs: number }[], ms: number): void {
  const first = list.findIndex(({ atMs }) => atMs >= ms);
  list.splice(0, Math.max(0, (first === -1 ? list.length : first) - 1));
}

/** After a restart of Corral another runner may have the same id. */
const keyOf = ({ id, model }: Runner): string => `${id} ${model}`;
