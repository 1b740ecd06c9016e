import { z } from 'zod';
import type { DeviceId } from '../../../machines/vocabulary.ts';
import { ledgerOf } from '../../ledger-of.ts';
import { devicesOf } from '../../status.ts';
import { accepted, ok, operation, type Operation } from '../operation.ts';
import { settingsOf, type ManagementParts } from '../parts.ts';
import { ProblemError } from '../problem.ts';
import { deviceListSchema, type DeviceStatus } from '../schemas.ts';
import { forceSchema, secondsSchema } from './ending.ts';

const devices = z
  .array(z.string())
  .min(1)
  .optional()
  .describe('Which: CUDA0, CPU. Default: all GPUs; where there are none, CPU.');

/** Devices are given to something else, a render or a game, and taken back. */
export const deviceOperations = (parts: ManagementParts): readonly Operation[] => [
  operation({
    method: 'POST',
    path: '/devices/pause',
    id: 'pauseDevices',
    tag: 'Service',
    summary:
      'Gives devices to something else: runners on them finish and go, pinned ones too, and none is started there',
    body: z.strictObject({
      devices,
      refuse: z
        .boolean()
        .default(false)
        .describe('Requests that need them are refused (503, `paused`). Default: they wait.'),
      drainSeconds: secondsSchema.optional(),
      force: forceSchema,
    }),
    answer: deviceListSchema,
    statuses: { 202: 'They are paused; their runners are told to go.' },
    problems: [404, 409],
    handle: ({ body }) => {
      const deviceIds = idsOf(parts, body.devices);
      const { plan } = settingsOf(parts);
      const drainMs = body.drainSeconds === undefined ? plan.drainMs : body.drainSeconds * 1000;
      const { refuse, force } = body;
      parts.scheduler.send({ type: 'devices.pause', deviceIds, refuse, drainMs: force ? 0 : drainMs });
      return accepted({ devices: statusOf(parts, deviceIds) });
    },
  }),
  operation({
    method: 'POST',
    path: '/devices/resume',
    id: 'resumeDevices',
    tag: 'Service',
    summary: 'Takes devices back that were paused: what waits, is pinned or is preloaded is loaded again',
    body: z.strictObject({ devices: devices.describe('Which. Default: all that are paused.') }),
    answer: deviceListSchema,
    statuses: { 200: 'Corral uses them again.' },
    problems: [404, 409],
    handle: ({ body }) => {
      const paused = devicesOf(ledgerOf(parts.scheduler)).filter(({ pause }) => pause !== null);
      const deviceIds = body.devices ? idsOf(parts, body.devices) : paused.map(({ id }) => id);
      parts.scheduler.send({ type: 'devices.resume', deviceIds });
      return ok({ devices: statusOf(parts, deviceIds) });
    },
  }),
];

/** Of the devices that are meant; 404 for one that is not there, 409 as long as none is known. */
function idsOf({ scheduler }: ManagementParts, wanted: readonly DeviceId[] | undefined): readonly DeviceId[] {
  const all = devicesOf(ledgerOf(scheduler));
  if (all.length === 0)
    throw new ProblemError(409, 'devices_unknown', 'The devices are not known yet. Try again in a moment.');
  const unknown = wanted?.find((id) => !all.some((device) => device.id === id));
  if (unknown !== undefined)
    throw new ProblemError(
      404,
      'device_not_found',
      `There is no device ${unknown}; there are ${all.map(({ id }) => id).join(', ')}.`,
    );
  const gpus = all.filter(({ kind }) => kind !== 'cpu');
  return wanted ?? (gpus.length > 0 ? gpus : all).map(({ id }) => id);
}

const statusOf = ({ scheduler }: ManagementParts, ids: readonly DeviceId[]): DeviceStatus[] =>
  devicesOf(ledgerOf(scheduler)).filter(({ id }) => ids.includes(id));
