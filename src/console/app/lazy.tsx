import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Problem, Waiting } from './parts/states.tsx';

/** A page that is loaded when it is first opened. After a deploy its file may be gone: then the app is loaded anew, once. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return (props: Props) => {
    const [Page, setPage] = useState<{ readonly is: ComponentType<Props> } | Error | undefined>(
      loaded && { is: loaded },
    );
    useEffect(() => {
      if (Page !== undefined) return;
      load().then(
        (page) => {
          loaded = page;
          setPage({ is: page });
        },
        (error) => (reloadOnce() ? undefined : setPage(error instanceof Error ? error : new Error(String(error)))),
      );
    }, []);
    if (Page === undefined) return <Waiting />;
    if (Page instanceof Error) return <Problem error={Page} again={() => location.reload()} />;
    return <Page.is {...props} />;
  };
}

function reloadOnce(): boolean {
  const at = Number(sessionStorage.getItem('gatehouse reloaded') ?? 0);
  if (Date.now() - at < 60_000) return false;
  sessionStorage.setItem('gatehouse reloaded', String(Date.now()));
  location.reload();
  return true;
}
