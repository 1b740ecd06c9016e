import type { DeviceId, DeviceReading } from '../machines/vocabulary.ts';
import type { Config } from './config/schema.ts';

/** Devices that a configuration names and this machine has not, in words: a limit or a place that means nothing here. */
export function unknownDevices(
  { devices, models }: Pick<Config, 'devices' | 'models'>,
  readings: readonly Pick<DeviceReading, 'id' | 'alsoListedAs'>[],
): readonly string[] {
  const known = readings.map(({ id }) => id);
  const namedBy = new Map<DeviceId, string[]>();
  const note = (id: DeviceId, key: string): void => {
    if (!known.includes(id)) namedBy.set(id, [...(namedBy.get(id) ?? []), key]);
  };
  for (const id of Object.keys(devices)) note(id, 'devices');
  for (const [name, model] of Object.entries(models))
    for (const id of model.devices ?? []) note(id, `models.${name}.devices`);
  return [...namedBy].map(
    ([id, keys]) =>
      leftOutAs(id, keys, readings) ??
      `${id} (${keys.join(', ')}) is no device of this machine, which has ${known.join(', ') || 'none that is known'}.`,
  );
}

/** A listing of a card that is known by another name. */
function leftOutAs(
  id: DeviceId,
  keys: readonly string[],
  readings: readonly Pick<DeviceReading, 'id' | 'alsoListedAs'>[],
): string | undefined {
  const same = readings.find(({ alsoListedAs }) => alsoListedAs?.includes(id));
  return same && `${id} (${keys.join(', ')}) is ${same.id}, listed by another backend too, and is left out.`;
}
