/** What the importer does with a flag of llama-server. Flags that are not here are carried over as they are. */
export type FlagUse =
  | 'model'
  | 'context'
  | 'parallel'
  | 'layers'
  | 'devices'
  | 'projector'
  | 'adapters'
  | 'embedding'
  | 'remote'
  | 'draft'
  | 'router'
  /** Corral says this itself. */
  | 'implied'
  /** A key or a token, which is not copied from file to file. */
  | 'secret'
  /** Contradicts what Corral plans. */
  | 'planned';

const flags: Readonly<
  Record<FlagUse, { readonly takesValue: boolean; readonly names: readonly string[] }[]>
> = {
  model: [{ takesValue: true, names: ['-m', '--model'] }],
  context: [{ takesValue: true, names: ['-c', '--ctx-size'] }],
  parallel: [{ takesValue: true, names: ['-np', '--parallel'] }],
  layers: [{ takesValue: true, names: ['-ngl', '--gpu-layers', '--n-gpu-layers'] }],
  devices: [{ takesValue: true, names: ['-dev', '--device'] }],
  projector: [{ takesValue: true, names: ['-mm', '--mmproj'] }],
  adapters: [{ takesValue: true, names: ['--lora'] }],
  embedding: [{ takesValue: false, names: ['--embedding', '--embeddings'] }],
  remote: [
    {
      takesValue: true,
      names: ['-hf', '-hfr', '--hf-repo', '-hff', '--hf-file', '-mu', '--model-url', '-dr', '--docker-repo'],
    },
  ],
  draft: [{ takesValue: true, names: ['-md', '--model-draft', '--spec-draft-model'] }],
  router: [{ takesValue: true, names: ['--models-dir', '--models-preset', '--models-max'] }],
  implied: [
    { takesValue: true, names: ['--port', '--host', '-a', '--alias', '--log-colors', '--path'] },
    { takesValue: true, names: ['--api-prefix', '--ssl-key-file', '--ssl-cert-file'] },
    { takesValue: false, names: ['--metrics', '--slots', '--offline', '--reuse-port'] },
  ],
  secret: [{ takesValue: true, names: ['--api-key', '--api-key-file', '-hft', '--hf-token'] }],
  planned: [
    {
      takesValue: true,
      names: ['-sm', '--split-mode', '-ts', '--tensor-split', '-mg', '--main-gpu', '-fit', '--fit'],
    },
    { takesValue: false, names: ['--no-slots'] },
  ],
};

export interface KnownFlag {
  readonly use: FlagUse;
  readonly takesValue: boolean;
}

/** Flags that mean something to the importer, by any of their names. */
export const knownFlags: ReadonlyMap<string, KnownFlag> = new Map(
  (Object.keys(flags) as FlagUse[]).flatMap((use) =>
    flags[use].flatMap(({ takesValue, names }) => names.map((name) => [name, { use, takesValue }] as const)),
  ),
);
