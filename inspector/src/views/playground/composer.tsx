import { useRef } from 'preact/hooks';
import { chatModels, chosenModel, clear, maxTokens, send, stop, temperature } from './conversation.ts';

/** Where a question is written: Enter sends it, Shift and Enter begin a new line, Escape stops the reply. */
export function Composer({ isBusy }: { readonly isBusy: boolean }) {
  const text = useRef<HTMLTextAreaElement>(null);
  const names = chatModels();
  const model = chosenModel.value ?? names[0];
  const submit = (event: Event): void => {
    event.preventDefault();
    const question = text.current?.value.trim() ?? '';
    if (!text.current || question === '' || isBusy || model === undefined) return;
    text.current.value = '';
    void send(model, question);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
    if (event.key === 'Escape') stop();
  };
  return (
    <form class="composer" onSubmit={submit}>
      <textarea
        ref={text}
        rows={2}
        aria-label="Message"
        placeholder={names.length === 0 ? 'No model can chat.' : 'Message'}
        onKeyDown={onKeyDown}
      />
      <div class="composer-bar">
        <select
          aria-label="Model"
          value={model}
          onChange={(event) => (chosenModel.value = event.currentTarget.value)}
        >
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <label>
          temperature
          <input
            type="number"
            min="0"
            max="2"
            step="0.1"
            value={temperature}
            onInput={(event) => (temperature.value = event.currentTarget.valueAsNumber || 0)}
          />
        </label>
        <label>
          tokens
          <input
            type="number"
            min="1"
            step="1"
            placeholder="any"
            value={maxTokens.value ?? ''}
            onInput={(event) => (maxTokens.value = event.currentTarget.valueAsNumber || null)}
          />
        </label>
        <button type="button" class="composer-clear" onClick={clear}>
          Clear
        </button>
        {isBusy ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit" class="primary" disabled={model === undefined}>
            Send
          </button>
        )}
      </div>
    </form>
  );
}
