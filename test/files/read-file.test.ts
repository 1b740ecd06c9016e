import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { OddFileError, openFile, readFileText, readFileTextAsync } from '../../src/files/read-file.ts';

describe('reading a file that somebody has named', () => {
  let folder: string;
  let socket: Server;
  const at = (name: string): string => join(folder, name);
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'corral-files-'));
    writeFileSync(at('text'), 'hello');
    writeFileSync(at('large'), Buffer.alloc(101));
    symlinkSync(at('text'), at('link'));
    execFileSync('mkfifo', [at('pipe')]);
    socket = createServer().listen(at('socket'));
    await new Promise((resolve) => socket.once('listening', resolve));
  });
  after(() => {
    socket.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives its text, also through a link', async () => {
    expect(readFileText(at('text'))).to.equal('hello');
    expect(readFileText(at('link'))).to.equal('hello');
    expect(await readFileTextAsync(at('link'))).to.equal('hello');
  });

  for (const { name, says } of [
    { name: '.', says: 'it is a folder, not a file' },
    { name: 'pipe', says: 'it is a named pipe, not a file' },
    { name: 'socket', says: 'it is a socket, not a file' },
    { name: '/dev/zero', says: 'it is a device, not a file' },
    { name: 'large', says: 'it has 101 bytes or more, too many for what it should hold' },
  ])
    it(`refuses ${name} at once`, async () => {
      const path = name.startsWith('/') ? name : at(name);

      expect(() => readFileText(path, 100)).to.throw(OddFileError, says);
      expect(await readFileTextAsync(path, 100).catch((error: unknown) => error))
        .to.be.instanceOf(OddFileError)
        .with.property('message', says);
      if (name !== 'large')
        expect(await openFile(path).catch((e: unknown) => e)).to.be.instanceOf(OddFileError);
    });

  it('refuses what has no size and does not end', () => {
    // Tells a size of 0, and has a line for each of this process's mappings.
    expect(() => readFileText('/proc/self/smaps', 100)).to.throw(OddFileError, 'bytes or more');
  });
});
