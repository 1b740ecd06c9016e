import { expect } from 'chai';
import { compareNeed } from '../../scripts/needs/measure-need.ts';
import { errorOf } from '../../scripts/needs/needs-table.ts';
import { optionSets } from '../../scripts/needs/option-sets.ts';
import { realLlamaServer } from '../support/corral.ts';
import { withRealModels } from '../support/real-models.ts';

const MIB = 1024 ** 2;
/** How far a figure may be from what was measured, above and below. */
const TOLERANCE = 0.1;

// docs/models.md says what is compared, and has more option sets than these.
withRealModels('what real models need on the real llama-server', 'llama-server', () => {
  for (const set of optionSets.filter(({ isLong }) => !isLong))
    it(`is as predicted within a tenth, both ways: ${set.model}, ${set.says}`, async function () {
      this.timeout(180_000);

      const need = await compareNeed(set, realLlamaServer ?? '');

      const { predictedBytes, correctedBytes, measuredBytes } = need;
      const said = `${Math.round(predictedBytes / MIB)} predicted, ${Math.round(measuredBytes / MIB)} measured`;
      expect(errorOf(predictedBytes, need), said).to.be.within(-TOLERANCE, TOLERANCE);
      if (correctedBytes !== null)
        expect(errorOf(correctedBytes, need), 'as llama-fit-params says').to.be.within(-TOLERANCE, TOLERANCE);
    });
});
