import { XMLParser } from 'fast-xml-parser';

const MIB = 1024 ** 2;

/** Memory in bytes; null where the driver would not say. */
export interface NvidiaMemory {
  readonly totalBytes: number | null;
  readonly reservedBytes: number | null;
  readonly usedBytes: number | null;
  readonly freeBytes: number | null;
}

/** A process on a GPU. */
export interface NvidiaProcess {
  /** Null when the driver hides it. Inside containers it may be the host's. */
  readonly pid: number | null;
  readonly name: string;
  readonly usedBytes: number | null;
  /** The MIG instance that it runs in; null outside of one. */
  readonly gpuInstanceId: number | null;
}

/** A part of a GPU that is divided (MIG). The report gives it no uuid. */
export interface NvidiaMigDevice {
  readonly index: number;
  readonly gpuInstanceId: number;
  readonly memory: NvidiaMemory;
}

/** One GPU. What the driver would not say is null, an empty text among the names. */
export interface NvidiaGpu {
  /** Position in the report. `minor_number` is something else: the first GPU of a machine may well have minor 1. */
  readonly index: number;
  readonly uuid: string;
  readonly busId: string;
  readonly name: string;
  readonly memory: NvidiaMemory;
  readonly utilizationPercent: number | null;
  readonly temperatureCelsius: number | null;
  readonly powerWatts: number | null;
  readonly migEnabled: boolean;
  readonly migDevices: readonly NvidiaMigDevice[];
  readonly processes: readonly NvidiaProcess[];
}

/** A whole report; the GPUs in its order, which is that of their bus addresses. */
export interface NvidiaSmiReport {
  readonly driverVersion: string;
  readonly cudaVersion: string;
  readonly gpus: readonly NvidiaGpu[];
}

/** Why there is no report; `message` is in nvidia-smi's words where it had any. */
export interface NvidiaSmiFailure {
  readonly kind:
    'no-driver' | 'no-devices' | 'version-mismatch' | 'not-installed' | 'truncated' | 'unreadable';
  readonly message: string;
}

type Node = Readonly<Record<string, unknown>>;

const LISTS = new Set(['gpu', 'mig_device', 'process_info']);
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  isArray: (name) => LISTS.has(name),
});

/** What nvidia-smi prints instead of a report. */
const REFUSALS: readonly [RegExp, NvidiaSmiFailure['kind']][] = [
  [/driver\/library version mismatch/i, 'version-mismatch'],
  [
    /couldn't communicate with the nvidia driver|nvml: driver not loaded|couldn't find libnvidia-ml/i,
    'no-driver',
  ],
  [/no devices were found/i, 'no-devices'],
  [/nvidia-smi(?:'|"|:| is)? .*(?:not found|not recognized)/i, 'not-installed'],
];

/** Exit codes of nvidia-smi (its manual, "Return value"), NVML and shells, for when the words say nothing. */
const EXIT_CODES: Readonly<Record<number, NvidiaSmiFailure['kind']>> = {
  6: 'no-devices',
  9: 'no-driver',
  12: 'no-driver',
  18: 'version-mismatch',
  127: 'not-installed',
};

const OPENING = '<nvidia_smi_log>';
const CLOSING = '</nvidia_smi_log>';

/**
 * Reads the output of `nvidia-smi -q -x`, of drivers 470 to 590 as far as their reports are known. Never throws: what cannot
 * be read is a failure, and a single value that is "N/A" in any of its spellings is null. What was printed decides; the
 * exit code only where the words say nothing, since codes differ between versions and a whole report may come with a warning's.
 */
export function parseNvidiaSmi(
  output: string,
  exitCode: number | null = null,
): { readonly report: NvidiaSmiReport } | { readonly failure: NvidiaSmiFailure } {
  const start = output.indexOf(OPENING);
  if (start < 0) return { failure: refusalOf(output.trim(), exitCode) };
  const end = output.indexOf(CLOSING, start);
  if (end < 0) return { failure: { kind: 'truncated', message: 'the report is cut off' } };
  try {
    return { report: reportOf(output.slice(start, end + CLOSING.length)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { failure: { kind: 'unreadable', message: `the report cannot be read: ${reason}` } };
  }
}

function refusalOf(text: string, exitCode: number | null): NvidiaSmiFailure {
  const message = text.split('\n')[0] ?? '';
  const said = REFUSALS.find(([words]) => words.test(text))?.[1];
  if (said !== undefined) return { kind: said, message };
  if (text.startsWith('<?xml')) return { kind: 'truncated', message: 'the report is cut off' };
  const kind = EXIT_CODES[exitCode ?? 0] ?? 'unreadable';
  const ending = exitCode === null ? '' : `, exit code ${exitCode}`;
  return { kind, message: `${message === '' ? 'nothing was printed' : message.slice(0, 200)}${ending}` };
}

function reportOf(xml: string): NvidiaSmiReport {
  const log = nodeOf(nodeOf(parser.parse(xml))['nvidia_smi_log']);
  return {
    driverVersion: textOf(log['driver_version']),
    cudaVersion: textOf(log['cuda_version']),
    gpus: listOf(log['gpu']).map(gpuOf),
  };
}

function gpuOf(gpu: Node, index: number): NvidiaGpu {
  return {
    index,
    uuid: textOf(gpu['uuid']),
    busId: textOf(gpu['@id']),
    name: textOf(gpu['product_name']),
    memory: memoryOf(gpu['fb_memory_usage']),
    utilizationPercent: numberOf(nodeOf(gpu['utilization'])['gpu_util']),
    temperatureCelsius: numberOf(nodeOf(gpu['temperature'])['gpu_temp']),
    powerWatts: powerOf(gpu),
    migEnabled: textOf(nodeOf(gpu['mig_mode'])['current_mig']) === 'Enabled',
    migDevices: listOf(nodeOf(gpu['mig_devices'])['mig_device']).map((device) => ({
      index: numberOf(device['index']) ?? 0,
      gpuInstanceId: numberOf(device['gpu_instance_id']) ?? 0,
      memory: memoryOf(device['fb_memory_usage']),
    })),
    processes: listOf(nodeOf(gpu['processes'])['process_info']).map((process) => ({
      pid: numberOf(process['pid']),
      name: textOf(process['process_name']),
      usedBytes: bytesOf(process['used_memory']),
      gpuInstanceId: numberOf(process['gpu_instance_id']),
    })),
  };
}

/** It has moved twice: `power_readings`, then `gpu_power_readings` with one value, then with two. */
function powerOf(gpu: Node): number | null {
  const readings = nodeOf(gpu['gpu_power_readings'] ?? gpu['power_readings']);
  for (const name of ['instant_power_draw', 'average_power_draw', 'power_draw']) {
    const watts = numberOf(readings[name]);
    if (watts !== null) return watts;
  }
  return null;
}

function memoryOf(value: unknown): NvidiaMemory {
  const usage = nodeOf(value);
  return {
    totalBytes: bytesOf(usage['total']),
    reservedBytes: bytesOf(usage['reserved']),
    usedBytes: bytesOf(usage['used']),
    freeBytes: bytesOf(usage['free']),
  };
}

const nodeOf = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {});
const listOf = (value: unknown): readonly Node[] => (Array.isArray(value) ? value.map(nodeOf) : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/** The number at the start of `24564 MiB`, `41 C`, `0 %`; null for all the ways of saying that there is none. */
const numberOf = (value: unknown): number | null => {
  const found = /^-?\d+(?:\.\d+)?/.exec(textOf(value));
  return found ? Number(found[0]) : null;
};
const bytesOf = (value: unknown): number | null => {
  const mebibytes = numberOf(value);
  return mebibytes === null ? null : mebibytes * MIB;
};
