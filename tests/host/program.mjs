// A test host as a child process: started with an environment, stopped by SIGTERM, killed with us.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { connect, request, within } from '../examples/websocket.mjs';

const children = new Set();
process.on('exit', () => { for (const child of children) child.kill('SIGKILL'); });

export function launch(program, environment) {
  const child = spawn(program, { env: { PATH: process.env.PATH, PORT: '0', ...passed(), ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  child.log = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk) => { child.log += chunk; });
  child.exited = once(child, 'exit').then((result) => { children.delete(child); return result; });
  return child;
}

// What the host counts of one connection. TLS that ends in the JVM has two of the engine: the socket, which the engine gave away with its
// bytes encrypted, and the one that is served over the byte transport.
export const COUNTED = process.env.TLS_BY === 'jvm' && process.env.TLS_CERT ? 2 : 1;

// What a host is told by our own environment: TLS, of any; the rest, of one on the JVM.
function passed() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => ['JAVA', 'HOST_JAVA_OPTIONS', 'STOCK', 'TLS_BY', 'TLS_CERT', 'TLS_KEY'].includes(name)));
}

// With -Xcheck:jni a JVM tells of natives that break its rules, and goes on.
function complaints(child) {
  return child.log.match(/^.*(WARNING in native|FATAL ERROR in native|WARNING: JNI local refs).*$/m)?.[0];
}

// { child, url, session }: `session` is a connection for requests beside what is tested, over HTTP/2 unless `open` makes another.
export async function start(program, environment = {}, open = connect) {
  const child = launch(program, environment);
  const line = once(createInterface(child.stdout), 'line');
  const ended = child.exited.then(([code]) => { throw new Error(`the host ended with ${code}: ${child.log}`); });
  const [text] = await within(Promise.race([line, ended]), 'the first line of the host');
  assert.match(text, /^listening on https?:\/\/127\.0\.0\.1:[1-9]\d*$/, 'the first line of the host');
  ended.catch(() => {});
  const url = text.replace('listening on ', '');
  return { child, url, session: await open(url) };
}

export async function stop({ child, session }) {
  const closed = session.closed || !session.once ? undefined : once(session, 'close');
  child.kill('SIGTERM');
  const [code, signal] = await within(child.exited, 'the end of the host');
  assert.deepEqual([code, signal], [0, null], `exit code and signal on SIGTERM; output: ${child.log}`);
  await within(closed, 'the end of the connection');
  assert.equal(complaints(child), undefined, 'what the JVM says of our natives');
}

export const get = (host, path, headers) => request(host.session, { ':path': path, ...headers });
export const json = async (host, path) => JSON.parse((await get(host, path)).body.toString());

// The records of `/closed` for a path. They are told on the host's loop after the peer may have seen the end: ask until there is one,
// 1,000 times at most.
export async function closedOf(host, path) {
  for (let i = 0; i < 1000; i++) {
    const found = (await json(host, '/closed')).filter((c) => c.path === path);
    if (found.length > 0) return found;
  }
  throw new Error(`${path} does not turn up in /closed`);
}

// Asks until `met(await ask())`; the deadline only ends what would never come true.
export async function until(what, ask, met, ms = 20_000) {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await ask();
    if (met(found)) return found;
    if (Date.now() > deadline) throw new Error(`${what}: still ${JSON.stringify(found)} after ${ms} ms`);
  }
}

// Runs a table of tests, `{ name: async (host) => .. }`; `wanted` is a RegExp or undefined.
export async function run(host, tests, wanted) {
  for (const [name, test] of Object.entries(tests)) {
    if (wanted && !wanted.test(name)) continue;
    await test(host).catch((error) => { error.message = `${name}: ${error.message}\noutput of the host: ${host.child.log}`; throw error; });
    console.log(`ok  ${name}`);
  }
}
