import { z } from 'zod';
import {
  decisionSchema,
  deviceListSchema,
  deviceSchema,
  modelSchema,
  problemSchema,
  runnerSchema,
} from '../management/schemas.ts';
import { clientMessages, commands, serverMessages } from './protocol.ts';
import { lists, streams } from './rows.ts';
import { SUBPROTOCOL, WS_PATH } from './wire.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

interface Reference {
  readonly $ref: string;
}

interface MessageObject {
  readonly name: string;
  readonly summary?: string;
  readonly payload: Reference;
}

interface OperationObject {
  readonly action: 'send' | 'receive';
  readonly summary: string;
  readonly channel: Reference;
  readonly messages: readonly Reference[];
}

export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly defaultContentType: 'application/json';
  readonly servers: Readonly<Record<string, { readonly host: string; readonly protocol: 'ws' }>>;
  readonly channels: Readonly<Record<string, object>>;
  readonly operations: Readonly<Record<string, OperationObject>>;
  readonly components: {
    readonly messages: Readonly<Record<string, MessageObject>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

const SCHEMAS = '#/components/schemas/';
const CHANNEL = '#/channels/corral';

const upper = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** What is said by name in the messages of the server. */
const parts = {
  Runner: runnerSchema,
  RunnerRow: lists.runners,
  Wait: lists.queue,
  Device: deviceSchema,
  ModelRow: lists.models,
  Speed: lists.speeds,
  Chart: lists.charts,
  Decision: decisionSchema,
  Actor: lists.actors,
  ActorEvent: streams.events,
  LogLine: streams.log,
  Model: modelSchema,
  DeviceList: deviceListSchema,
  Problem: problemSchema,
};

/** The AsyncAPI 3.0 document of the WebSocket API, from its schemas; seen from the server, which sends and receives. */
export function asyncApiOf(version: string): AsyncApiDocument {
  const sent = Object.keys(serverMessages);
  const received = Object.keys(clientMessages);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Corral: live',
      version,
      description:
        'What runs, what waits and why, as it changes; and the commands. Memory is in bytes, time in milliseconds unless a name says otherwise.',
    },
    defaultContentType: 'application/json',
    servers: { local: { host: '127.0.0.1:8686', protocol: 'ws' } },
    channels: {
      corral: {
        address: WS_PATH,
        description: `Text frames of JSON. Subprotocol ${SUBPROTOCOL}, if the client names one.`,
        messages: Object.fromEntries(
          [...sent, ...received].map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
      },
    },
    operations: {
      tell: operation('send', 'What the server says', sent),
      hear: operation('receive', 'What a client may say', received),
    },
    components: {
      messages: { ...messagesOf(serverMessages), ...messagesOf(clientMessages) },
      schemas: {
        ...schemasOf(parts, serverMessages, 'output'),
        ...schemasOf({}, clientMessages, 'input'),
        ...resultsOf(),
      },
    },
  };
}

const operation = (
  action: 'send' | 'receive',
  summary: string,
  names: readonly string[],
): OperationObject => ({
  action,
  summary,
  channel: { $ref: CHANNEL },
  messages: names.map((name) => ({ $ref: `${CHANNEL}/messages/${name}` })),
});

const messagesOf = (messages: Readonly<Record<string, z.ZodType>>): Record<string, MessageObject> =>
  Object.fromEntries(
    Object.entries(messages).map(([name, { description }]) => [
      name,
      {
        name,
        ...(description !== undefined && { summary: description }),
        payload: { $ref: `${SCHEMAS}${upper(name)}` },
      },
    ]),
  );

function schemasOf(
  named: Readonly<Record<string, z.ZodType>>,
  messages: Readonly<Record<string, z.ZodType>>,
  io: 'input' | 'output',
): Record<string, JsonSchema> {
  const registry = z.registry<{ readonly id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  for (const [name, schema] of Object.entries(messages)) registry.add(schema, { id: upper(name) });
  const { schemas } = z.toJSONSchema(registry, { io, uri: (id) => `${SCHEMAS}${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema)]));
}

/** What each command is answered with. */
const resultsOf = (): Record<string, JsonSchema> => {
  const nameOf = new Map<z.ZodType, string>(Object.entries(parts).map(([name, schema]) => [schema, name]));
  const results = Object.entries(commands).map(([command, { result }]) => [
    command,
    { $ref: `${SCHEMAS}${nameOf.get(result)}` },
  ]);
  return {
    CommandResults: {
      type: 'object',
      description: 'The result in the reply to each command.',
      properties: Object.fromEntries(results) as object,
    },
  };
};

/** Without what a schema of its own would have to say, and a part of a document has not. */
const plain = ({ $schema: _schema, $id: _id, ...schema }: z.core.JSONSchema.BaseSchema): JsonSchema => schema;
