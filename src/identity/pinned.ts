/**
 * Documents of well-known programs as they were published (September 2026), each by its exact address and never by its host:
 * some of their servers answer machines with a page that asks for a person. No request leaves for these.
 */
export const PINNED: ReadonlyMap<string, { readonly name: string; readonly redirects: readonly string[] }> = new Map([
  [
    'https://claude.ai/oauth/mcp-oauth-client-metadata',
    { name: 'Claude', redirects: ['https://claude.ai/api/mcp/auth_callback'] },
  ],
  [
    'https://claude.ai/oauth/claude-code-client-metadata',
    { name: 'Claude Code', redirects: ['http://localhost/callback', 'http://127.0.0.1/callback'] },
  ],
  [
    'https://chatgpt.com/oauth/client.json',
    { name: 'ChatGPT', redirects: ['https://chatgpt.com/connector_platform_oauth_redirect'] },
  ],
  [
    'https://chatgpt.com/oauth/codex/client.json',
    { name: 'Codex', redirects: ['http://127.0.0.1/callback', 'http://localhost/callback'] },
  ],
  [
    'https://vscode.dev/oauth/client-metadata.json',
    { name: 'Visual Studio Code', redirects: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'] },
  ],
]);
