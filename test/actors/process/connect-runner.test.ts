import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { askRunner } from '../../../actors/process/ask-runner.ts';
import { ForeignListener } from '../../../actors/process/connect-runner.ts';
import { SocketFolder } from '../../../actors/process/socket-folder.ts';
import type { Endpoint } from '../../../machines/vocabulary.ts';

const serving = `require('http').createServer((_, answer) => answer.end('theirs'))
  .listen(0, process.argv[1], function () { console.log(this.address().port) })`;

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.family === 'IPv6');

describe('the way to a runner', () => {
  const children: ChildProcess[] = [];
  const servers: Server[] = [];
  afterEach(() => {
    for (const { pid } of children.splice(0)) if (pid) process.kill(-pid, 'SIGKILL');
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** A process group of which a process listens: its leader, or the child of a leader that is a shell. */
  const group = async (host = '127.0.0.1', isWrapped = false): Promise<{ pid: number; port: number }> => {
    const node = [process.execPath, '-e', serving, host];
    const [file = '', ...args] = isWrapped ? ['/bin/sh', '-c', '"$@"; exit', 'sh', ...node] : node;
    const child = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return { pid: child.pid ?? 0, port: Number(line) };
  };
  const ask = (endpoint: Partial<Endpoint>): Promise<string> =>
    askRunner(
      { baseUrl: 'http://127.0.0.1:1', apiKey: 'key', ...endpoint },
      { path: '/', withKey: true, signal: AbortSignal.timeout(8_000) },
      ({ body }) => body.text(),
    );

  for (const [title, host, isWrapped] of [
    ['its leader', '127.0.0.1', false],
    ['a child of its leader', '127.0.0.1', true],
    ['its leader, at all addresses', '0.0.0.0', false],
    ...(hasIpv6 ? [['its leader, at all addresses of IPv6 as well', '::', false] as const] : []),
  ] as const)
    it(`leads to the process group of the runner: ${title}`, async () => {
      const { pid, port } = await group(host, isWrapped);

      expect(await ask({ baseUrl: `http://127.0.0.1:${port}`, groupPid: pid })).to.equal('theirs');
    });

  it('ends before the first byte at a listener of another group', async function () {
    if (process.platform !== 'linux') this.skip();
    const { pid } = await group();
    let bytes = 0;
    const server = createServer((_, answer) => answer.end('stolen')).on('connection', (socket) =>
      socket.on('data', (chunk: Buffer) => (bytes += chunk.length)),
    );
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const error: unknown = await ask({ baseUrl: `http://127.0.0.1:${port}`, groupPid: pid }).catch(
      (reason: unknown) => reason,
    );

    expect(error).to.be.instanceOf(ForeignListener);
    expect(bytes).to.equal(0);
    expect(await ask({ baseUrl: `http://127.0.0.1:${port}` })).to.equal('stolen');
  });

  it('is the socket where there is one, and the port where there is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'corral-test-'));
    const { pid, port } = await group();
    const socketPath = join(folder, 'runner.sock');
    const endpoint = { baseUrl: `http://127.0.0.1:${port}`, groupPid: pid, socketPath };
    expect(await ask(endpoint)).to.equal('theirs');

    const server = createServer((_, answer) => answer.end('by the socket'));
    servers.push(server.listen(socketPath));
    await once(server, 'listening');

    expect(await ask(endpoint)).to.equal('by the socket');
    rmSync(folder, { recursive: true });
  });
});

describe('the folder of sockets', () => {
  it('gives no path that the system would not take, and says so', () => {
    const parent = mkdtempSync(join(tmpdir(), `corral-test-${'x'.repeat(80)}`));
    const notes: string[] = [];
    const sockets = new SocketFolder((note) => notes.push(note), parent);

    expect(sockets.pathFor('/bin/llama-server', 'runner-1')).to.equal(null);
    expect(sockets.pathFor('/bin/llama-server', 'runner-2')).to.equal(null);

    expect(notes).to.have.length(1);
    expect(notes[0]).to.match(/answer at ports, not at Unix sockets: .* is longer than the 103 bytes/);
    rmSync(parent, { recursive: true });
  });

  it('that cannot be made is done without, and said once', () => {
    const notes: string[] = [];
    const sockets = new SocketFolder((note) => notes.push(note), '/nowhere/at/all');

    expect([1, 2].map((n) => sockets.pathFor('/bin/llama-server', `runner-${n}`))).to.deep.equal([
      null,
      null,
    ]);
    expect(notes).to.have.length(1);
  });

  it('of a Corral that was killed is removed by the next one', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'corral-test-'));
    const gone = spawn('true');
    await once(gone, 'exit');
    const left = join(parent, `corral-runners-${gone.pid}-abcdef`);
    mkdirSync(left);
    const sockets = new SocketFolder(() => {}, parent);

    const path = sockets.pathFor('/bin/llama-server', 'runner-1') ?? '';

    expect(path.startsWith(parent)).to.equal(true);
    expect(existsSync(left)).to.equal(false);
    sockets.remove();
    expect(existsSync(join(path, '..'))).to.equal(false);
    rmSync(parent, { recursive: true });
  });
});
