const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** Bytes for people: `19.8 GiB`, below one GiB `450 MiB`. */
export const formatBytes = (bytes: number): string =>
  Math.abs(bytes) >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`;
