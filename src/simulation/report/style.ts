import { timelineStyle } from '../../timeline/timeline-style.ts';

/** The look of a report, in light and in dark. Colours differ in lightness too, for those who see hues otherwise. */
export const style = `
:root { color-scheme: light dark; --paper: #fbfbfa; --sunken: #f1f1ee; --ink: #1a1c20; --ink-2: #565b65; --rule: #e4e4df;
  --accent: #3454c5; --danger: #b3261e; --loading-fill: #6f9ff0; --ready-fill: #3fb27f; --idle-fill: #b3d3c3;
  --expiring-fill: #e3b44f; --unloading-fill: #e08a55; --vram-recovering-fill: #a98fe6; --failed-fill: #e0685f;
  --gone-fill: #c9c9c4; --foreign-fill: #c5c7cc }
@media (prefers-color-scheme: dark) { :root { --paper: #111215; --sunken: #1d1f24; --ink: #e9e9e6; --ink-2: #a9adb6;
  --rule: #282b31; --accent: #9db2ff; --danger: #ff8f86; --loading-fill: #3f72c9; --ready-fill: #2b8f63; --idle-fill: #3f5a4d;
  --expiring-fill: #a37922; --unloading-fill: #a8592a; --vram-recovering-fill: #6f55ad; --failed-fill: #b0413a;
  --gone-fill: #44474e; --foreign-fill: #4a4d55 } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2.5rem 0 .3rem } p { margin: .3rem 0 .8rem }
section { border-top: 1px solid var(--rule) } .dim { color: var(--ink-2) } .bad { color: var(--danger) }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .15rem 1.2rem .15rem 0; vertical-align: top } th { font-weight: 600; color: var(--ink-2) }
details summary { cursor: pointer; color: var(--ink-2) } svg { margin: .5rem 0 }
.key { display: inline-block; width: .9em; height: .9em; margin: 0 .35em 0 1em; vertical-align: -.1em }
.key:first-child { margin-left: 0 }
${timelineStyle}
`;
