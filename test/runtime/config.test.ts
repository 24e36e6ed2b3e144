import { describe, expect, it } from 'vitest';
import { GatehouseError } from '../../src/domain/errors.ts';
import { readConfig } from '../../src/runtime/config.ts';

const refusal = (env: Record<string, string>): GatehouseError => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof GatehouseError) return error;
  }
  throw new Error('it was taken');
};

describe('the environment', () => {
  it('takes exact hosts to trust', () => {
    const { salesforce } = readConfig({ SALESFORCE_EXTRA_HOSTS: ' Sim.example, localhost:4000,[::1]:4000,' });
    expect(salesforce.extraHosts).toEqual(['sim.example', 'localhost:4000', '[::1]:4000']);
  });

  it.each(['*.example.com', 'https://sim.example', 'sim.example/path', 'sim.example, a b', 'user@sim.example', '.'])(
    'refuses %j as a host to trust',
    (hosts) => {
      const error = refusal({ SALESFORCE_EXTRA_HOSTS: hosts });
      expect(error).toMatchObject({ code: 'config_invalid', fields: [{ name: 'SALESFORCE_EXTRA_HOSTS' }] });
      expect(error.next).toContain('exact hosts');
    },
  );

  it('takes exact origins of pages that may call the MCP address [M15]', () => {
    const list = 'https://app.example, http://localhost:6274,chrome-extension://abcdef';
    const { allowedOrigins } = readConfig({ GATEHOUSE_ALLOWED_ORIGINS: list });
    expect(allowedOrigins).toEqual(list.split(',').map((origin) => origin.trim()));
    const bad = ['*', 'null', 'app.example', 'https://app.example/', 'https://*.example', 'https://app.example:443'];
    for (const wrong of [...bad, 'https://App.example', 'https://[', 'https://u@app.example'])
      expect(refusal({ GATEHOUSE_ALLOWED_ORIGINS: wrong }).fields, wrong).toMatchObject([
        { name: 'GATEHOUSE_ALLOWED_ORIGINS' },
      ]);
  });

  it.each([
    'https://u:secret-9@gate.example',
    'https://gate.example/a',
    'https://gate.example?b',
    'https://gate.example#c',
  ])('refuses %s as its own address, which would make broken links and print what it holds', (url) => {
    const error = refusal({ GATEHOUSE_URL: url });
    expect(error).toMatchObject({ code: 'config_invalid', fields: [{ name: 'GATEHOUSE_URL' }] });
    expect(`${error.message} ${error.next}`).not.toContain('secret-9');
    expect(readConfig({ GATEHOUSE_URL: 'https://gate.example/' }).url).toBe('https://gate.example');
  });

  it.each([' ', '0x10', '3e3', '3000 3001'])('reads no number into %j', (port) => {
    expect(refusal({ PORT: port }).fields).toEqual([{ name: 'PORT', problem: 'must be a number' }]);
    expect(readConfig({ PORT: ' 4000 ' }).port).toBe(4000);
  });

  it.each(['~', '~/gatehouse'])('makes no folder called %s: only a shell knows what that is', (folder) => {
    expect(refusal({ GATEHOUSE_DATA: folder }).fields).toEqual([
      { name: 'GATEHOUSE_DATA', problem: 'is written out, without ~' },
    ]);
    expect(readConfig({ GATEHOUSE_DATA: '/tmp/~' }).dataDir).toBe('/tmp/~');
  });

  it('says in words what is wrong with each, all at once, and prints no value', () => {
    const error = refusal({ PORT: 'abc', GATEHOUSE_LOG: 'loud', GATEHOUSE_SECRET: 'short-one' });
    expect(error.fields).toEqual([
      { name: 'GATEHOUSE_SECRET', problem: 'needs at least 16 characters' },
      { name: 'PORT', problem: 'must be a number' },
      { name: 'GATEHOUSE_LOG', problem: 'must be one of debug, info, warn, error, silent' },
    ]);
    expect(`${error.message} ${error.next}`).not.toMatch(/abc|loud|short-one/);
  });
});
