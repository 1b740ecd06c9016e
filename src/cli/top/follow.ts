import type { CorralClient, OnProblem } from '../../client/client.ts';
import type { Scene } from './picture.ts';

/** A scene that follows a running Corral. */
export interface Followed {
  readonly scene: () => Scene;
  /** Resolves once each part of the picture has been told; rejects when one cannot be followed. */
  readonly whole: Promise<void>;
}

/** Follows all that the picture shows; `onChange` is told whenever some of it is new. */
export function follow(client: CorralClient, url: string, onChange: () => void): Followed {
  const known: Pick<{ -readonly [K in keyof Scene]: Scene[K] }, Topics> = {
    devices: [],
    runners: [],
    queue: [],
    speeds: [],
    decisions: [],
  };
  /** Resolves with the first news; each of them is entered, and told. */
  const first = (subscribe: (tell: (news: Partial<Scene>) => void, onProblem: OnProblem) => void) =>
    new Promise<void>((resolve, reject) => {
      const tell = (news: Partial<Scene>): void => {
        Object.assign(known, news);
        resolve();
        onChange();
      };
      subscribe(tell, reject);
    });
  client.onState(onChange);
  const parts = [
    first((tell, fail) => client.subscribe('devices', {}, (devices) => tell({ devices }), fail)),
    first((tell, fail) => client.subscribe('runners', {}, (runners) => tell({ runners }), fail)),
    first((tell, fail) => client.subscribe('queue', {}, (queue) => tell({ queue }), fail)),
    first((tell, fail) => client.subscribe('speeds', {}, (speeds) => tell({ speeds }), fail)),
    first((tell, fail) =>
      client.subscribe(
        'decisions',
        {},
        // Grants are the daily business, one for each request: they would push everything else out.
        ({ entries }) => tell({ decisions: entries.filter(({ kind }) => kind !== 'grant') }),
        fail,
      ),
    ),
  ];
  return {
    scene: () => ({ ...known, url, connection: client.state, version: client.hello?.version ?? null }),
    whole: Promise.all(parts).then(() => {}),
  };
}

type Topics = 'devices' | 'runners' | 'queue' | 'speeds' | 'decisions';
