import { noPictures, picturesAfter, type Pictures, type Told } from '../../history/pictures.ts';
import { keptLines } from '../../history/player.ts';
import { TimelineBuilder } from '../../timeline/timeline-builder.ts';

type Line = { readonly at: number } & ({ readonly pictures: Pictures } | Told);

/** Most of a tape are events between actors, which a timeline does not show: those lines are not even read. */
const UNSEEN = /^\{"at":[^,]+,"topic":"(?:events|actors)"/;

/** A timeline of all that is kept of what is shown: of the live tape, or of the file that is open. */
export function buildFromTape(): { readonly builder: TimelineBuilder; readonly toMs: number } {
  const builder = new TimelineBuilder();
  let pictures = noPictures;
  let toMs = 0;
  for (const text of keptLines()) {
    if (UNSEEN.test(text)) continue;
    const line = JSON.parse(text) as Line;
    pictures = 'pictures' in line ? line.pictures : picturesAfter(pictures, line);
    toMs = line.at;
    builder.look(line.at, { ...pictures, decisions: pictures.decisions.entries });
  }
  return { builder, toMs };
}
