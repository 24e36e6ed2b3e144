import type { App } from '../app/app.ts';
import { firstAdmin } from './commands/sign-in.ts';

/**
 * The console for a process that serves something else: what links lead to while no server of this installation runs. On a
 * free port of this machine alone, opened by the first link that is told.
 */
export interface OwnPage {
  /** False when it cannot be opened. */
  open(): Promise<boolean>;
  close(): Promise<void>;
}

export function createOwnPage(app: App): OwnPage {
  let opened: Promise<() => Promise<void>> | undefined;

  const listenNow = async () => {
    const { listen } = await import('../http/server.ts');
    await firstAdmin(app);
    const server = await listen(app, { host: '127.0.0.1', port: 0 });
    const forget = await app.serverAddress.publish(server.url, 'page');
    return async () => {
      await forget();
      await server.close();
    };
  };

  return {
    async open() {
      if (app.serverAddress.isOpen()) return true;
      try {
        opened ??= listenNow();
        await opened;
        return app.serverAddress.isOpen();
      } catch (error) {
        // The next link tries again.
        opened = undefined;
        app.log.warn('the approval page was not opened', { error: String(error) });
        return false;
      }
    },
    async close() {
      const close = await opened?.catch(() => undefined);
      await close?.();
    },
  };
}
