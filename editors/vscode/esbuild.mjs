// Bundles the extension for Node and the prompt's script for the web view.
import * as esbuild from 'esbuild';

const watch = process.argv.includes('--watch');

const common = { bundle: true, minify: !watch, sourcemap: watch, logLevel: 'info', legalComments: 'none' };

/** Leaves the language client in its bundle, where `import()` finds it at run time. */
const ownBundle = {
  name: 'own-bundle',
  setup(build) {
    build.onResolve({ filter: /^\.\/server\/client$/ }, () => ({ path: './client.js', external: true }));
  },
};

const bundles = [
  {
    ...common,
    entryPoints: { extension: 'src/extension.ts', client: 'src/server/client.ts' },
    // The language client is most of the code: a bundle of its own, read when
    // a server is started and not when the editor starts.
    external: ['vscode'],
    plugins: [ownBundle],
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    outdir: 'dist',
  },
  {
    ...common,
    entryPoints: { prompt: 'src/webview/prompt.ts', 'prompt-style': 'src/webview/prompt.css' },
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    outdir: 'dist/webview',
  },
];

if (watch) {
  for (const bundle of bundles) {
    const context = await esbuild.context(bundle);
    await context.watch();
  }
} else {
  await Promise.all(bundles.map((bundle) => esbuild.build(bundle)));
}
