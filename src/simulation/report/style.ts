/** The look of a report, in light and in dark. Colours differ in lightness too, for those who see hues otherwise. */
export const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2430; --dim: #66707d; --back: #f1f3f6; --rule: #d5dae1;
  --loading: #f2b134; --ready: #1f7a4d; --idle: #8fcbaa; --expiring: #d9743c; --unloading: #b3402e;
  --recovering: #9a6fb0; --held: #2f6fb2; --reserved: #a9c9ea; --others: #b9bec6; --wait: #c9ced6; --bad: #b3402e; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --ink: #e6eaf0; --dim: #98a2b0; --back: #1c222b;
  --rule: #343c48; --loading: #c98f1f; --ready: #37a06b; --idle: #2d5f47; --expiring: #c26430; --unloading: #d05a47;
  --recovering: #8a63a3; --held: #5b9bdc; --reserved: #2b4a6b; --others: #4a525e; --wait: #454d59; --bad: #e0705d; } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2.5rem 0 .3rem } p { margin: .3rem 0 .8rem }
section { border-top: 1px solid var(--rule) } .dim { color: var(--dim) } .bad { color: var(--bad) }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .15rem 1.2rem .15rem 0; vertical-align: top } th { font-weight: 600; color: var(--dim) }
details summary { cursor: pointer; color: var(--dim) }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; margin: .5rem 0 } svg text { fill: var(--ink) }
svg .dim { fill: var(--dim) } svg .name { font-weight: 600 } svg .inside { fill: var(--paper); pointer-events: none }
svg .on-idle { fill: var(--ink) } svg .on-loading { fill: #1c2430 }
.back { fill: var(--back) } .touch { fill: transparent } .touch:hover { fill: var(--ink); fill-opacity: .08 }
.others { fill: var(--others) } path.reserved { fill: var(--reserved) } .held { fill: var(--held); fill-opacity: .75 }
.limit { stroke: var(--bad); stroke-dasharray: 4 3 } .waiting { fill: var(--dim) } .wait { fill: var(--wait) }
.state.loading, .key.loading { fill: var(--loading); background: var(--loading) }
.state.ready, .key.ready { fill: var(--ready); background: var(--ready) }
.state.idle, .key.idle { fill: var(--idle); background: var(--idle) }
.state.expiring, .key.expiring { fill: var(--expiring); background: var(--expiring) }
.state.unloading, .state.failed, .key.unloading { fill: var(--unloading); background: var(--unloading) }
.state.vram-recovering, .key.vram-recovering { fill: var(--recovering); background: var(--recovering) }
.outcome { fill: var(--ready) } .outcome.lost, .outcome.refused { fill: var(--bad) } .outcome.cancelled { fill: var(--dim) }
.decision { fill: var(--held); stroke: var(--paper) } .decision.evict, .decision.refuse, .decision.failed,
.decision.stuck, .decision.unrecovered { fill: var(--bad) } .decision.load, .decision.claim { fill: var(--loading) }
.key { display: inline-block; width: .9em; height: .9em; margin: 0 .35em 0 1em; vertical-align: -.1em }
`;
