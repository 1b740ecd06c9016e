import { ConnectionBadge } from './connection-badge.tsx';
import './header.css';
import { linkTo } from './route.ts';
import { views, type View } from './views.ts';

/** The name, the menu of views, and how the connection is. */
export function Header({ current }: { readonly current: View }) {
  return (
    <header class="header">
      <a class="brand" href={linkTo('/')}>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M3 2.5v11M8 2.5v11M13 2.5v11M1 5.5h14M1 10.5h14" />
        </svg>
        Corral
      </a>
      <nav aria-label="Views">
        {views.map((view) => (
          <a key={view.path} href={linkTo(view.path)} aria-current={view === current ? 'page' : undefined}>
            {view.title}
          </a>
        ))}
      </nav>
      <ConnectionBadge />
    </header>
  );
}
