/** What becomes of a device by command. */
export type DeviceEvent =
  /** Something else gets it. `refuse`: requests that need it are not to wait for it. */
  { type: 'device.pause'; refuse: boolean } | { type: 'device.resume' };

/** What becomes of those who need a device that is paused; absent where it is not. */
export type DevicePause = 'queueing' | 'refusing';
