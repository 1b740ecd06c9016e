import { EnvHttpProxyAgent } from 'undici';
import { stderr } from '../terminal/print.ts';
import { hubOf } from './hub.ts';
import { progressView, type ProgressView } from './progress.ts';
import { pullModel, type Pulled, type PullOptions } from './pull-model.ts';

export type PullWishes = Pick<PullOptions, 'reference' | 'folder' | 'withProjector' | 'force'>;

/** Pulls a model as a person wants to see it: with progress on standard error, until a signal breaks it off. */
export async function pullWithProgress(
  wishes: PullWishes,
): Promise<{ readonly pulled: Pulled; readonly view: ProgressView }> {
  const view = progressView(stderr, () => performance.now());
  const dispatcher = new EnvHttpProxyAgent();
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('Broken off; the same command goes on from here.'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const pulled = await pullModel({
      ...wishes,
      hub: hubOf(process.env, dispatcher),
      signal: stop.signal,
      onProgress: (progress) => view.show(progress),
      onNote: (note) => view.say(note),
    });
    return { pulled, view };
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await dispatcher.destroy();
  }
}
