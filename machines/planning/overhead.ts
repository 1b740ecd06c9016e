import type { ModelSpec } from '../vocabulary.ts';
import type { DeviceView, View } from './view.ts';

/** A measured or configured need already holds the runtime's own memory. */
export const overheadOn = (spec: ModelSpec, device: DeviceView, view: View): number =>
  isExpected(spec) && device.kind !== 'cpu' ? view.settings.gpuOverheadBytes : 0;

const isExpected = ({ needSource }: ModelSpec): boolean =>
  needSource === 'predicted' || needSource === 'fit-params';
