import { describe, expect, it } from 'vitest';
import { judgeHost, looksLikeSandbox } from '../../src/salesforce/transport/hosts.ts';

const extra = ['127.0.0.1:4000', 'proxy.corp.example', 'remote.example:8080'];

describe('hosts that may see a secret', () => {
  it.each([
    ['https://login.salesforce.com', 'https://login.salesforce.com'],
    ['https://test.salesforce.com/', 'https://test.salesforce.com'],
    ['acme.my.salesforce.com', 'https://acme.my.salesforce.com'],
    ['https://acme--uat.sandbox.my.salesforce.com', 'https://acme--uat.sandbox.my.salesforce.com'],
    ['HTTPS://Acme.My.Salesforce.com', 'https://acme.my.salesforce.com'],
    ['https://acme.my.salesforce.mil', 'https://acme.my.salesforce.mil'],
    ['https://na1.force.com/path', 'https://na1.force.com'],
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000'],
    ['https://proxy.corp.example', 'https://proxy.corp.example'],
  ])('takes %s [O2] [O8]', (input, origin) => {
    expect(judgeHost(input, extra)).toEqual({ origin });
  });

  it.each([
    'http://login.salesforce.com',
    'https://salesforce.com.evil.example',
    'https://evilsalesforce.com',
    'https://salesforce.com',
    'https://login.salesforce.com.',
    'https://login.salesforce.com:8443',
    'https://login.salesforce.com@evil.example',
    'https://user:pw@login.salesforce.com',
    'https://evil.example\\.salesforce.com',
    'https://evil.example#.salesforce.com',
    'https://evil.example?.salesforce.com',
    'https://evil.example%2f.salesforce.com',
    'https://login.s\u0430lesforce.com',
    'https://login.salesforce\u3002com',
    'https://login.salesf\torce.com',
    'https://evil.example/.salesforce.com',
    'ftp://login.salesforce.com',
    'javascript:alert(1)//.salesforce.com',
    'https://127.0.0.1:4000.evil.example',
    'http://127.0.0.1:4001',
    'http://127.0.0.1',
    'http://remote.example:8080',
    'https://sub.proxy.corp.example',
    'https://proxy.corp.example:444',
    'https://169.254.169.254',
    'sim:',
    '',
    `https://${'a'.repeat(300)}.salesforce.com`,
  ])('refuses %j [O8]', (input) => {
    expect(judgeHost(input, extra)).toHaveProperty('problem');
  });

  it('names the sign-in address behind a Lightning page [O2]', () => {
    expect(judgeHost('https://acme.lightning.force.com', [])).toMatchObject({
      next: expect.stringContaining('https://acme.my.salesforce.com'),
    });
  });

  it('knows a sandbox by its name where the org cannot be asked [O2]', () => {
    expect(looksLikeSandbox('https://test.salesforce.com')).toBe(true);
    expect(looksLikeSandbox('https://acme--uat.sandbox.my.salesforce.com')).toBe(true);
    expect(looksLikeSandbox('https://acme--uat.my.salesforce.com')).toBe(true);
    expect(looksLikeSandbox('https://acme.my.salesforce.com')).toBe(false);
  });
});
