import type { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import type { Catalogue } from '../catalogue.ts';
import { modelStatus } from '../management/views.ts';
import type { Row } from './protocol.ts';

/** The configured models, in the order of the configuration. */
export const modelRows = (catalogue: Catalogue, ledger: LedgerReader): Row<'models'>[] =>
  catalogue.entries.map((entry) => ({ id: entry.name, ...modelStatus(entry, ledger) }));
