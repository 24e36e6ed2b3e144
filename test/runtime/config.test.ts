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
