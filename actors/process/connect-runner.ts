import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { Endpoint } from '../../machines/vocabulary.ts';
import { ownerOf } from './port-owner.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_MS = 5;

/** Whoever listens at a runner's port is not the runner. */
export class ForeignListener extends Error {
  override readonly name = 'ForeignListener';

  constructor(port: number) {
    super(
      `port ${port} belongs to a process that is none of this runner's. ` +
        'A runner has to listen itself: a program that hands its port to a service elsewhere (docker run -p) cannot be used',
    );
  }
}

/**
 * How connections to a runner are made: through its Unix socket, which lies where nobody else may go, if it has made
 * one; else to its port, and then it is made sure, once for each connection and before its first byte, that the
 * runner's own process is at the other end. Any user of the machine can take a port.
 */
export function runnerConnector(endpoint: Endpoint): buildConnector.connector {
  const { socketPath, groupPid } = endpoint;
  const toPort = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
  const checked: buildConnector.connector =
    groupPid === undefined
      ? toPort
      : (options, callback) =>
          toPort(options, (error, socket) => {
            if (error) callback(error, null);
            else void checkOwner(socket, groupPid).then((fault) => finish(socket, fault, callback));
          });
  if (socketPath === undefined) return checked;
  const toSocket = buildConnector({ timeout: CONNECT_TIMEOUT_MS, socketPath });
  return (options, callback) =>
    toSocket(options, (error, socket) => {
      if (error && 'code' in error && error.code === 'ENOENT') checked(options, callback);
      else if (error) callback(error, null);
      else callback(null, socket);
    });
}

const finish = (socket: Socket, fault: Error | null, callback: buildConnector.Callback): void => {
  const wrong = fault ?? (socket.destroyed ? new Error('the connection was closed') : null);
  if (!wrong) return callback(null, socket);
  socket.destroy();
  callback(wrong, null);
};

/** What is wrong with who is at the other end; null where nothing is, or where the system does not tell. */
async function checkOwner(socket: Socket, groupPid: number): Promise<Error | null> {
  const { localPort, remotePort } = socket;
  if (localPort === undefined || remotePort === undefined) return null; // closed meanwhile
  const endMs = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    const owner = await ownerOf({ localPort, remotePort }, groupPid);
    if (owner === 'the group' || owner === 'unknown') return null;
    // Somebody who forks may have let go of a socket that the other one takes only now.
    if (owner === 'somebody else' || performance.now() > endMs) return new ForeignListener(remotePort);
    if (socket.destroyed) return null;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
