type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that were left out, so that they override nothing. */
export const given = <T extends object>(value: T): Given<T> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Given<T>;
