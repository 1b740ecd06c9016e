import { deviceOperations } from '../management/operations/devices.ts';
import { modelOperations } from '../management/operations/models.ts';
import { runnerOperations } from '../management/operations/runners.ts';
import type { Operation } from '../management/operation.ts';
import type { ManagementParts } from '../management/parts.ts';
import { invalid } from '../management/problem.ts';
import type { Command } from './protocol.ts';

/** Carries a command out; answers with its result. Rejects with a `ProblemError` or a `ServiceError`. */
export type RunCommand = (command: Command, signal: AbortSignal) => Promise<unknown>;

interface Call {
  readonly operation: string;
  readonly params: object;
  readonly query?: object;
  readonly body?: object;
}

/** Each command is an operation of the management API: the same checks, the same refusals, the same answers. */
export function commandRunner(parts: ManagementParts): RunCommand {
  const operations = new Map(
    [...deviceOperations(parts), ...modelOperations(parts), ...runnerOperations(parts)].map((operation) => [
      operation.id,
      operation,
    ]),
  );
  return async (command, signal) => {
    const { operation: id, params, query = {}, body = {} } = callOf(command);
    const operation = operations.get(id);
    if (!operation) throw new Error(`There is no operation ${id}.`);
    const reply = await operation.handle({
      params: checked(operation.params, params),
      query: checked(operation.query, query),
      body: checked(operation.body, body),
      signal,
    });
    return reply.body;
  };
}

function callOf(message: Command): Call {
  switch (message.command) {
    case 'model.load': {
      const { model: name, wait } = message.params;
      return { operation: 'loadModel', params: { name }, query: { wait } };
    }
    case 'model.unload': {
      const { model: name, drainMs } = message.params;
      const body = drainMs === undefined ? {} : { drainSeconds: drainMs / 1000 };
      return { operation: 'unloadModel', params: { name }, body };
    }
    case 'model.pin': {
      const { model: name, ...body } = message.params;
      return { operation: 'pinModel', params: { name }, body };
    }
    case 'devices.pause':
      return { operation: 'pauseDevices', params: {}, body: message.params };
    case 'devices.resume':
      return { operation: 'resumeDevices', params: {}, body: message.params };
    case 'runner.stop': {
      const { runnerId: id, force } = message.params;
      return { operation: 'stopRunner', params: { id }, body: { force } };
    }
    case 'terminal.write': {
      const { runnerId: id, ...body } = message.params;
      return { operation: 'writeTerminal', params: { id }, body };
    }
  }
}

function checked(schema: Operation['params'], value: object): object {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid('params', result.error);
}
