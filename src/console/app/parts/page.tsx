import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Link } from 'wouter-preact';

/** Whether somebody went on from the page that the browser opened; the router tells of its moves by these names. */
let hasMoved = false;
for (const move of ['pushState', 'replaceState', 'popstate'])
  addEventListener(move, () => {
    hasMoved = true;
  });

/** One page: its title in the tab, one heading that takes the focus on arrival, the way back. */
export function Page({
  title,
  heading,
  crumbs = [],
  lead,
  actions,
  children,
}: {
  /** Plain words, for the tab. */
  readonly title: string;
  readonly heading?: ComponentChildren;
  readonly crumbs?: readonly { readonly href: string; readonly label: string }[];
  readonly lead?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const h1 = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Gatehouse`;
  }, [title]);
  useEffect(() => {
    // Not at the first page, however late it comes: there the reader begins at the top.
    if (!hasMoved || document.activeElement !== document.body) return;
    h1.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, []);
  return (
    <>
      <div class="head">
        {crumbs.length > 0 && (
          <nav class="eyebrow" aria-label="Where you are">
            {crumbs.map(({ href, label }) => (
              <span key={href}>
                <Link class="crumb" href={href}>
                  {label}
                </Link>{' '}
                <span aria-hidden="true">/</span>
              </span>
            ))}
          </nav>
        )}
        <div class="title">
          <h1 ref={h1} tabIndex={-1}>
            {heading ?? title}
          </h1>
          {actions && <div class="actions">{actions}</div>}
        </div>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {children}
    </>
  );
}
