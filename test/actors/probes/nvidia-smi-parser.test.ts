import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseNvidiaSmi } from '../../../actors/probes/nvidia-smi-parser.ts';

const MIB = 1024 ** 2;
const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/nvidia-smi/${name}`, import.meta.url), 'utf8');
const reportOf = (name: string) => {
  const parsed = parseNvidiaSmi(fixture(name));
  if ('failure' in parsed) throw new Error(parsed.failure.message);
  return parsed.report;
};

describe('nvidia-smi parser', () => {
  it('reads several GPUs in the order of the report, not of their minor numbers', () => {
    const { gpus, driverVersion } = reportOf('two-gpus.xml');

    expect(driverVersion).to.equal('590.44.01');
    expect(gpus.map(({ index, name }) => [index, name])).to.deep.equal([
      [0, 'Test RTX 24'],
      [1, 'Test RTX 12'],
    ]);
    expect(gpus[0]?.memory).to.deep.equal({
      totalBytes: 24576 * MIB,
      reservedBytes: 400 * MIB,
      usedBytes: 17000 * MIB,
      freeBytes: 7176 * MIB,
    });
    expect(gpus[0]).to.include({ utilizationPercent: 3, temperatureCelsius: 44, powerWatts: 61.5 });
  });

  it('reads processes, with entities in their names', () => {
    expect(reportOf('two-gpus.xml').gpus[0]?.processes).to.deep.equal([
      { pid: 4242, name: '/opt/a & b/llama-server', usedBytes: 16500 * MIB, gpuInstanceId: null },
    ]);
    expect(reportOf('two-gpus.xml').gpus[1]?.processes).to.deep.equal([]);
  });

  it('reads MIG devices', () => {
    const [gpu] = reportOf('mig.xml').gpus;

    expect(gpu?.migEnabled).to.equal(true);
    expect(
      gpu?.migDevices.map(({ gpuInstanceId, memory }) => [gpuInstanceId, memory.freeBytes]),
    ).to.deep.equal([
      [3, 19956 * MIB],
      [4, 19956 * MIB],
    ]);
    expect(gpu?.utilizationPercent).to.equal(null);
  });

  it('finds the power draw where each driver has put it', () => {
    expect(reportOf('old-driver.xml').gpus[0]?.powerWatts).to.equal(33);
    expect(reportOf('mig.xml').gpus[0]?.powerWatts).to.equal(67.03);
  });

  it('takes what is withheld for unknown, never for zero', () => {
    const [gpu] = reportOf('withheld.xml').gpus;

    expect(gpu?.memory.freeBytes).to.equal(null);
    expect(gpu).to.include({ utilizationPercent: null, temperatureCelsius: null, powerWatts: null });
    expect(gpu?.processes).to.deep.equal([
      { pid: null, name: '[Insufficient Permissions]', usedBytes: null, gpuInstanceId: null },
      { pid: 42, name: 'wsl', usedBytes: null, gpuInstanceId: null },
    ]);
    expect(reportOf('processes-withheld.xml').gpus[0]?.processes).to.deep.equal([]);
  });

  for (const [name, kind] of [
    ['no-devices.txt', 'no-devices'],
    ['no-driver.txt', 'no-driver'],
    ['version-mismatch.txt', 'version-mismatch'],
    ['truncated.xml', 'truncated'],
    ['noise.txt', 'unreadable'],
  ] as const)
    it(`says ${kind} of ${name}`, () => {
      const parsed = parseNvidiaSmi(fixture(name));

      expect('failure' in parsed && parsed.failure.kind).to.equal(kind);
    });

  it('goes by the exit code where nothing is said', () => {
    const kindOf = (output: string, exitCode: number): string => {
      const parsed = parseNvidiaSmi(output, exitCode);
      return 'failure' in parsed ? parsed.failure.kind : 'report';
    };

    expect(kindOf('', 9)).to.equal('no-driver');
    expect(kindOf('', 6)).to.equal('no-devices');
    expect(kindOf('', 18)).to.equal('version-mismatch');
    expect(kindOf('sh: 1: nvidia-smi: not found', 127)).to.equal('not-installed');
    expect(kindOf('what is this', 0)).to.equal('unreadable');
  });
});
