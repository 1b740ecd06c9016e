import { expect } from 'chai';
import { progressOf } from '../../../actors/process/load-progress.ts';
import { RunnerLogs } from '../../../actors/process/runner-logs.ts';
import { serverArguments } from '../../../actors/process/server-arguments.ts';
import type { ProcessSpec } from '../../../machines/effects.ts';
import { aModel } from '../../support/pool.ts';

describe('runner logs', () => {
  it('are plain lines, however the terminal cuts and colours them', () => {
    const logs = new RunnerLogs();

    logs.append('runner-1', 'one\r\ntw');
    logs.append('runner-1', 'o\r\r\n\u001b[32mthree\u001b[0m\r\nloading 1 %\rloading 99 %\r\nrest');
    logs.end('runner-1');

    expect(logs.tail('runner-1')).to.deep.equal(['one', 'two', 'three', 'loading 99 %', 'rest']);
  });

  it('are bounded in lines, in width and in runners that have ended', () => {
    const logs = new RunnerLogs();
    for (let i = 0; i < 3_000; i++) logs.append('runner-1', `${'x'.repeat(5_000)}${i}\n`);
    expect(logs.tail('runner-1')).to.have.length(500);
    expect(logs.tail('runner-1', 1)[0]).to.have.length(4_096);

    for (let i = 2; i <= 100; i++) {
      logs.begin(`runner-${i}`, () => {});
      logs.append(`runner-${i}`, 'line\n');
      logs.end(`runner-${i}`);
    }
    expect(logs.tail('runner-1')).to.deep.equal([]);
    const kept = Array.from({ length: 100 }, (_, i) => `runner-${i + 1}`).filter(
      (id) => logs.tail(id).length > 0,
    );
    expect(kept).to.have.length(50);
    expect(kept[0]).to.equal('runner-51');
  });

  it('stay as long as their runners, however many others come and go', () => {
    const logs = new RunnerLogs();
    const heard: string[] = [];
    for (const id of ['old', 'older']) {
      logs.begin(id, () => {});
      logs.append(id, 'it began\n');
    }
    logs.subscribe('old', (line) => heard.push(line));

    for (let i = 1; i <= 100; i++) {
      logs.append(`runner-${i}`, 'it came to nothing\n');
      if (i === 60) logs.end('older');
    }
    logs.append('old', 'it goes on\n');

    expect(logs.tail('old')).to.deep.equal(['it began', 'it goes on']);
    expect(logs.terminal('old')).to.equal('it began\nit goes on\n');
    expect(heard).to.deep.equal(['it goes on']);
    expect(logs.tail('older'), 'of those that have ended it is the 11th').to.deep.equal(['it began']);
  });

  it('are heard until the listener leaves', () => {
    const logs = new RunnerLogs();
    const heard: string[] = [];
    const leave = logs.subscribe('runner-1', (line) => heard.push(line));

    logs.append('runner-1', 'a\n');
    leave();
    logs.append('runner-1', 'b\n');

    expect(heard).to.deep.equal(['a']);
  });
});

describe('load progress', () => {
  for (const [line, progress] of [
    ['..........', 0.1],
    [`${'.'.repeat(100)}`, 1],
    ['load_tensors: loading 45.5 %', 0.455],
    ['llama_model_loader: loaded meta data', null],
  ] as const)
    it(`of ${JSON.stringify(line.slice(0, 30))} is ${progress}`, () =>
      expect(progressOf([line])).to.equal(progress));
});

describe('server arguments', () => {
  const spec = (over: Partial<ProcessSpec>): ProcessSpec => {
    const { launch } = aModel('qwen', 8);
    return { runnerId: 'runner-1', modelName: 'qwen', launch, reservation: { CUDA0: 8 }, ...over };
  };
  const after = (args: readonly string[], flag: string): string | undefined => args[args.indexOf(flag) + 1];

  it('have the file read instead of mapped where that was chosen, unless the model says otherwise', () => {
    const { launch } = aModel('qwen', 8);

    expect(serverArguments(spec({}), 4000)).to.not.include('--no-mmap');
    expect(serverArguments(spec({ launch: { ...launch, readsFile: true } }), 4000)).to.include('--no-mmap');
    const own = serverArguments(
      spec({ launch: { ...launch, readsFile: true, extraArgs: ['--mmap'] } }),
      4000,
    );
    expect(own.indexOf('--mmap')).to.be.greaterThan(own.indexOf('--no-mmap'));
  });

  it('give a model just the device that was reserved for it', () => {
    const args = serverArguments(spec({ reservation: { CUDA1: 8 } }), 4000);

    expect(after(args, '--device')).to.equal('CUDA1');
    expect(after(args, '--split-mode')).to.equal('none');
  });

  it('split a model as its memory was reserved', () => {
    const args = serverArguments(spec({ reservation: { CUDA0: 30, CUDA1: 10 } }), 4000);

    expect(after(args, '--device')).to.equal('CUDA0,CUDA1');
    expect(after(args, '--tensor-split')).to.equal('0.750,0.250');
  });

  it('keep a model off the GPUs when its place is the CPU', () => {
    const args = serverArguments(spec({ reservation: { CPU: 8 } }), 4000);

    expect(after(args, '--device')).to.equal('none');
    expect(after(args, '-ngl')).to.equal('0');
  });

  it('give every slot the whole context, and let the user’s arguments win', () => {
    const launch = { ...aModel('qwen', 8).launch, contextTokens: 1000, slots: 4, extraArgs: ['-c', '9'] };
    const args = serverArguments(spec({ launch }), 4000);

    expect(after(args, '-c')).to.equal('4000');
    expect(args.slice(-2)).to.deep.equal(['-c', '9']);
  });
});
