import { expect } from 'chai';
import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { chatBody, openChat, RawClient, until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

describe('departing clients', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  /** A runner that streams until its client leaves, and a count of its open replies. */
  const endless = (): { readonly listener: RequestListener; readonly open: { count: number } } => {
    const open = { count: 0 };
    const listener: RequestListener = (request, response) => {
      open.count += 1;
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write('data: {}\n\n'), 2);
      response.on('close', () => {
        clearInterval(timer);
        open.count -= 1;
      });
    };
    return { listener, open };
  };

  it('end the stream at the runner and release the lease', async () => {
    const { listener, open } = endless();
    const upstream = await servers.upstream(listener);
    const desk = new SmallDesk(upstream.baseUrl);
    const { port, lines } = await servers.corral(desk);
    const { request, reply } = openChat(port);
    const body = await reply;
    await new Promise((resolve) => body.once('data', resolve));

    request.destroy();

    await until('the runner to be left', () => open.count === 0);
    await until('its line in the log', () => lines.length === 1);
    expect(desk.leases.map(({ releases }) => releases)).to.deep.equal([1]);
    expect(lines[0]).to.include({ outcome: 'client-gone', status: 200, attempts: 1 });
  });

  it('end a request whose reply has not begun', async () => {
    let open = 0;
    const upstream = await servers.upstream((request, response) => {
      open += 1;
      request.resume();
      response.on('close', () => (open -= 1));
    });
    const desk = new SmallDesk(upstream.baseUrl);
    const { port, lines } = await servers.corral(desk);
    const { request } = openChat(port);
    await until('the request to arrive', () => open === 1);

    request.destroy();

    await until('the runner to be left', () => open === 0);
    await until('its line in the log', () => lines.length === 1);
    expect(desk.leases.map(({ releases }) => releases)).to.deep.equal([1]);
    expect(lines[0]).to.include({ outcome: 'client-gone', status: 499, firstByteMs: null, attempts: 1 });
  });

  it('withdraw from the queue', async () => {
    const desk = new SmallDesk();
    desk.open = new Promise(() => undefined);
    const { port, lines } = await servers.corral(desk);
    const { request } = openChat(port);
    await until('the request to wait', () => desk.waiting === 1);

    request.destroy();

    await until('the request to be withdrawn', () => desk.withdrawn === 1);
    await until('its line in the log', () => lines.length === 1);
    expect(desk.leases).to.deep.equal([]);
    expect(lines[0]).to.include({ outcome: 'client-gone', status: 499, attempts: 0, model: 'tiny' });
  });

  it('leave nothing behind when they go before their body is here', async () => {
    const desk = new SmallDesk();
    const { port, lines } = await servers.corral(desk);
    const client = new RawClient(port);
    client.socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"model":',
    );
    await until('the connection', () => !client.socket.connecting);

    client.socket.end();

    await until('its line in the log', () => lines.length === 1);
    expect(lines[0]).to.include({ outcome: 'client-gone', requestBytes: 0 });
    expect(desk.requests).to.deep.equal([]);
  });

  it('never cost a lease, whenever they go', async function () {
    this.timeout(20_000);
    const { listener, open } = endless();
    const upstream = await servers.upstream(listener);
    const desk = new SmallDesk(upstream.baseUrl);
    const { port, lines } = await servers.corral(desk);
    const clients = 500;
    let next = 0;
    const leaveAtRandom = async (): Promise<void> => {
      while (next < clients) {
        next += 1;
        desk.open = Math.random() < 0.5 ? Promise.resolve() : delay(Math.random() * 15);
        const { request, reply } = openChat(
          port,
          chatBody({ padding: 'x'.repeat(Math.random() < 0.1 ? 100_000 : 100) }),
        );
        // Some leave within their reply, however slow the machine is; the others at any time before or after.
        if (Math.random() < 0.25) await reply;
        else await delay(Math.random() * 40);
        request.destroy();
      }
    };

    await Promise.all(Array.from({ length: 16 }, leaveAtRandom));
    await until('every runner to be left', () => open.count === 0 && desk.waiting === 0);
    await until('every request to be over', () => desk.unsettled === 0);

    expect(desk.leases.length + desk.withdrawn).to.equal(desk.requests.length);
    expect(desk.leases.length).to.be.greaterThan(50);
    expect(desk.leases.every(({ releases }) => releases === 1)).to.equal(true);
    expect(lines.filter(({ event }) => event === 'request.failed')).to.deep.equal([]);
  });
});
