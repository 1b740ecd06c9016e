import { ConfigError } from '../../../src/config/config-error.ts';
import { parseConfig } from '../../../src/config/load-config.ts';

/** What is told of a configuration: a line for each mistake in it. */
export const problemsOf = (text: string): string[] => {
  try {
    parseConfig(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').filter((line) => line.startsWith('corral.yaml'));
  }
};
