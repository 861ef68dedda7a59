// The close matrix of docs/close.md over HTTP/2, from outside, against any test host: what goes over the wire, and what `/closed` says.
//
//   close.mjs PATH/OF/host [NAME]     TLS_CERT and TLS_KEY: files; then over TLS, which ends where TLS_BY says (jvm: HOST is build/host-java)
import assert from 'node:assert/strict';
import { BINARY, TEXT, frame, within } from '../examples/websocket.mjs';
import { bare, closing, theirs } from './close_frames.mjs';
import {
  CANCEL, Client, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, INTERNAL_ERROR, MAX_WINDOW, NO_ERROR, PROTOCOL_ERROR,
  RST_STREAM, SETTINGS,
} from './h2_client.mjs';
import { COUNTED, closedOf, json, run, start, stop, until } from './program.mjs';

const program = process.argv[2];
const only = process.argv[3] && new RegExp(process.argv[3]);
const text = (data) => frame(TEXT, Buffer.from(data), true);
const record = (code, reason, cause, h2_code, side) => ({ code, reason, cause, h2_code, side });

// Says what went wrong, in words of h2ws's own.
const WHY = /./;
// `as` may leave out what the documentation leaves open.
function same(facts, as, what) {
  for (const [name, value] of Object.entries(as)) {
    if (value instanceof RegExp) assert.match(facts[name], value, what);
    else assert.equal(facts[name], value, `${what}: ${name} of ${JSON.stringify(facts)}`);
  }
}

let cases = 0;
// A test: opens a stream of its own, lets `peer(client, stream)` play the peer, and compares the one record of its path.
const ends = (route, peer, as) => async (host) => {
  const path = `${route}?case=${++cases}`;
  const client = await Client.connect(host.url);
  const stream = await client.open(path);
  await peer(client, stream);
  const records = await closedOf(host, path);
  assert.equal(records.length, 1, 'one record');
  const { path: _, kind, ...facts } = records[0];
  assert.equal(kind, 'websocket');
  same(facts, as, 'the record');
  if (!client.over) client.fin();
  await within(client.ended, 'the end of the connection');
};

// The next DATA: exactly these bytes.
async function data(client, stream, payload, end) {
  const got = await client.expect(DATA, stream);
  assert.equal(got.payload.toString('hex'), payload.toString('hex'), 'the bytes');
  assert.equal(got.end, end, 'END_STREAM');
}

// All DATA up to END_STREAM: these bytes, in as many frames as it pleases the host.
async function rest(client, stream, payload) {
  const got = [];
  let frame;
  do got.push((frame = await client.expect(DATA, stream)).payload); while (!frame.end);
  assert.equal(Buffer.concat(got).toString('hex'), payload.toString('hex'), 'the bytes');
}

const reset = async (client, stream, code) => assert.equal((await client.expect(RST_STREAM, stream)).code, code, 'the code of RST_STREAM');

// That the peer of a connection has ended it in good order.
const finished = async (client) => assert.equal(await within(client.ended, 'the end of the connection'), 'fin');

const violates = (wrong, code) => ends('/echo', async (client, stream) => {
  client.data(stream, wrong);
  const answer = await client.expect(DATA, stream);
  assert.equal(answer.payload.readUInt16BE(2), code, 'the code of the Close');
  assert.equal(answer.end, true, 'END_STREAM');
  client.data(stream, closing(code), true);
  await client.silent(stream);
}, record(code, WHY, 'violation', 0, 'local'));

// `ending`: what a host says to an end without a Close.
const client = (ending) => ({
  'client: Close': ends('/echo', async (c, s) => {
    c.data(s, closing(1000, 'bye'));
    await data(c, s, theirs(1000), true);
    c.data(s, Buffer.alloc(0), true);
    await c.silent(s);
  }, record(1000, 'bye', 'close_frame', 0, 'remote')),
  'client: Close with END_STREAM': ends('/echo', async (c, s) => {
    c.data(s, closing(4321), true);
    await data(c, s, theirs(4321), true);
    await c.silent(s);
  }, record(4321, '', 'close_frame', 0, 'remote')),
  'client: Close without a code': ends('/echo', async (c, s) => {
    c.data(s, closing(), true);
    await data(c, s, theirs(), true);
    await c.silent(s);
  }, record(1005, '', 'close_frame', 0, 'remote')),
  'client: Close, and the stream is left open': ends('/echo', async (c, s) => {
    c.data(s, closing(1000));
    await data(c, s, theirs(1000), true);
    await reset(c, s, NO_ERROR);
  }, record(1000, '', 'close_frame', 0, 'remote')),
  'client: a message, and Close behind it': ends('/echo', async (c, s) => {
    c.data(s, Buffer.concat([text('last'), closing(1000)]), true);
    await rest(c, s, Buffer.concat([bare(TEXT, Buffer.from('last')), theirs(1000)]));
  }, record(1000, '', 'close_frame', 0, 'remote')),
  'client: a message and FIN at once': ends('/echo', async (c, s) => {
    c.together(() => { c.data(s, text('last')); c.fin(); });
    await data(c, s, bare(TEXT, Buffer.from('last')), false);
  }, { code: 1006 }), // and is answered before the connection ends
  'client: frames after a Close': ends('/echo', async (c, s) => {
    c.data(s, Buffer.concat([closing(1000, 'bye'), text('not heard')]), true);
    await data(c, s, theirs(1000), true);
    await c.silent(s);
  }, record(1000, 'bye', 'close_frame', 0, 'remote')),
  'client: Close and RST_STREAM at once': ends('/echo', async (c, s) => {
    c.together(() => { c.data(s, closing(1000, 'bye')); c.reset(s, CANCEL); });
  }, record(1000, 'bye', 'reset', CANCEL, 'remote')),
  'client: Close and FIN at once': ends('/echo', async (c, s) => {
    c.together(() => { c.data(s, closing(1000, 'bye')); c.fin(); });
    await data(c, s, theirs(1000), true);
    await finished(c);
  }, { code: 1000, reason: 'bye' }), // whether its END_STREAM or its FIN counts as the end is left open
  'client: END_STREAM without Close': ends('/echo', async (c, s) => {
    c.data(s, Buffer.alloc(0), true);
    await data(c, s, ending, true);
    await c.silent(s);
  }, record(1006, '', 'end_stream', 0, 'remote')),
  'client: END_STREAM on a message': ends('/echo', async (c, s) => {
    c.data(s, text('last'), true);
    await rest(c, s, Buffer.concat([bare(TEXT, Buffer.from('last')), ending]));
  }, record(1006, '', 'end_stream', 0, 'remote')),
  'client: END_STREAM inside a message': ends('/echo', async (c, s) => {
    c.data(s, text('cut off').subarray(0, 8), true);
    await data(c, s, ending, true);
  }, record(1006, '', 'end_stream', 0, 'remote')),
  'client: GOAWAY, and the socket goes on': ends('/echo', async (c, s) => {
    c.goaway(NO_ERROR);
    c.data(s, text('still here'));
    await data(c, s, bare(TEXT, Buffer.from('still here')), false);
    c.data(s, closing(1000), true);
    await data(c, s, theirs(1000), true);
  }, record(1000, '', 'close_frame', 0, 'remote')),
  'client: HEADERS on the open socket': ends('/echo', async (c, s) => {
    c.send(HEADERS, END_HEADERS | END_STREAM, s, Buffer.from([0, 1, 0x78, 1, 0x79])); // x: y
    await reset(c, s, PROTOCOL_ERROR);
    await c.silent(s);
  }, record(1006, WHY, 'violation', PROTOCOL_ERROR, 'local')),
  'client: a frame without a mask': violates(bare(TEXT, Buffer.from('bare')), 1002),
  'client: an opcode that is reserved': violates(frame(3, Buffer.from('?'), true), 1002),
  'client: text that is no UTF-8': violates(frame(TEXT, Buffer.from([0xc3, 0x28]), true), 1007),
  'client: a message above MAX_MESSAGE': violates(frame(BINARY, Buffer.alloc(3001), true), 1009),
  'client: HTTP/2 broken': ends('/echo', async (c) => {
    c.send(SETTINGS, 0, 1); // SETTINGS of a stream
    assert.equal((await c.expect(GOAWAY, 0)).code, PROTOCOL_ERROR);
    await finished(c);
  }, record(1006, WHY, 'goaway', PROTOCOL_ERROR, 'local')),
  'client: FIN': ends('/echo', async (c) => {
    c.fin();
    await finished(c);
  }, record(1006, '', 'disconnected', 0, 'remote')),
  'client: RST': ends('/echo', async (c) => { c.cut(); }, record(1006, '', 'disconnected', 0, 'remote')),
});
const resets = Object.fromEntries([NO_ERROR, INTERNAL_ERROR, CANCEL, ENHANCE_YOUR_CALM, 0xdeadbeef].map((code) => [
  `client: RST_STREAM(0x${code.toString(16)})`,
  ends('/echo', async (c, s) => {
    c.reset(s, code);
    await c.silent(s);
  }, record(1006, '', 'reset', code, 'remote')),
]));

const server = {
  'server: Close': ends('/close/1001', async (c, s) => {
    await data(c, s, theirs(1001, 'bye'), false);
    c.data(s, closing(1001));
    await data(c, s, Buffer.alloc(0), true);
    c.data(s, Buffer.alloc(0), true);
    await c.silent(s);
  }, record(1001, '', 'close_frame', 0, 'local')),
  'server: Close without a code, answered with another and END_STREAM': ends('/close/0', async (c, s) => {
    await data(c, s, theirs(), false);
    c.data(s, closing(4000, 'mine'), true);
    await data(c, s, Buffer.alloc(0), true);
  }, record(4000, 'mine', 'close_frame', 0, 'local')),
  'server: Close behind all that was sent before': ends('/flood/200/100', async (c, s) => {
    const all = [];
    let got = 0;
    while (got < 200 * 102 + 8) { const { payload } = await c.expect(DATA, s); all.push(payload); got += payload.length; }
    const last = Buffer.concat(all).subarray(200 * 102);
    assert.equal(last.toString('hex'), theirs(1000, 'done').toString('hex'));
    c.data(s, closing(1000), true);
    await data(c, s, Buffer.alloc(0), true);
  }, record(1000, '', 'close_frame', 0, 'local')),
  'server: Close, messages that cross it, and the answer': ends('/close/1000', async (c, s) => {
    await data(c, s, theirs(1000, 'bye'), false);
    c.data(s, Buffer.concat([text('crosses it'), closing(1000)]), true);
    await data(c, s, Buffer.alloc(0), true);
  }, record(1000, '', 'close_frame', 0, 'local')),
  'server: Close without an answer': ends('/close/1000', async (c, s) => {
    await data(c, s, theirs(1000, 'bye'), false);
    await reset(c, s, CANCEL);
  }, record(1006, WHY, 'timeout', CANCEL, 'local')),
  'server: Close, answered, and the stream is left open': ends('/close/1000', async (c, s) => {
    await data(c, s, theirs(1000, 'bye'), false);
    c.data(s, closing(1000));
    await data(c, s, Buffer.alloc(0), true);
    await reset(c, s, NO_ERROR);
  }, record(1000, '', 'close_frame', 0, 'local')),
  'server: Close, answered by END_STREAM alone': ends('/close/1000', async (c, s) => {
    await data(c, s, theirs(1000, 'bye'), false);
    c.data(s, Buffer.alloc(0), true);
    await data(c, s, Buffer.alloc(0), true);
  }, record(1006, '', 'end_stream', 0, 'remote')),
  'server: Close, answered by RST_STREAM': ends('/close/1000', async (c, s) => {
    await data(c, s, theirs(1000, 'bye'), false);
    c.reset(s, CANCEL);
    await c.silent(s);
  }, record(1006, '', 'reset', CANCEL, 'remote')),
  'server: Close, answered by FIN': ends('/close/1000', async (c, s) => {
    await data(c, s, theirs(1000, 'bye'), false);
    c.fin();
  }, record(1006, '', 'disconnected', 0, 'remote')),
  'server: RST_STREAM': async (host) => {
    // it may overtake the answer to the handshake, so there is no opened stream to begin with
    const path = `/abort?case=${++cases}`;
    const c = await Client.connect(host.url);
    const s = c.handshake(path);
    let frame = await c.next(s);
    if (frame.type === HEADERS) frame = await c.next(s);
    assert.deepEqual([frame.type, frame.code], [RST_STREAM, CANCEL]);
    await c.silent(s);
    const [{ path: _, kind, ...facts }] = await closedOf(host, path);
    same(facts, record(1006, '', 'reset', CANCEL, 'local'), 'the record');
    c.fin();
    await finished(c);
  },
};

// SIGTERM drains. The records are asked for while it does, on a connection that answers no PING: its second GOAWAY waits for that.
async function drained(name, route, peer, as) {
  if (only && !only.test(name)) return;
  const host = await start(program, environment);
  const c = await Client.connect(host.url);
  const path = `${route}?case=${++cases}`;
  const s = await c.open(path);
  const witness = await Client.connect(host.url, { acknowledges: false });
  host.child.kill('SIGTERM');
  const first = await c.expect(GOAWAY, 0);
  assert.deepEqual([first.last, first.code], [MAX_WINDOW, NO_ERROR], `${name}: the first of two GOAWAYs`);
  await peer(c, s);
  const ask = async () => JSON.parse((await witness.get('/closed')).body.toString()).filter((r) => r.path === path);
  const [{ path: _, kind, ...facts }] = await until(`${name}: a record`, ask, (found) => found.length > 0);
  same(facts, as, `${name}: the record`);
  witness.fin();
  assert.deepEqual(await within(host.child.exited, 'the end of the host'), [0, null], `${name}: exit code; ${host.child.log}`);
  assert.equal(await within(c.ended, `${name}: the end of the connection`), 'fin');
  console.log(`ok  ${name}`);
}

async function lastGoaway(c, s) {
  const second = await c.expect(GOAWAY, 0);
  assert.deepEqual([second.last, second.code], [s, NO_ERROR], 'the second GOAWAY has the last stream');
}

async function going(c, s) {
  const { payload, end } = await c.expect(DATA, s);
  assert.deepEqual([payload.readUInt16BE(2), end], [1001, false], 'Close 1001');
}

const environment = { H2WS_CLOSE_TIMEOUT: '300', MAX_MESSAGE: '3000' };

const host = await start(program, environment);
await run(host, { ...client(Buffer.alloc(0)), ...resets, ...server }, only);
const stats = await until('no stream', () => json(host, '/stats'), (found) => found.open_connections === COUNTED);
assert.deepEqual([stats.open_connections, stats.panics], [COUNTED, 0]);
await stop(host);

// A host that answers itself what the peer did to end: only the wire's order may differ, not what ends how; and an end without a
// Close is answered with one.
const manual = await start(program, { ...environment, MANUAL: '1' });
const answered = Object.fromEntries(Object.entries({ ...client(theirs(1000)), ...resets }).map(([name, test]) => [`${name}; manual control`, test]));
await run(manual, answered, only ?? /^client: (Close|END_STREAM|a |an |text |RST_STREAM|FIN|RST)/);
await stop(manual);

await drained('server: SIGTERM', '/echo', async (c, s) => {
  await going(c, s);
  await lastGoaway(c, s);
  c.data(s, closing(1001), true);
  await data(c, s, Buffer.alloc(0), true);
}, record(1001, '', 'drain', 0, 'local'));
await drained('server: SIGTERM, and the peer closes with a code of its own', '/echo', async (c, s) => {
  await going(c, s);
  c.data(s, closing(4001, 'mine'), true);
  await data(c, s, Buffer.alloc(0), true);
}, record(4001, 'mine', 'drain', 0, 'local'));
await drained('server: SIGTERM, and the peer does not answer', '/echo', async (c, s) => {
  await going(c, s);
  await reset(c, s, CANCEL);
}, record(1006, WHY, 'timeout', CANCEL, 'local'));
