import { kindInWords } from './file-kind.ts';
import { ModelFileError, readModelFile, type ModelFile } from './read-model-file.ts';

/** What reading a model's file has given. */
export type ReadResult = ModelFile | ModelFileError;

/** Reads a model's file, or says what is wrong with it. */
export type ModelReader = (path: string) => Promise<ReadResult>;

/** Each header is read once, however many want to know something of it. */
export function readModelsOnce(): ModelReader {
  const results = new Map<string, Promise<ReadResult>>();
  return (path) => {
    const result = results.get(path) ?? readModelFile(path).catch(asResult);
    results.set(path, result);
    return result;
  };
}

function asResult(error: unknown): ModelFileError {
  if (error instanceof ModelFileError) return error;
  throw error;
}

/** Throws a `ModelFileError` for what could not be read, and for what is another kind of file. */
export function modelOrThrow(read: ReadResult): ModelFile {
  if (read instanceof ModelFileError) throw read;
  if (read.kind === 'model') return read;
  throw new ModelFileError('model_file_invalid', `${read.path} is no model, but ${kindInWords[read.kind]}.`);
}
