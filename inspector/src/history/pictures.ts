import { pictureAfter, type Change, type Picture as TopicPicture, type Snapshot } from 'corral/client';
import { inOrder } from '../live/in-order.ts';
import type { Picture } from '../live/picture.ts';

/** The topics that are kept: with them a moment is whole. */
export const keptTopics = ['runners', 'queue', 'devices', 'actors', 'decisions', 'events'] as const;
export type KeptTopic = (typeof keptTopics)[number];

/** What was told of one topic, without what only matters on its way. */
export type Told = Pick<Snapshot<KeptTopic> | Change<KeptTopic>, 'topic' | 'type' | 'data'>;

/** What is known of each topic. */
export type Pictures = { readonly [T in KeptTopic]: TopicPicture<T> };

const nothing = { entries: [], leftOut: 0 } as const;

export const noPictures: Pictures = {
  runners: [],
  queue: [],
  devices: [],
  actors: [],
  decisions: nothing,
  events: nothing,
};

/** All topics after something was told of one. */
export const picturesAfter = (pictures: Pictures, { topic, type, data }: Told): Pictures => ({
  ...pictures,
  [topic]: pictureAfter(pictures[topic], { v: 1, seq: 0, topic, type, data } as Snapshot<KeptTopic>),
});

/** As views draw it. */
export const asShown = ({ runners, queue, devices, actors, decisions, events }: Pictures): Picture => ({
  runners: inOrder(runners),
  queue,
  devices,
  actors: inOrder(actors),
  decisions: decisions.entries,
  events: events.entries,
});

/** Entries of streams in a picture of everything: what came before them is in what was told before it. */
const KEPT_ENTRIES = 300;

/** With the last entries of its streams only. */
export const shortened = (pictures: Pictures): Pictures => ({
  ...pictures,
  decisions: lastOf(pictures.decisions),
  events: lastOf(pictures.events),
});

const lastOf = <Entry>({
  entries,
  leftOut,
}: {
  readonly entries: readonly Entry[];
  readonly leftOut: number;
}) => ({
  entries: entries.slice(-KEPT_ENTRIES),
  leftOut: leftOut + Math.max(0, entries.length - KEPT_ENTRIES),
});
