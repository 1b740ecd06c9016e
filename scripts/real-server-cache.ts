import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * RapidOCR's server (Apache-2.0), which reads text in pictures: a real one that has nothing in common with llama-server. Its models (PP-OCRv4,
 * Apache-2.0) come in its wheel, so that it needs no network once it is installed. It is for the tests, and never part of this repository.
 */
export const realServer = {
  title: 'RapidOCR',
  /** What runs it, and what these need on a machine without a screen: not all that they say they need. */
  alone: ['rapidocr-api==0.2.0', 'rapidocr==2.1.0'],
  beside: [
    'numpy==2.4.6',
    'onnxruntime==1.32.0',
    'opencv-python-headless==5.0.0.93',
    'pillow==13.0.0',
    'pyclipper==1.4.0',
    'shapely==2.2.0',
    'omegaconf==2.4.0',
    'PyYAML==6.0.4',
    'six==1.17.0',
    'tqdm==4.70.1',
    'colorlog==6.12.0',
    'requests==2.34.2',
    'fastapi==0.165.0',
    'uvicorn==0.54.0',
    'python-multipart==0.0.34',
  ],
};

/** Where it lies once it is installed: outside the work tree and by what it is made of, so that clones share it. */
export function serverPlace(): string {
  const root = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const { alone, beside } = realServer;
  const mark = createHash('sha256')
    .update(JSON.stringify([alone, beside]))
    .digest('hex')
    .slice(0, 12);
  return join(root, 'corral', 'real-server', mark);
}

/** The folder of Python packages that `npm run real-server` has made; null without it. */
export function findRealServer(): string | null {
  const place = serverPlace();
  return existsSync(place) ? place : null;
}
