import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { chat, until } from '../support/corral.ts';
import { writeModels } from '../support/models.ts';
import { StartedCorral } from '../support/started-corral.ts';

const llamaServer = fileURLToPath(new URL('../fixtures/wrong-ends.mjs', import.meta.url));
/** More than Node itself needs, which reads many sources at a time when it is run from them. */
const MOST_OPEN = 200;

describe('file descriptors that run out', () => {
  it('are named as the reason for which no model can be loaded; once there are some again, all goes on', async function () {
    this.timeout(90_000);
    const models = await writeModels(['tiny']);
    const corral = await StartedCorral.with(
      models.folder,
      { dataFolder: `${models.folder}/data`, llamaServer, models: models.config(['tiny']) },
      `ulimit -n ${MOST_OPEN}`,
    );
    const port = Number(new URL(corral.url).port);
    const sockets = new Set<Socket>();
    let refused = 0;
    let isPressing = true;
    /** A connection that comes again whenever it is closed: whatever descriptor is given back is taken at once. */
    const press = (): void => {
      if (!isPressing) return;
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      sockets.add(socket);
      socket.on('close', () => {
        refused++;
        sockets.delete(socket);
        setTimeout(press, 10);
      });
    };
    const release = (): void => {
      isPressing = false;
      for (const socket of sockets) socket.destroy();
    };
    // Right after they have been given back, a connection may still find none.
    const isServed = (): Promise<boolean> =>
      corral.chat('tiny').then(
        ({ status }) => status === 200,
        () => false,
      );
    try {
      const first = connect(port, '127.0.0.1');
      await once(first, 'connect');
      const body = JSON.stringify(chat('tiny'));
      for (let i = 0; i < MOST_OPEN; i++) press();
      await until('there are no more', () => refused > 5 * MOST_OPEN);

      let reply = '';
      first.on('data', (chunk: Buffer) => (reply += chunk.toString()));
      first.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await until('it is answered', () => reply.includes('\r\n\r\n{'));

      expect(reply).to.match(/^HTTP\/1.1 500 /);
      expect(reply).to.match(/lets Corral have no further process.*open files.*ulimit -n/);
      expect(reply).to.not.contain('llamaServer');

      release();
      first.destroy();
      await until('it serves', isServed, 30_000);
      corral.process.kill('SIGTERM');
      expect((await corral.exit)[0], corral.output).to.equal(0);
    } finally {
      release();
      corral.process.kill('SIGKILL');
      await models.remove();
    }
  });
});
