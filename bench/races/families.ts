import type { Race, RaceClient, RaceModel } from './race.ts';
import { Random } from './random.ts';

/** Of every kind of race: how its machine and clients differ. Times are multiples of a load (R), which takes 0.3 s to 60 s. */
const FAMILIES = [
  /** Memory for one model: any two exclude each other. */
  'exclusive',
  /** Memory for all models but one. */
  'one-short',
  /** Models of many sizes. */
  'mixed',
  /** Agents that ask many times in a row, then not for long. */
  'bursty',
  /** Answers take as long as loads, or longer, and there is hardly a pause. */
  'busy',
  /** Each model is asked for once in 20 to 100 loads' time. */
  'rare',
] as const;
type Family = (typeof FAMILIES)[number];

/** How many load times each family is played for. */
const LENGTH: Partial<Record<Family, number>> = { rare: 1500, busy: 500 };
const USUAL_LENGTH = 300;

/** The same races for the same number, so many of each family; the same seed gives the same ones each time. */
export const racesOf = (countPerFamily: number, seed: number): readonly Race[] =>
  FAMILIES.flatMap((family, i) =>
    Array.from({ length: countPerFamily }, (_, k) => raceOf(family, k, seed + 1000 * i + k)),
  );

function raceOf(family: Family, index: number, seed: number): Race {
  const random = new Random(seed);
  const R = random.octaves(300, 60_000);
  const count =
    family === 'exclusive' ? random.pick([2, 2, 3, 4]) : random.whole(family === 'mixed' ? 3 : 2, 6);
  const isEqual = family === 'exclusive' || family === 'one-short' || random.next() < 0.3;
  const models = Array.from({ length: count }, (_, i) => modelOf(`m${i}`, isEqual, R, random));
  const clients = clientsOf(family, models, R, random);
  return {
    id: `${family}-${index}`,
    family,
    seed,
    R,
    seconds: (R / 1000) * (LENGTH[family] ?? USUAL_LENGTH),
    memory: memoryFor(family, models, isEqual, random),
    recoveryMs: 0.08 * R,
    exitMs: 0.03 * R,
    keepAliveMs: 40 * R,
    // The order of definition is no favour to anybody.
    models: random.shuffled(models),
    clients,
  };
}

function modelOf(name: string, isEqual: boolean, R: number, random: Random): RaceModel {
  const factor = isEqual ? 1 : random.octaves(0.25, 3);
  const loadMs = R * Math.max(0.2, factor * random.octaves(0.8, 1.25));
  const estimateMs = loadMs * random.octaves(0.6, 1.6);
  return { name, size: 10 * factor, loadMs, estimateMs, slots: random.pick([1, 2, 4, 4, 8]) };
}

/** Never enough for all. */
function memoryFor(family: Family, models: readonly RaceModel[], isEqual: boolean, random: Random): number {
  const oneMore = 10.5;
  if (family === 'exclusive') return oneMore;
  if (family === 'one-short') return oneMore * (models.length - 1);
  if (isEqual) return oneMore * random.whole(1, models.length - 1);
  const sizes = models.map(({ size }) => size);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return Math.max(...sizes, all * random.between(0.35, 0.9)) + 0.01;
}

/** At least one client for each model. */
function clientsOf(family: Family, models: readonly RaceModel[], R: number, random: Random): RaceClient[] {
  const hot = random.octaves(0.3, 30);
  const count = Math.max(models.length, random.whole(1, 8));
  return Array.from({ length: count }, (_, i) => {
    const model = models[i < models.length ? i : random.whole(0, models.length - 1)]?.name ?? '';
    const serviceMs = R * (family === 'busy' ? random.octaves(0.5, 8) : random.octaves(0.05, 1.5));
    const client = { model, thinkMs: R * thinkOf(family, hot, random), serviceMs };
    if (family !== 'bursty' || random.next() >= 0.6) return client;
    const burst = { count: random.whole(3, 15), gapMs: R * random.octaves(0.05, 0.8) };
    return { ...client, burst, thinkMs: R * random.octaves(8, 100) };
  });
}

function thinkOf(family: Family, hot: number, random: Random): number {
  if (family === 'rare') return random.octaves(20, 100);
  if (family === 'busy') return random.octaves(0.3, 3);
  return random.next() < 0.5 ? hot * random.octaves(0.5, 2) : random.octaves(0.3, 100);
}

/** Somebody alone who changes between models, with room for one of them: whatever is spared for others is spared in vain. */
export const loneRaces = (): readonly Race[] =>
  [300, 2_000, 20_000].flatMap((R) =>
    [0.2, 2, 10].map((think) => ({
      id: `lone-${R}-${think}`,
      family: 'lone',
      seed: 1,
      R,
      seconds: (R / 1000) * 40 * (2 + think),
      memory: 1.5,
      recoveryMs: 0.08 * R,
      exitMs: 0.03 * R,
      models: ['a', 'b'].map((name) => ({ name, size: 1, loadMs: R, estimateMs: R, slots: 4 })),
      clients: [{ model: ['a', 'b'], thinkMs: think * R, serviceMs: R / 4, fixed: true }],
    })),
  );

const liveModel = (name: string): RaceModel => ({ name, size: 1, loadMs: 2000, estimateMs: 1550, slots: 4 });
const liveClient = (model: string, thinkMs: number, startMs: number): RaceClient => ({
  model,
  thinkMs,
  startMs,
  serviceMs: 480,
  fixed: true,
});

const liveRace = (
  family: string,
  seed: number,
  { seconds, memory, models, clients }: Pick<Race, 'seconds' | 'memory' | 'clients'> & { models: string[] },
): Race => ({
  id: `${family}-${seed}`,
  family,
  seed,
  R: 2000,
  seconds,
  memory,
  kind: 'cpu',
  recoveryMs: 0,
  exitMs: 20,
  models: models.map(liveModel),
  clients,
});

/** The two races that were run against real peers, with many seeds. */
export const liveRaces = (seeds: number): readonly Race[] =>
  Array.from({ length: seeds }, (_, seed) => [
    liveRace('three, two fit', seed, {
      seconds: 120,
      memory: 2.2,
      models: ['busiest', 'often', 'seldom'],
      clients: [
        liveClient('busiest', 1000, 0),
        liveClient('busiest', 1500, 300),
        liveClient('often', 4000, 600),
        liveClient('seldom', 12_000, 3000),
      ],
    }),
    liveRace('two exclude', seed, {
      seconds: 90,
      memory: 1.1,
      models: ['often', 'seldom'],
      clients: [liveClient('often', 800, 0), liveClient('often', 800, 200), liveClient('seldom', 2500, 500)],
    }),
  ]).flat();
