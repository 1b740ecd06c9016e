import type { DeviceId, Reservation } from '../vocabulary.ts';

/** What is known of a runner's real consumption, per device. */
export interface Consumption {
  /** What it was seen to hold when it had loaded; null before that look. */
  readonly first: Reservation | null;
  /** The most that counts of what it was seen to hold; null before the first look. */
  readonly held: Reservation | null;
  /** Of what is booked, that by which it grew between the last two looks: it may grow by as much again before the next. */
  readonly headroom: Reservation;
  /** What people were last told that it holds: its promise, to begin with. */
  readonly told: Reservation;
}

export interface Look {
  readonly consumption: Consumption;
  /** What is booked for it from now on. */
  readonly booked: Reservation;
  /** The same without headroom: what its next load is planned with. */
  readonly holds: Reservation;
  /** Whether `holds` is worth remembering. */
  readonly isNews: boolean;
  /** Whether it holds so much more than people know that it is worth a word. */
  readonly isOutgrown: boolean;
}

const MIB = 1024 ** 2;
/** Less than this, and less than this share of what was told before, is not worth a word. */
const WORTH_A_WORD = { bytes: 64 * MIB, share: 1 / 16 };

export const newConsumption = (promised: Reservation): Consumption => ({
  first: null,
  held: null,
  headroom: {},
  told: promised,
});

/**
 * One more look at what a runner holds. The first after its load replaces what was predicted for GPUs; main memory is taken as it is used, so
 * that less than promised tells nothing there, and later looks raise what is booked only: what a process has held once it may hold again.
 * `owned` is what the owner says of a model as it is loaded: that stands, and what it grows by while it serves comes on top.
 */
export function lookAt(
  { first, held, headroom, told }: Consumption,
  booked: Reservation,
  seen: Reservation,
  owned: Reservation | null = null,
): Look {
  const before = less(booked, headroom);
  const use = owned === null ? seen : grownOver(owned, first ?? seen, seen);
  const peak = most(held ?? {}, whole(use));
  const growth = held === null ? {} : less(peak, held);
  const isReplaced = (id: DeviceId): boolean => held === null && owned === null && id !== 'CPU' && id in use;
  const holds = {
    ...most(before, peak),
    ...Object.fromEntries(Object.entries(peak).filter(([id]) => isReplaced(id))),
  };
  const withRoom = most(holds, plus(peak, growth));
  const isFirstOfGpus = held === null && Object.keys(use).some((id) => id !== 'CPU');
  const worthBytes = Math.max(WORTH_A_WORD.bytes, WORTH_A_WORD.share * sum(told));
  const isOutgrown = sum(less(holds, told)) >= worthBytes;
  return {
    consumption: {
      first: first ?? seen,
      held: peak,
      headroom: less(withRoom, holds),
      told: isOutgrown ? most(told, holds) : told,
    },
    booked: withRoom,
    holds,
    isNews: isFirstOfGpus || sum(less(holds, before)) > 0,
    isOutgrown,
  };
}

/** What counts where the owner's figure stands: that, and what has come since the first look, as far as it is held. */
const grownOver = (owned: Reservation, first: Reservation, seen: Reservation): Reservation =>
  Object.fromEntries(
    Object.entries(seen).map(([id, bytes]) => {
      const growth = bytes - (first[id] ?? 0);
      return [id, Math.min(bytes, (owned[id] ?? 0) + (growth >= WORTH_A_WORD.bytes ? growth : 0))];
    }),
  );

const each = (a: Reservation, b: Reservation, of: (a: number, b: number) => number): Reservation =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((id) => [id, of(a[id] ?? 0, b[id] ?? 0)]),
  );

const most = (a: Reservation, b: Reservation): Reservation => each(a, b, Math.max);
const plus = (a: Reservation, b: Reservation): Reservation => each(a, b, (x, y) => x + y);
const less = (a: Reservation, b: Reservation): Reservation => each(a, b, (x, y) => Math.max(0, x - y));
const whole = (a: Reservation): Reservation => each(a, {}, Math.ceil);
const sum = (a: Reservation): number => Object.values(a).reduce((all, bytes) => all + bytes, 0);
