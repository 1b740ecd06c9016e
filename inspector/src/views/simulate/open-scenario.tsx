import { useRef } from 'preact/hooks';
import { complain } from '../../shell/announcer.tsx';
import { scenarioInFile } from './scenario-file.ts';

/** Reads a scenario, or that of a recording, from a file. */
export function OpenScenario({ onOpen }: { readonly onOpen: (name: string, text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const open = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    try {
      onOpen(file.name, scenarioInFile(file.name, await file.text()));
    } catch (error) {
      complain(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        Open a file…
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".yaml,.yml,.json,.jsonl"
        aria-label="A scenario or a recording"
        onChange={({ currentTarget }) => {
          void open(currentTarget.files?.[0]);
          currentTarget.value = '';
        }}
      />
    </>
  );
}
