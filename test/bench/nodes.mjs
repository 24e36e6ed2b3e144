// `npm run nodes`: the tests of store and gate on each line of Node that we say we run on, the oldest first. npm brings the binaries to a
// folder that is gone afterwards; nothing is installed. Versions or paths of tests may be named: `npm run nodes -- 22 test/store`.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const LINES = ['20.19', '22', '24'];
const asked = process.argv.slice(2);
const isLine = (word) => /^[\d.]+$/.test(word);
const lines = asked.some(isLine) ? asked.filter(isLine) : LINES;
const named = asked.filter((word) => !isLine(word));
const tests = named.length > 0 ? named : ['test/store', 'test/gate'];

const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-nodes-'));
const report = path.join(folder, 'report.json');
try {
  const met = [];
  for (const line of lines) met.push(await testOn(await fetched(line)));
  for (const { version, passed, failed, skipped } of met)
    console.log(`Node ${version}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = met.every(({ isWell }) => isWell) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The folder of the newest program of this line. */
async function fetched(line) {
  const name = `node-${process.platform}-${process.arch}`;
  const at = path.join(folder, line);
  const wish = ['install', '--prefix', at, '--no-audit', '--no-fund', '--ignore-scripts', `${name}@~${line}`];
  await promisify(execFile)('npm', wish, { cwd: folder });
  return path.join(at, 'node_modules', name, 'bin');
}

async function testOn(bin) {
  const node = path.join(bin, 'node');
  const { stdout } = await promisify(execFile)(node, ['--version']);
  const projects = ['world', 'postgres', 'process'].flatMap((project) => ['--project', project]);
  const reporters = ['--reporter', 'default', '--reporter', 'json', '--outputFile.json', report];
  const run = spawn(node, ['node_modules/vitest/vitest.mjs', 'run', ...projects, ...reporters, ...tests], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` },
  });
  const code = await new Promise((resolve) => run.once('close', resolve));
  const {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
  } = JSON.parse(await readFile(report, 'utf8'));
  await rm(report);
  return { version: stdout.trim().slice(1), passed, failed, skipped, isWell: code === 0 };
}
