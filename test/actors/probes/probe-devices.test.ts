import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createActor, toPromise } from 'xstate';
import { parseListDevices } from '../../../actors/probes/list-devices.ts';
import { createDeviceProbes, type ProbeOptions } from '../../../actors/probes/probe-devices.ts';
import { readAmd } from '../../../actors/probes/amd.ts';
import { readCpu } from '../../../actors/probes/cpu.ts';
import type { DeviceReading } from '../../../machines/vocabulary.ts';

const MIB = 1024 ** 2;
const fixtures = fileURLToPath(new URL('../../fixtures/nvidia-smi/', import.meta.url));
const LISTED = `Available devices:
  CUDA0: Test RTX 24 (24576 MiB, 24000 MiB free)
  CUDA1: Test RTX 12 (12288 MiB, 12000 MiB free)
`;

describe('device probes', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-probe-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A small program that is really run. */
  const tool = async (name: string, script: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  };
  const prober = (options: ProbeOptions) => {
    const { probeDevices: logic } = createDeviceProbes(options);
    return (deviceIds: readonly string[] | null = null): Promise<readonly DeviceReading[]> =>
      toPromise(createActor(logic, { input: { deviceIds } }).start());
  };
  const gpusOf = (readings: readonly DeviceReading[]) =>
    readings
      .filter(({ id }) => id !== 'CPU')
      .map(({ id, freeBytes }) => [id, freeBytes === null ? null : freeBytes / MIB]);

  it('know GPUs that have no memory of their own, unless they are told otherwise', async () => {
    const llamaServer = await tool(
      'llama-server',
      `cat <<'X'
Available devices:
  CUDA0: NVIDIA GB10 (124610 MiB, 100000 MiB free)
  Vulkan0: Intel(R) UHD Graphics 770 (32000 MiB, 30000 MiB free)
  MTL0: Apple M3 Max (98304 MiB, 98303 MiB free)
  ROCm0: AMD Radeon Graphics (98304 MiB, 98000 MiB free)
  CUDA1: NVIDIA GeForce RTX 4090 (24080 MiB, 23000 MiB free)
X`,
    );
    const sharing = async (options: Partial<ProbeOptions>): Promise<readonly string[]> =>
      (await prober({ llamaServer, nvidiaSmi: '/nonexistent', ...options })())
        .filter(({ sharesMainMemory }) => sharesMainMemory)
        .map(({ id }) => id);

    expect(await sharing({})).to.deep.equal(['CUDA0', 'Vulkan0', 'MTL0']);
    expect(await sharing({ sharesMainMemory: { ROCm0: true, Vulkan0: false } })).to.deep.equal([
      'CUDA0',
      'MTL0',
      'ROCm0',
    ]);
  });

  it('take the devices from the runtime and their free memory from the driver', async () => {
    const llamaServer = await tool('llama-server', `cat <<'X'\n${LISTED}X`);
    const nvidiaSmi = await tool('nvidia-smi', `cat ${fixtures}two-gpus.xml`);
    const probe = prober({ llamaServer, nvidiaSmi });

    const first = await probe();
    const second = await probe();

    for (const readings of [first, second])
      expect(gpusOf(readings)).to.deep.equal([
        ['CUDA0', 7176],
        ['CUDA1', 11887],
      ]);
    expect(gpusOf(await probe(['CUDA1']))).to.deep.equal([['CUDA1', 11887]]);
    expect(first.at(-1)).to.include({ id: 'CPU', kind: 'cpu' });
  });

  it('keep a device whose driver fails, its memory unknown, and tell it once', async () => {
    const notes: string[] = [];
    const llamaServer = await tool('llama-server', `cat <<'X'\n${LISTED}X`);
    const nvidiaSmi = await tool('nvidia-smi', `cat ${fixtures}no-driver.txt; exit 9`);
    const probe = prober({ llamaServer, nvidiaSmi, onNote: (note) => notes.push(note) });

    await probe();
    await probe();
    const third = await probe();

    expect(gpusOf(third)).to.deep.equal([
      ['CUDA0', null],
      ['CUDA1', null],
    ]);
    expect(notes).to.have.length(1);
    expect(notes[0]).to.match(/couldn't communicate with the NVIDIA driver/);
  });

  it('ask the runtime again until it has answered', async () => {
    const llamaServer = await tool('llama-server', `[ -e ${folder}/ok ] && cat <<'X' || exit 1\n${LISTED}X`);
    const probe = prober({ llamaServer, nvidiaSmi: '/nowhere', relistAfterMs: 0 });

    expect(gpusOf(await probe())).to.deep.equal([]);
    await writeFile(join(folder, 'ok'), '');

    expect(gpusOf(await probe())).to.deep.equal([
      ['CUDA0', 24000],
      ['CUDA1', 12000],
    ]);
  });

  it('share one reading among all who ask at the same time', async () => {
    const llamaServer = await tool('llama-server', `echo x >> ${folder}/asked; cat <<'X'\n${LISTED}X`);
    const probe = prober({ llamaServer, nvidiaSmi: '/nowhere' });

    await Promise.all([probe(), probe(), probe()]);

    const { readFile } = await import('node:fs/promises');
    expect(await readFile(join(folder, 'asked'), 'utf8')).to.equal('x\n');
  });

  it('leave out a card that a second backend lists, and say so once', async () => {
    const llamaServer = await tool(
      'llama-server',
      `cat <<'X'
Available devices:
  CUDA0: NVIDIA GeForce RTX 3090 (24576 MiB, 24000 MiB free)
  CUDA1: NVIDIA GeForce RTX 3090 (24576 MiB, 24000 MiB free)
  Vulkan0: NVIDIA GeForce RTX 3090 (24564 MiB, 24000 MiB free)
  Vulkan1: NVIDIA GeForce RTX 3090 (24564 MiB, 24000 MiB free)
  Vulkan2: AMD Radeon RX 7900 XTX (RADV NAVI31) (24560 MiB, 24000 MiB free)
X`,
    );
    const notes: string[] = [];
    const onNote = (note: string): unknown => notes.push(note);
    const probe = prober({ llamaServer, nvidiaSmi: '/nowhere', onNote });

    await probe();
    const readings = await probe();

    expect(readings.map(({ id }) => id)).to.deep.equal(['CUDA0', 'CUDA1', 'Vulkan2', 'CPU']);
    expect(readings[1]?.alsoListedAs).to.deep.equal(['Vulkan1']);
    expect(notes.filter((note) => note.includes('same card'))).to.have.length(2);
    const limits = { CUDA0: 0, CUDA1: 0 };
    const other = await prober({ llamaServer, nvidiaSmi: '/nowhere', limits })();
    expect(other.map(({ id }) => id)).to.include.members(['Vulkan0', 'Vulkan1']);
  });

  it('know only the CPU where there is no llama-server', async () => {
    expect((await prober({ llamaServer: null })()).map(({ id }) => id)).to.deep.equal(['CPU']);
  });

  it('read the list of llama-server through log lines, brackets and parentheses', () => {
    const devices = parseListDevices(
      `ggml_cuda_init: found 1 CUDA devices:\nAvailable devices:\n  CUDA0: NVIDIA (R) X (24576 MiB, 1 MiB free)\n  RPC[10.0.0.1:50052]: RPC (8192 MiB, 8000 MiB free)\n  Vulkan0: Intel(R) UHD Graphics (1024 MiB, 512 MiB free)\n  BLAS: OpenBLAS (0 MiB, 0 MiB free)\n`,
    );

    expect(devices.map(({ id, library, kind }) => [id, library, kind])).to.deep.equal([
      ['CUDA0', 'CUDA', 'discrete'],
      ['RPC[10.0.0.1:50052]', 'RPC', 'discrete'],
      ['Vulkan0', 'Vulkan', 'integrated'],
    ]);
    expect(parseListDevices('Available devices:\n  (none)\n')).to.deep.equal([]);
  });

  it('read AMD cards from the kernel, and no others', async () => {
    for (const [card, vendor] of [
      ['card0', '0x10de'],
      ['card1', '0x1002'],
    ] as const) {
      const device = join(folder, 'class/drm', card, 'device');
      await mkdir(device, { recursive: true });
      await writeFile(join(device, 'vendor'), `${vendor}\n`);
      await writeFile(join(device, 'mem_info_vram_total'), '1000\n');
      await writeFile(join(device, 'mem_info_vram_used'), '300\n');
    }

    expect(await readAmd(folder)).to.deep.equal([
      { name: null, totalBytes: 1000, freeBytes: 700, mainMemoryBytes: 0 },
    ]);
  });

  for (const { what, name, listedMib, ownMib, mainMib, isShared } of [
    {
      what: 'what it may use beside',
      name: 'AMD Radeon 780M',
      listedMib: 15_900,
      ownMib: 512,
      mainMib: 15_800,
      isShared: true,
    },
    {
      what: 'both',
      name: 'AMD Radeon 8060S Graphics',
      listedMib: 64_512,
      ownMib: 512,
      mainMib: 64_000,
      isShared: true,
    },
    {
      what: 'what is set aside',
      name: 'AMD Radeon Graphics',
      listedMib: 98_304,
      ownMib: 98_304,
      mainMib: 15_000,
      isShared: false,
    },
    {
      what: 'a card of its own',
      name: 'AMD Radeon RX 7900 XTX',
      listedMib: 24_560,
      ownMib: 24_560,
      mainMib: 32_000,
      isShared: false,
    },
  ])
    it(`know by the kernel whether ${name} holds main memory: a runtime that lists ${what}`, async () => {
      const device = join(folder, 'class/drm/card0/device');
      await mkdir(device, { recursive: true });
      const files = {
        vendor: '0x1002',
        mem_info_vram_total: ownMib * MIB,
        mem_info_vram_used: 100 * MIB,
        mem_info_gtt_total: mainMib * MIB,
      };
      for (const [file, content] of Object.entries(files))
        await writeFile(join(device, file), `${content}\n`);
      const llamaServer = await tool(
        'llama-server',
        `echo 'Available devices:'; echo '  ROCm0: ${name} (${listedMib} MiB, ${listedMib - 200} MiB free)'`,
      );
      const read = prober({ llamaServer, nvidiaSmi: '/nonexistent', sysRoot: folder });
      await read();
      const [gpu, cpu] = await read();

      expect(gpu?.sharesMainMemory ?? false).to.equal(isShared);
      const freeBytes = isShared ? Math.min(listedMib * MIB, cpu?.freeBytes ?? 0) : (ownMib - 100) * MIB;
      // Main memory is read anew each time.
      expect(gpu?.freeBytes).to.be.closeTo(freeBytes, 256 * MIB);
    });

  it('count a container’s limit, not the machine', async () => {
    await mkdir(join(folder, 'proc'), { recursive: true });
    await mkdir(join(folder, 'sys/fs/cgroup'), { recursive: true });
    await writeFile(join(folder, 'proc/meminfo'), 'MemTotal: 32000000 kB\nMemAvailable: 16000000 kB\n');
    await writeFile(join(folder, 'sys/fs/cgroup/memory.max'), '1000000\n');
    await writeFile(join(folder, 'sys/fs/cgroup/memory.current'), '600000\n');
    await writeFile(
      join(folder, 'sys/fs/cgroup/memory.stat'),
      'anon 1\nfile 150000\nactive_file 60000\ninactive_file 40000\n',
    );

    expect(await readCpu(folder)).to.include({ totalBytes: 1_000_000, freeBytes: 500_000 });
  });

  it('count the tightest limit of the groups around a process', async () => {
    await mkdir(join(folder, 'proc/self'), { recursive: true });
    await mkdir(join(folder, 'sys/fs/cgroup/user.slice/corral'), { recursive: true });
    await writeFile(join(folder, 'proc/meminfo'), 'MemTotal: 32000000 kB\nMemAvailable: 16000000 kB\n');
    await writeFile(join(folder, 'proc/self/cgroup'), '0::/user.slice/corral\n');
    const group = join(folder, 'sys/fs/cgroup/user.slice');
    await writeFile(join(group, 'memory.max'), '2000000\n');
    await writeFile(join(group, 'memory.current'), '1900000\n');
    await writeFile(join(group, 'corral/memory.max'), 'max\n');

    expect(await readCpu(folder)).to.include({ totalBytes: 2_000_000, freeBytes: 100_000 });
  });

  it('tell devices apart by name and size, whatever order the driver has them in', async () => {
    const swapped = LISTED.replaceAll('CUDA0: Test RTX 24', 'CUDA9: Test RTX 24')
      .replaceAll('CUDA1: Test', 'CUDA0: Test')
      .replaceAll('CUDA9', 'CUDA1');
    const llamaServer = await tool('llama-server', `cat <<'X'\n${swapped}X`);
    const nvidiaSmi = await tool('nvidia-smi', `cat ${fixtures}two-gpus.xml`);

    expect(gpusOf(await prober({ llamaServer, nvidiaSmi })())).to.deep.equal([
      ['CUDA1', 7176],
      ['CUDA0', 11887],
    ]);
  });

  it('ask for main memory alone without waking a GPU', async () => {
    const llamaServer = await tool('llama-server', `echo x >> ${folder}/asked; cat <<'X'\n${LISTED}X`);
    const probe = prober({ llamaServer, nvidiaSmi: '/nowhere' });

    const readings = await probe(['CPU']);

    expect(readings.map(({ id }) => id)).to.deep.equal(['CPU']);
    const { existsSync } = await import('node:fs');
    expect(existsSync(join(folder, 'asked'))).to.equal(false);
  });

  it('know what a process holds on which device', async () => {
    const llamaServer = await tool('llama-server', `cat <<'X'\n${LISTED}X`);
    const nvidiaSmi = await tool('nvidia-smi', `cat ${fixtures}two-gpus.xml`);
    const { probeDevices, usedByPid } = createDeviceProbes({ llamaServer, nvidiaSmi });
    await toPromise(createActor(probeDevices, { input: { deviceIds: null } }).start());

    expect(await usedByPid(4242)).to.deep.equal({ CUDA0: 16500 * MIB });
    expect(await usedByPid(1)).to.equal(null);
  });
});
