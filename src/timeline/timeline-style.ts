/**
 * The look of a timeline. Whoever shows one defines the colours: `--ink`, `--ink-2`, `--paper`, `--sunken`, `--rule`, `--accent`,
 * `--danger`, and a fill for each state.
 */
export const timelineStyle = `
.timeline { font: 11px system-ui, sans-serif; font-variant-numeric: tabular-nums; display: block; --on-fill: #14161a }
@media (prefers-color-scheme: dark) { .timeline { --on-fill: #fff } }
.timeline text { fill: var(--ink) } .timeline .dim { fill: var(--ink-2) } .timeline .name { font-weight: 600 }
.timeline .back { fill: var(--sunken) } .timeline .grid { stroke: var(--rule) }
.timeline .touch { fill: transparent } .timeline .touch:hover { fill: var(--ink); fill-opacity: .07 }
.timeline .others { fill: var(--foreign-fill) } .timeline .reserved { fill: var(--accent); fill-opacity: .35 }
.timeline .held { fill: var(--accent); fill-opacity: .6 } .timeline .limit { stroke: var(--danger); stroke-dasharray: 4 3 }
.timeline .waiting { fill: var(--ink-2); fill-opacity: .7 } .timeline rect.wait { fill: var(--gone-fill) }
.timeline rect.loading { fill: var(--loading-fill) } .timeline rect.ready { fill: var(--ready-fill) }
.timeline rect.idle { fill: var(--idle-fill) } .timeline rect.expiring { fill: var(--expiring-fill) }
.timeline rect.unloading { fill: var(--unloading-fill) } .timeline rect.failed { fill: var(--failed-fill) }
.timeline rect.vram-recovering { fill: var(--vram-recovering-fill) }
.timeline rect.outcome { fill: var(--ready-fill) } .timeline rect.cancelled { fill: var(--idle-fill) }
.timeline rect.lost, .timeline rect.refused { fill: var(--failed-fill) }
.timeline .inside { fill: var(--on-fill); pointer-events: none }
.timeline .decision { fill: var(--accent); stroke: var(--paper) } .timeline .decision.grant { fill: var(--ready-fill) }
.timeline .decision.evict, .timeline .decision.refuse, .timeline .decision.failed, .timeline .decision.stuck,
.timeline .decision.unrecovered { fill: var(--danger) }
.timeline .decision.load, .timeline .decision.claim { fill: var(--loading-fill) }`;
