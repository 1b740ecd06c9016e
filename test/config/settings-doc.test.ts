import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { withSettingsTable } from '../../scripts/settings-table.ts';
import { settings } from '../../src/config/settings.ts';

describe('the documentation of the settings', () => {
  it('is what the schema says', () => {
    const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

    expect(page, 'docs/configuration.md is out of date: run npm run docs:config').to.equal(
      withSettingsTable(page),
    );
  });

  it('describes every setting', () => {
    const undescribed = settings().filter(({ description }) => description === '');

    expect(undescribed.map(({ path }) => path.join('.'))).to.deep.equal([]);
  });
});
