import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import './confirm.css';

/** One way to go on. */
export interface Choice {
  readonly label: string;
  readonly isDangerous?: boolean;
  readonly act: () => void;
}

/** What is asked before something is lost. Closing the dialog does nothing. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly choices: readonly Choice[];
}

const asked = signal<Question | null>(null);

/** Asks before something is lost. */
export function ask(question: Question): void {
  asked.value = question;
}

/** Where it is asked: once in the page. */
export function ConfirmDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const question = asked.value;
  useEffect(() => {
    if (question) dialog.current?.showModal();
  }, [question]);
  if (!question) return null;
  const choose = (act?: () => void): void => {
    // The browser gives the focus back to where it was.
    dialog.current?.close();
    act?.();
  };
  return (
    <dialog
      ref={dialog}
      class="confirm"
      aria-labelledby="confirm-title"
      aria-describedby="confirm-text"
      onClose={() => (asked.value = null)}
    >
      <h2 id="confirm-title">{question.title}</h2>
      <p id="confirm-text">{question.text}</p>
      <div class="confirm-choices">
        <button type="button" onClick={() => choose()}>
          Cancel
        </button>
        {question.choices.map(({ label, isDangerous, act }) => (
          <button
            key={label}
            type="button"
            class={isDangerous ? 'danger' : 'primary'}
            onClick={() => choose(act)}
          >
            {label}
          </button>
        ))}
      </div>
    </dialog>
  );
}
