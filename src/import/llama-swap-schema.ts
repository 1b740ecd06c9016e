import { z } from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const macros = z.record(z.string(), scalar).nullish();
const names = z.array(scalar).nullish();
const members = z.record(z.string(), z.json());

/** One model of llama-swap's configuration; keys that the importer does not know stay in. */
export const swapModelSchema = z.looseObject({
  cmd: z.string(),
  macros,
  aliases: names,
  env: names,
  proxy: z.string().nullish(),
  checkEndpoint: z.string().nullish(),
  cmdStop: z.string().nullish(),
  useModelName: z.string().nullish(),
  concurrencyLimit: z.number().nullish(),
  unloadTimeout: z.number().nullish(),
  ttl: z.number().nullish(),
  filters: z
    .looseObject({
      stripParams: z.string().nullish(),
      strip_params: z.string().nullish(),
      setParams: members.nullish(),
      setParamsByID: z.record(z.string(), members).nullish(),
    })
    .nullish(),
});

/** llama-swap's configuration, as far as the importer reads it. Models are read one by one, so that one spoils nothing. */
export const swapSchema = z.looseObject({
  models: z.record(z.string(), z.unknown()).nullish(),
  macros,
  globalTTL: z.number().nullish(),
  healthCheckTimeout: z.number().nullish(),
  unloadTimeout: z.number().nullish(),
  logLevel: z.string().nullish(),
  groups: z
    .record(
      z.string(),
      z.looseObject({
        members: names,
        swap: z.boolean().nullish(),
        exclusive: z.boolean().nullish(),
        persistent: z.boolean().nullish(),
      }),
    )
    .nullish(),
  selectors: z
    .record(z.string(), z.looseObject({ strategy: z.string().nullish(), targets: names }))
    .nullish(),
  profiles: z
    .record(
      z.string(),
      z.looseObject({ pins: z.record(z.string(), z.string().nullish()).nullish() }).or(z.array(scalar)),
    )
    .nullish(),
  hooks: z
    .looseObject({
      on_startup: z.looseObject({ preload: names, profile: z.string().nullish() }).nullish(),
    })
    .nullish(),
});

export type SwapModel = z.output<typeof swapModelSchema>;
export type SwapConfig = z.output<typeof swapSchema>;
