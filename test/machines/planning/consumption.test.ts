import { expect } from 'chai';
import { lookAt, newConsumption, type Look } from '../../../machines/planning/consumption.ts';
import type { Reservation } from '../../../machines/vocabulary.ts';

const MIB = 1024 ** 2;
const inMib = (mib: Reservation): Reservation =>
  Object.fromEntries(Object.entries(mib).map(([id, bytes]) => [id, bytes * MIB]));

/** Looks one after the other, in MiB; the last one. */
function looks(promised: Reservation, uses: readonly Reservation[], isOwned = false): Look {
  let consumption = newConsumption(inMib(promised));
  let booked = inMib(promised);
  let look: Look | undefined;
  for (const use of uses) {
    look = lookAt(consumption, booked, inMib(use), isOwned ? inMib(promised) : null);
    ({ consumption, booked } = look);
  }
  if (!look) throw new Error('no look');
  return look;
}
const mibOf = (bytes: Reservation): Reservation =>
  Object.fromEntries(Object.entries(bytes).map(([id, some]) => [id, some / MIB]));

describe('what is booked for a runner that is looked at', () => {
  const cases: readonly {
    readonly title: string;
    readonly promised: Reservation;
    readonly uses: readonly Reservation[];
    readonly isOwned?: boolean;
    readonly booked: Reservation;
    readonly isNews?: boolean;
  }[] = [
    {
      title: 'is what it holds on GPUs after its load, less than promised too',
      promised: { CUDA0: 1_000 },
      uses: [{ CUDA0: 900 }],
      booked: { CUDA0: 900 },
      isNews: true,
    },
    {
      title: 'is not less than a configured need',
      promised: { CUDA0: 1_000 },
      uses: [{ CUDA0: 900 }],
      isOwned: true,
      booked: { CUDA0: 1_000 },
      isNews: true,
    },
    {
      title: 'is not more than a configured need where it holds more once it is loaded',
      promised: { CUDA0: 1_000 },
      uses: [{ CUDA0: 1_200 }, { CUDA0: 1_250 }],
      isOwned: true,
      booked: { CUDA0: 1_000 },
      isNews: false,
    },
    {
      title: 'is a configured need and what it has grown by since it was loaded',
      promised: { CUDA0: 1_000 },
      uses: [{ CUDA0: 1_200 }, { CUDA0: 2_200 }, { CUDA0: 2_200 }],
      isOwned: true,
      booked: { CUDA0: 2_000 },
      isNews: false,
    },
    {
      title: 'stays a configured need while what it holds grows towards that',
      promised: { CPU: 1_000 },
      uses: [{ CPU: 500 }, { CPU: 800 }, { CPU: 800 }],
      isOwned: true,
      booked: { CPU: 1_000 },
      isNews: false,
    },
    {
      title: 'is what was promised of main memory, which is taken as it is used',
      promised: { CPU: 1_000 },
      uses: [{ CPU: 100 }, { CPU: 300 }],
      booked: { CPU: 1_000 },
      isNews: false,
    },
    {
      title: 'grows with it, with room for as much again',
      promised: { CUDA0: 1_000 },
      uses: [{ CUDA0: 1_000 }, { CUDA0: 1_100 }],
      booked: { CUDA0: 1_200 },
      isNews: true,
    },
    {
      title: 'gives that room back when it has come to rest',
      promised: { CUDA0: 1_000 },
      uses: [{ CUDA0: 1_000 }, { CUDA0: 1_100 }, { CUDA0: 1_100 }],
      booked: { CUDA0: 1_100 },
      isNews: false,
    },
    {
      title: 'stays when it holds less for a while, as a server that sleeps',
      promised: { CUDA0: 1_000 },
      uses: [{ CUDA0: 1_000 }, { CUDA0: 100 }],
      booked: { CUDA0: 1_000 },
      isNews: false,
    },
    {
      title: 'has room in time where main memory grows towards its promise',
      promised: { CPU: 1_000 },
      uses: [{ CPU: 800 }, { CPU: 950 }],
      booked: { CPU: 1_100 },
      isNews: false,
    },
    {
      title: 'is on each device by itself',
      promised: { CUDA0: 1_000, CPU: 500 },
      uses: [
        { CUDA0: 900, CPU: 100 },
        { CUDA0: 900, CPU: 600 },
      ],
      booked: { CUDA0: 900, CPU: 1_100 },
      isNews: true,
    },
  ];
  for (const { title, promised, uses, isOwned, booked, isNews } of cases)
    it(title, () => {
      const look = looks(promised, uses, isOwned);

      expect(mibOf(look.booked)).to.deep.equal(booked);
      expect(look.isNews).to.equal(isNews);
    });

  it('is worth a word when it has outgrown its plan by a sixteenth, and then by another', () => {
    const promised = { CUDA0: 1_600 };
    const words = [1_600, 1_650, 1_690, 1_720, 1_750, 1_820].map(
      (_, i, all) =>
        looks(
          promised,
          all.slice(0, i + 1).map((CUDA0) => ({ CUDA0 })),
        ).isOutgrown,
    );

    expect(words).to.deep.equal([false, false, false, true, false, false]);
  });
});
