import type { ComponentChildren } from 'preact';

/** Name and value, one under the other on a phone. A fact without a value is left out. */
export function Facts({ children }: { readonly children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { readonly name: string; readonly children?: ComponentChildren }) {
  if (children == null || children === '' || children === false) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
