import { QueryClientProvider } from '@tanstack/preact-query';
import { render } from 'preact';
import { queries } from './api.ts';
import { App } from './app.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('The shell has no #root.');
render(
  <QueryClientProvider client={queries}>
    <App />
  </QueryClientProvider>,
  root,
);
