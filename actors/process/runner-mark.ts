import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import type { RunnerId } from '../../machines/vocabulary.ts';
import { isSame, startTimeOf } from './process-identity.ts';

const VARIABLE = 'CORRAL_RUNNER';
const FORM = /^(?<runnerId>[^@]*)@(?<pid>\d+)\.(?<startTime>[^.]*)\.(?<space>[^.]*)\.(?<folder>\w*)$/;

/**
 * What a runner and all that it starts have in their environment: whose runner they belong to. It is how one is found that has
 * left its runner's group and session. Only a process that clears its environment is rid of it.
 */
export class RunnerMark {
  readonly #owner: string;
  readonly #space = processSpace();
  readonly #folder: string;

  /**
   * `folder` is the data folder by its absolute name, which several Corrals have in common when they end what another left
   * behind; it need not be there.
   */
  constructor(folder: string) {
    this.#folder = createHash('sha256').update(folder).digest('hex').slice(0, 16);
    this.#owner = `${process.pid}.${startTimeOf(process.pid)}.${this.#space}.${this.#folder}`;
  }

  /** The variable for a runner's environment. */
  variableFor(runnerId: RunnerId): Readonly<Record<string, string>> {
    return { [VARIABLE]: `${runnerId}@${this.#owner}` };
  }

  /** Whether a process's environment says that it belongs to this runner of ours. */
  isOf(runnerId: RunnerId, environment: string): boolean {
    return valueIn(environment) === `${runnerId}@${this.#owner}`;
  }

  /** The runner that a process belonged to, if that was one of a Corral of this folder that is no more; else null. */
  runnerLeftBehind(environment: string): RunnerId | null {
    const found = FORM.exec(valueIn(environment) ?? '')?.groups;
    if (found === undefined || found['folder'] !== this.#folder || found['space'] !== this.#space)
      return null;
    const { runnerId = '', pid, startTime = null } = found;
    return isSame(Number(pid), startTime) ? null : runnerId;
  }
}

function valueIn(environment: string): string | undefined {
  const entry = environment.split('\0').find((one) => one.startsWith(`${VARIABLE}=`));
  return entry?.slice(VARIABLE.length + 1);
}

/** Pids mean something within one namespace only: a container has its own. */
function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
  } catch {
    return '';
  }
}
