/**
 * The look of a timeline. Whoever shows one defines the colours: `--ink`, `--ink-2`, `--paper`, `--sunken`, `--rule`, `--accent`,
 * `--danger`, and a fill for each state.
 */
export const timelineStyle = `
.timeline { font: 11px system-ui, sans-serif; font-variant-numeric: tabular-nums; display: block; --on-fill: #14161a }
@media (prefers-color-scheme: dark) { .timeline { --on-fill: #fff } }
.timeline text { fill: var(--ink) } .timeline .tl-dim { fill: var(--ink-2) } .timeline .tl-name { font-weight: 600 }
.timeline .tl-back { fill: var(--sunken) } .timeline .tl-grid { stroke: var(--rule) }
.timeline .tl-touch { fill: transparent } .timeline .tl-touch:hover { fill: var(--ink); fill-opacity: .07 }
.timeline .tl-others { fill: var(--foreign-fill) } .timeline .tl-reserved { fill: var(--accent); fill-opacity: .35 }
.timeline .tl-held { fill: var(--accent); fill-opacity: .6 } .timeline .tl-limit { stroke: var(--danger); stroke-dasharray: 4 3 }
.timeline .tl-waiting { fill: var(--ink-2); fill-opacity: .7 } .timeline rect.tl-wait { fill: var(--gone-fill) }
.timeline rect.tl-loading { fill: var(--loading-fill) } .timeline rect.tl-ready { fill: var(--ready-fill) }
.timeline rect.tl-idle { fill: var(--idle-fill) } .timeline rect.tl-expiring { fill: var(--expiring-fill) }
.timeline rect.tl-unloading { fill: var(--unloading-fill) } .timeline rect.tl-failed { fill: var(--failed-fill) }
.timeline rect.tl-vram-recovering { fill: var(--vram-recovering-fill) }
.timeline rect.tl-outcome { fill: var(--ready-fill) } .timeline rect.tl-cancelled { fill: var(--idle-fill) }
.timeline rect.tl-lost, .timeline rect.tl-refused { fill: var(--failed-fill) }
.timeline .tl-inside { fill: var(--on-fill); pointer-events: none }
.timeline .tl-decision { fill: var(--accent); stroke: var(--paper) } .timeline .tl-decision.tl-grant { fill: var(--ready-fill) }
.timeline .tl-decision.tl-evict, .timeline .tl-decision.tl-refuse, .timeline .tl-decision.tl-failed, .timeline .tl-decision.tl-stuck,
.timeline .tl-decision.tl-unrecovered { fill: var(--danger) }
.timeline .tl-decision.tl-load, .timeline .tl-decision.tl-claim { fill: var(--loading-fill) }`;
