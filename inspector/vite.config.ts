import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** A running Corral, for `npm run page:dev`. */
const CORRAL = process.env['CORRAL_URL'] ?? 'http://127.0.0.1:8686';

export default defineConfig({
  root: path('.'),
  // Behind a proxy the page may stand below some path.
  base: './',
  resolve: {
    alias: {
      'corral/client': path('../src/client/client.ts'),
      'corral/simulation': path('../src/simulation/simulate.ts'),
      'corral/timeline': path('../src/timeline/timeline.ts'),
    },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: path('../dist/page'),
    emptyOutDir: true,
    target: 'es2023',
    // The page's policy allows no `data:` but for images.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
    chunkSizeWarningLimit: 2_000,
  },
  server: {
    proxy: {
      // The other origin would be refused.
      '/api': { target: CORRAL, ws: true, headers: { origin: CORRAL } },
      '/v1': { target: CORRAL, headers: { origin: CORRAL } },
    },
  },
});
