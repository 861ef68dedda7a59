// The close matrix of docs/close.md over HTTP/1.1, from outside, against any test host. There the connection is the socket's own: FIN
// stands for END_STREAM, RST for RST_STREAM.
//
//   close_http1.mjs PATH/OF/host [NAME]     TLS_CERT and TLS_KEY: files; then over TLS, which ends where TLS_BY says (jvm: HOST is build/host-java)
import assert from 'node:assert/strict';
import { TEXT, frame, within } from '../examples/websocket.mjs';
import { bare, closing, theirs } from './close_frames.mjs';
import { connected, dial } from './dial.mjs';
import { closedOf, run, start, stop } from './program.mjs';

const program = process.argv[2];
const only = process.argv[3] && new RegExp(process.argv[3]);
const WHY = /./;
const text = (data) => frame(TEXT, Buffer.from(data), true);
const record = (code, reason, cause, h2_code, side) => ({ code, reason, cause, h2_code, side });

// A WebSocket by HTTP/1.1's Upgrade: `take(n)` has the next bytes behind the response's head, `ended` says how the peer ends: 'fin', 'rst'.
class Upgraded {
  #input = Buffer.alloc(0);
  #wake = () => {};

  static async open(url, path) {
    const dialled = dial(url, 'http/1.1');
    const client = new Upgraded(dialled);
    await connected(dialled);
    client.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`
      + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await client.#until('the head of the response', () => client.#input.includes('\r\n\r\n'));
    const end = client.#input.indexOf('\r\n\r\n') + 4;
    const head = (await client.take(end)).toString('latin1');
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.match(head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
    return client;
  }

  constructor({ socket, tcp }) {
    this.socket = socket;
    this.tcp = tcp;
    socket.on('data', (chunk) => { this.#input = Buffer.concat([this.#input, chunk]); this.#wake(); });
    this.ended = new Promise((resolve) => {
      socket.on('end', () => resolve('fin'));
      socket.on('error', (error) => resolve(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'rst' : error.message));
    }).then((how) => { this.over = how; this.#wake(); return how; });
  }

  async #until(what, met) {
    const forever = (async () => { while (!met() && !this.over) await new Promise((resolve) => { this.#wake = resolve; }); })();
    await within(forever, what);
    assert.ok(met(), `${what}, before the connection ended with ${this.over}`);
  }

  async take(n) {
    await this.#until(`${n} bytes`, () => this.#input.length >= n);
    const taken = this.#input.subarray(0, n);
    this.#input = this.#input.subarray(n);
    return taken;
  }

  // The next bytes are these.
  async expect(bytes) {
    assert.equal((await this.take(bytes.length)).toString('hex'), bytes.toString('hex'), 'the bytes');
  }

  send(...parts) { this.socket.write(Buffer.concat(parts)); }
  fin() { this.socket.end(); }
  cut() { this.tcp.resetAndDestroy(); }

  // The peer ends so, and has sent nothing more.
  async ends(how) {
    assert.equal(await within(this.ended, 'the end of the connection'), how);
    assert.equal(this.#input.length, 0, 'nothing more');
  }
}

let cases = 0;
const ends = (route, peer, as) => async (host) => {
  const path = `${route}?case=${++cases}`;
  const client = await Upgraded.open(host.url, path);
  await peer(client);
  const records = await closedOf(host, path);
  assert.equal(records.length, 1, 'one record');
  for (const [name, value] of Object.entries(as)) {
    if (value instanceof RegExp) assert.match(records[0][name], value);
    else assert.equal(records[0][name], value, `${name} of ${JSON.stringify(records[0])}`);
  }
  client.socket.destroy();
};

const violates = (wrong, code) => ends('/echo', async (c) => {
  c.send(wrong);
  const head = await c.take(4);
  assert.equal(head.readUInt16BE(2), code, 'the code of the Close');
  await c.take(head[1] - 2);
  c.send(closing(code));
  await c.ends('fin');
}, record(code, WHY, 'violation', 0, 'local'));

const tests = {
  'client: Close': ends('/echo', async (c) => {
    c.send(closing(4001, 'bye'));
    await c.expect(theirs(4001));
    await c.ends('fin');
    c.fin();
  }, record(4001, 'bye', 'close_frame', 0, 'remote')),
  'client: Close without a code': ends('/echo', async (c) => {
    c.send(closing());
    await c.expect(theirs());
    await c.ends('fin');
    c.fin();
  }, record(1005, '', 'close_frame', 0, 'remote')),
  'client: a message, Close and FIN': ends('/echo', async (c) => {
    c.send(text('last'), closing(1000));
    c.fin();
    await c.expect(Buffer.concat([bare(TEXT, Buffer.from('last')), theirs(1000)]));
    await c.ends('fin');
  }, record(1000, '', 'close_frame', 0, 'remote')),
  'client: FIN without Close': ends('/echo', async (c) => {
    c.send(text('last'));
    c.fin();
    await c.expect(bare(TEXT, Buffer.from('last')));
    await c.ends('fin');
  }, record(1006, '', 'end_stream', 0, 'remote')),
  'client: FIN inside a message': ends('/echo', async (c) => {
    c.send(text('cut off').subarray(0, 8));
    c.fin();
    await c.ends('fin');
  }, record(1006, '', 'end_stream', 0, 'remote')),
  'client: RST': ends('/echo', async (c) => { c.cut(); }, record(1006, '', 'disconnected', 0, 'remote')),
  'client: a frame without a mask': violates(bare(TEXT, Buffer.from('bare')), 1002),
  'client: text that is no UTF-8': violates(frame(TEXT, Buffer.from([0xc3, 0x28]), true), 1007),
  'server: Close': ends('/close/1001', async (c) => {
    await c.expect(theirs(1001, 'bye'));
    c.send(closing(1001));
    await c.ends('fin');
    c.fin();
  }, record(1001, '', 'close_frame', 0, 'local')),
  'server: Close without a code, answered with another': ends('/close/0', async (c) => {
    await c.expect(theirs());
    c.send(closing(4000, 'mine'));
    await c.ends('fin');
    c.fin();
  }, record(4000, 'mine', 'close_frame', 0, 'local')),
  'server: Close, answered by FIN alone': ends('/close/1000', async (c) => {
    await c.expect(theirs(1000, 'bye'));
    c.fin();
    await c.ends('fin');
  }, record(1006, '', 'end_stream', 0, 'remote')),
  'server: Close without an answer': ends('/close/1000', async (c) => {
    await c.expect(theirs(1000, 'bye'));
    await c.ends('rst');
  }, record(1006, WHY, 'timeout', 0, 'local')),
  'server: Close, answered, and the peer stays': ends('/close/1000', async (c) => {
    await c.expect(theirs(1000, 'bye'));
    c.send(closing(1000));
    await c.ends('fin');
  }, record(1000, '', 'close_frame', 0, 'local')),
  'server: RST': async (host) => {
    // it may overtake the 101
    const path = `/abort?case=${++cases}`;
    const client = await Upgraded.open(host.url, path).catch(() => undefined);
    // and over TLS it often comes with bytes of the handshake, and is an end to Node then
    if (client) await (client.socket === client.tcp ? client.ends('rst') : within(client.ended, 'the end of the connection'));
    const [{ code, cause, h2_code, side }] = await closedOf(host, path);
    assert.deepEqual([code, cause, h2_code, side], [1006, 'reset', 8, 'local']);
  },
};

const host = await start(program, { H2WS_CLOSE_TIMEOUT: '300' });
await run(host, tests, only);
await stop(host);
if (only) process.exit(0);

const draining = await start(program);
const last = await Upgraded.open(draining.url, '/echo');
draining.child.kill('SIGTERM');
const head = await last.take(4);
assert.equal(head.readUInt16BE(2), 1001, 'the code of the Close');
await last.take(head[1] - 2);
last.send(closing(1001));
await last.ends('fin');
last.fin();
assert.deepEqual(await within(draining.child.exited, 'the end of the host'), [0, null], `exit code; ${draining.child.log}`);
console.log('ok  server: SIGTERM');
