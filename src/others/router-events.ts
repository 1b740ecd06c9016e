import { statusValueOf, type StatusValue } from '../http/model-status.ts';
import type { ListParts } from '../http/send-models.ts';
import { onStateChange } from './on-state-change.ts';
import type { ControlParts } from './parts.ts';
import type { StreamText } from './send-stream.ts';

/** `/models/sse` of llama.cpp's router: each change of a model's status, and of which models there are. */
export const routerEvents = (parts: ControlParts & Pick<ListParts, 'models'>): StreamText => ({
  type: 'text/event-stream',
  sign: ':\n\n',
  begin: (say, end) => {
    let told = statusesOf(parts);
    return onStateChange(parts, {
      onEnd: end,
      onChange: () => {
        const now = statusesOf(parts);
        if ([...told.keys()].join('\n') !== [...now.keys()].join('\n'))
          say(eventOf({ model: '*', event: 'models_reload' }));
        for (const [model, status] of now)
          if ((told.get(model) ?? 'unloaded') !== status)
            say(eventOf({ model, event: 'model_status', data: { status } }));
        told = now;
      },
    });
  },
});

const statusesOf = ({ models }: Pick<ListParts, 'models'>): ReadonlyMap<string, StatusValue> =>
  new Map(models().map(({ name, state }) => [name, statusValueOf(state)]));

const eventOf = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
