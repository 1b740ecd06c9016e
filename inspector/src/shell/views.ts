import type { ComponentType } from 'preact';

/** A view of the page: its place in the address, its name, and where its code comes from when it is first looked at. */
export interface View {
  readonly path: string;
  readonly title: string;
  load(): Promise<ComponentType>;
}

/** All views, in the order of the menu. The first one is shown where the address names none. */
export const views: readonly [View, ...View[]] = [
  {
    path: '/',
    title: 'Overview',
    load: async () => (await import('../views/overview/overview.tsx')).Overview,
  },
  { path: '/charts', title: 'Charts', load: async () => (await import('../views/charts/charts.tsx')).Charts },
  {
    path: '/timeline',
    title: 'Timeline',
    load: async () => (await import('../views/timeline/timeline.tsx')).Timeline,
  },
  {
    path: '/activity',
    title: 'Activity',
    load: async () => (await import('../views/activity/activity.tsx')).Activity,
  },
  {
    path: '/terminal',
    title: 'Terminal',
    load: async () => (await import('../views/terminal/terminal.tsx')).Terminal,
  },
  {
    path: '/playground',
    title: 'Playground',
    load: async () => (await import('../views/playground/playground.tsx')).Playground,
  },
  {
    path: '/simulate',
    title: 'Simulate',
    load: async () => (await import('../views/simulate/simulate.tsx')).Simulate,
  },
];
