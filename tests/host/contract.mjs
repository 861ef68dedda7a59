// Every path, variable and output of the test host, against any of them; what a host says on standard error is its own affair.
//
//   node contract.mjs HOST [--http1] [--without=PART,PART] [PATTERN]
//
//   --http1     over HTTP/1.1: requests, and sockets by Upgrade
//   --without   what this host leaves out, since its framework cannot express it (PARTS below); the output names each
//   PATTERN     only the tests whose names match
//
// TLS_CERT and TLS_KEY: files; then over TLS, which ends where TLS_BY says (jvm: HOST is build/host-java).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { BINARY, PING, PONG, TEXT, closing, connect as connectHttp2, handshake, open, request, within } from '../examples/websocket.mjs';
import { connect as connectHttp1 } from './http1.mjs';
import { COUNTED, closedOf as recordsOf, get, json, launch, start as startProgram, stop, until } from './program.mjs';

const PARTS = {
  'close-codes': 'it closes with 1000, or 1011 for an error, and never with a reason of its own',
  abort: 'it resets nothing',
  closed: '/closed tells less of how a socket ended',
  stats: '/stats has no counters of the server',
  settings: 'LOOPS, MAX_MESSAGE and H2WS_* have no meaning to what serves it',
  'drain-close': 'its drain sends no Close to open sockets',
  trailers: 'the trailers of a request are lost',
  subprotocol: 'the first that is offered is picked, whichever it is',
  'ping-inside': 'a Ping between the fragments of a message is not answered there',
};
const { values: { http1, without: left }, positionals: [program, pattern] } = parseArgs({ allowPositionals: true,
  options: { http1: { type: 'boolean', default: false }, without: { type: 'string', default: '' } } });
const without = new Set(left.split(',').filter(Boolean));
for (const part of without) {
  assert.ok(part in PARTS, `--without=${part}: the parts are ${Object.keys(PARTS).join(', ')}`);
  console.log(`--  without ${part}: ${PARTS[part]}`);
}
const has = (part) => !without.has(part);
const connect = http1 ? connectHttp1 : connectHttp2;
const start = (environment) => startProgram(program, environment, connect);

// How the last socket of a path ended. Of one before it the host may tell later than its peer has seen it: `met` says which is meant.
const closedOf = (host, path, met = () => true) =>
  until(`/closed of ${path}`, async () => (await recordsOf(host, path)).findLast(met), (found) => found !== undefined);

// The Close that the host sends, if all goes well, when it is asked for this one.
function own(code, reason) {
  if (has('close-codes')) return { code, reason };
  return code === 1011 ? { code, reason: 'internal error' } : { code: 1000, reason: '' };
}

// A test that returns the name of a part was left out with it.
const tests = {
  async 'pages'(host) {
    const index = await get(host, '/');
    assert.equal(index.status, 200);
    assert.match(index.headers['content-type'], /^text\/html/);
    assert.match(index.body.toString(), /<script>/);
    assert.equal((await get(host, '/hello')).body.toString(), 'hello, world');
    assert.equal((await get(host, '/hello?a=b')).body.toString(), 'hello, world', 'the query plays no part');
    assert.equal((await get(host, '/no/such/path')).status, 404);
    assert.equal((await get(host, '/bytes/x')).status, 404);
    assert.equal((await request(host.session, { ':path': '/hello', ':method': 'POST' }, 'x')).status, 405);
  },
  async 'the page comes after the end of the request'(host) {
    const stream = host.session.request({ ':path': '/', ':method': 'POST' }, { endStream: false });
    let answered = false;
    const response = once(stream, 'response').then(([head]) => { answered = true; return head; });
    stream.write('a body');
    await get(host, '/hello');
    assert.equal(answered, false, 'no answer before the end');
    stream.end('its end');
    assert.equal((await within(response, 'the page'))[':status'], 200);
    stream.resume();
    await within(closing(stream), 'the end of the page');
  },
  async 'HEAD has the length and no body'(host) {
    for (const [path, length] of [['/hello', '12'], ['/bytes/100000', '100000']]) {
      const answer = await get(host, path, { ':method': 'HEAD' });
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers['content-length'], length, path);
      assert.equal(answer.body.length, 0, path);
    }
  },
  async 'bytes'(host) {
    for (const n of [0, 1, 16384, 65536, 5_000_000]) assert.equal((await get(host, `/bytes/${n}`)).body.length, n, `/bytes/${n}`);
  },
  async 'a body comes back'(host) {
    for (const size of [0, 1, 70_000, 3_000_000]) {
      const body = Buffer.alloc(size, 'body ');
      const answer = await request(host.session, { ':path': '/echo-body', ':method': 'POST' }, body);
      assert.ok(answer.body.equals(body), `a body of ${size} bytes`);
    }
  },
  async 'the trailers of a body come back'(host) {
    if (!has('trailers')) return 'trailers';
    const stream = host.session.request({ ':path': '/echo-body', ':method': 'POST' }, { endStream: false, waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': '1234' }));
    const trailers = once(stream, 'trailers');
    const closed = closing(stream);
    let text = '';
    stream.on('data', (chunk) => { text += chunk; });
    stream.end('with trailers');
    const [fields] = await within(trailers, 'trailers');
    await within(closed, 'the end of the body');
    assert.equal(text, 'with trailers');
    assert.equal(fields['x-checksum'], '1234');
  },
  async 'a body that the peer does not read is held back'(host) {
    const stream = host.session.request({ ':path': '/echo-body', ':method': 'POST' }, { endStream: false });
    const ended = closing(stream);
    await within(once(stream, 'response'), 'the head');
    // Nothing is read, so the windows close. Node takes what it buffers itself; what it is not rid of stays "writable length".
    const chunk = Buffer.alloc(1 << 20);
    let written = 0;
    while (written < 64 << 20 && stream.writableLength < 8 << 20) {
      stream.write(chunk);
      written += chunk.length;
      await get(host, '/hello'); // a sibling goes on
    }
    assert.ok(written < 64 << 20, 'the host takes no 64 MiB that nobody reads');
    let echoed = 0;
    stream.on('data', (data) => { echoed += data.length; });
    stream.end();
    await within(ended, 'the whole body');
    assert.equal(echoed, written, 'all comes back once it is read');
  },
  async 'slow answers from another thread'(host) {
    const order = [];
    await Promise.all([
      get(host, '/slow/150').then(({ status }) => order.push(`slow ${status}`)),
      get(host, '/slow/0').then(({ status }) => order.push(`fast ${status}`)),
    ]);
    assert.deepEqual(order, ['fast 200', 'slow 200']);
  },
  async 'echo'(host) {
    const socket = await open(host.session, '/echo', { 'sec-websocket-protocol': 'chat, echo' });
    assert.equal(socket.head['sec-websocket-protocol'], has('subprotocol') ? 'echo' : 'chat', 'the subprotocol');
    for (const text of ['', 'grüß dich', 'x'.repeat(126), '!closet', 'y'.repeat(1 << 20)]) {
      socket.send(TEXT, text);
      assert.equal((await socket.expect(TEXT)).toString(), text);
    }
    for (const size of [0, 125, 65536, 2_500_000]) {
      socket.send(BINARY, Buffer.alloc(size, 7));
      assert.equal((await socket.expect(BINARY)).length, size);
    }
    socket.send(TEXT, 'in ', false);
    if (has('ping-inside')) socket.send(PING, 'between');
    socket.send(0, 'parts');
    if (has('ping-inside')) assert.equal((await socket.expect(PONG)).toString(), 'between');
    assert.equal((await socket.expect(TEXT)).toString(), 'in parts');
    assert.deepEqual(await socket.close(4001, 'mine'), { code: 4001, rstCode: 0 });
    const closed = await closedOf(host, '/echo', ({ code }) => !has('closed') || code === 4001);
    if (has('closed')) {
      assert.deepEqual(closed, { path: '/echo', kind: 'websocket', code: 4001, reason: 'mine', cause: 'close_frame', h2_code: 0, side: 'remote' });
    } else {
      assert.deepEqual([closed.kind, closed.cause], ['websocket', 'complete']);
    }
  },
  async 'no subprotocol unless echo is offered'(host) {
    if (!has('subprotocol')) return 'subprotocol';
    const socket = await open(host.session, '/echo', { 'sec-websocket-protocol': 'chat' });
    assert.equal(socket.head['sec-websocket-protocol'], undefined);
    await socket.close(1000);
  },
  async 'messages sent at once come back in order'(host) {
    const socket = await open(host.session, '/echo');
    for (let i = 0; i < 2000; i++) socket.send(TEXT, `message ${i}`);
    for (let i = 0; i < 2000; i++) assert.equal((await socket.expect(TEXT)).toString(), `message ${i}`);
    await socket.close(1000);
  },
  async 'an echo that the peer does not read is held back, and complete'(host) {
    const socket = await open(host.session, '/echo');
    socket.stream.pause();
    const message = Buffer.alloc(300_000, 3);
    let sent = 0;
    for (; sent < 400 && socket.stream.writableLength < 20 << 20; sent++) {
      socket.send(BINARY, message);
      await get(host, '/hello');
    }
    assert.ok(sent < 400, 'the host takes no 120 MB that nobody reads');
    socket.stream.resume();
    for (let i = 0; i < sent; i++) assert.equal((await socket.expect(BINARY)).length, message.length, `echo ${i} of ${sent}`);
    await socket.close(1000);
  },
  async 'closing as told'(host) {
    const socket = await open(host.session, '/echo');
    socket.send(TEXT, '!close 4002 as told');
    assert.deepEqual(await socket.expectClose(), { ...own(4002, 'as told'), rstCode: 0 });
    if (!has('closed')) return;
    const closed = await closedOf(host, '/echo', ({ code }) => code === 4002);
    assert.equal(closed.side, 'local');
  },
  async 'close/CODE'(host) {
    for (const code of [1000, 1011, 3000, 4999]) {
      const socket = await open(host.session, `/close/${code}`);
      assert.deepEqual(await socket.expectClose(), { ...own(code, 'bye'), rstCode: 0 });
    }
  },
  async 'abort'(host) {
    if (!has('abort')) return 'abort';
    const result = await handshake(host.session, '/abort').then(({ socket }) => within(socket.ended, 'the reset'), (error) => error.message);
    // over TLS a RST often comes with bytes of the handshake, and is an end to Node then
    const asAnEnd = http1 && host.session.encrypted;
    const overtakes = asAnEnd ? /ECONNRESET|socket hang up/ : http1 ? /ECONNRESET/ : /code 8$/;
    if (typeof result === 'string') assert.match(result, overtakes, 'the reset overtakes the response');
    else assert.ok(result === 8 || asAnEnd && result === 0, `CANCEL, not ${result}`);
    const closed = await closedOf(host, '/abort');
    assert.deepEqual([closed.cause, closed.h2_code, closed.side, closed.code], ['reset', 8, 'local', 1006]);
  },
  async 'reject/STATUS'(host) {
    for (const status of [401, 403, 404, 503]) {
      const answer = await handshake(host.session, `/reject/${status}`);
      assert.equal(answer.status, status);
      assert.equal(answer.headers['x-refused'], 'as asked');
      assert.equal(answer.body, 'refused as asked\n');
    }
    if (has('closed')) assert.equal((await closedOf(host, '/reject/403')).cause, 'rejected');
    assert.equal((await handshake(host.session, '/no/such/socket')).status, 404);
  },
  async 'later/MS'(host) {
    const socket = await open(host.session, '/later/50');
    socket.send(TEXT, 'hello');
    assert.equal((await socket.expect(TEXT)).toString(), 'hello');
    await socket.close(1000);
  },
  async 'never'(host) {
    const stream = host.session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':authority': '127.0.0.1',
      ':path': '/never', 'sec-websocket-version': '13' }, { endStream: false });
    stream.on('error', () => {});
    let answered = false;
    stream.on('response', () => { answered = true; });
    await get(host, '/slow/100');
    assert.equal(answered, false, 'no decision');
    stream.close(8);
    if (!has('closed')) return;
    const closed = await closedOf(host, '/never');
    // Node sends END_STREAM before its RST_STREAM; whichever the host sees first, the peer began it.
    assert.match(closed.cause, /^(reset|end_stream)$/);
    assert.deepEqual([closed.side, closed.h2_code], ['remote', http1 ? 0 : 8]);
  },
  async 'sink'(host) {
    const socket = await open(host.session, '/sink');
    for (let i = 0; i < 100; i++) socket.send(BINARY, Buffer.alloc(100_000));
    socket.send(PING, 'all gone?');
    assert.equal((await socket.expect(PONG)).toString(), 'all gone?');
    await socket.close(1000);
  },
  async 'stall'(host) {
    const socket = await open(host.session, '/stall');
    const before = (await json(host, '/stats')).messages_in;
    // TCP alone may take some megabytes
    for (let i = 0; i < (http1 ? 400 : 40); i++) socket.send(BINARY, Buffer.alloc(100_000));
    socket.send(TEXT, 'small');
    for (let i = 0; i < 20; i++) await get(host, '/hello');
    assert.ok(!socket.stream.destroyed, 'the socket stays');
    assert.ok(socket.stream.writableLength > 1_000_000, 'the stream window has closed');
    if (has('stats')) assert.ok((await json(host, '/stats')).messages_in - before <= 3, 'messages wait in the peer');
    socket.stream.close(8);
    await within(socket.ended, 'our reset');
  },
  async 'flood/N/SIZE'(host) {
    for (const [n, size] of [[0, 0], [10, 0], [1000, 125], [20, 1_000_000]]) {
      const socket = await open(host.session, `/flood/${n}/${size}`);
      for (let i = 0; i < n; i++) assert.equal((await socket.expect(BINARY)).length, size, `message ${i} of ${n}`);
      assert.deepEqual(await socket.expectClose(), { ...own(1000, 'done'), rstCode: 0 });
    }
  },
  async 'connection: the page and the socket tell the same'(host) {
    const { peer, version } = await json(host, '/connection');
    const socket = await open(host.session, '/connection');
    const about = JSON.parse((await socket.expect(TEXT)).toString());
    if (http1) {
      assert.match(peer, /^127\.0\.0\.1:\d+$/);
      assert.deepEqual([version, about.version, about.peer], ['1.1', '1.1', `127.0.0.1:${socket.stream.socket.localPort}`]);
    } else {
      assert.deepEqual([peer, version], [`127.0.0.1:${host.session.socket.localPort}`, '2']);
      assert.deepEqual([about.peer, about.version], [peer, version]);
    }
    socket.send(TEXT, 'and it echoes');
    assert.equal((await socket.expect(TEXT)).toString(), 'and it echoes');
    await socket.close(1000);
  },
  async 'stats'(host) {
    const stats = await json(host, '/stats');
    assert.ok(stats.requests > 0 && stats.accepted > 0);
    if (!has('stats')) return;
    if (!http1) assert.equal(stats.open_connections, COUNTED);
    for (const name of ['open_streams', 'requests', 'handshakes', 'accepted', 'messages_in', 'messages_out', 'bytes_in', 'bytes_out',
      'rejected_by_host', 'limit_message', 'panics']) assert.equal(typeof stats[name], 'number', name);
    assert.equal(stats.panics, 0);
  },
};

async function run(host, wanted) {
  for (const [name, test] of Object.entries(tests)) {
    if (wanted && !wanted.test(name)) continue;
    const part = await test(host).catch((error) => { error.message = `${name}: ${error.message}\nstderr of the host: ${host.child.log}`; throw error; });
    console.log(part ? `--  ${name}: left out, without ${part}` : `ok  ${name}`);
  }
}

const only = pattern && new RegExp(pattern);
let host = await start();
await run(host, only);
await stop(host);
console.log('ok  SIGTERM');
if (only) process.exit(0);

host = await start({ LOOPS: '2', MANUAL: '1', MAX_MESSAGE: '3000000' });
await run(host, /^(echo|messages|closing|close\/|flood|sink|an echo)/);
if (has('settings')) {
  const big = await open(host.session, '/sink');
  big.send(BINARY, Buffer.alloc(3_000_001));
  assert.equal((await big.expectClose()).code, 1009, 'a message above MAX_MESSAGE');
}
await stop(host);
console.log(has('settings') ? 'ok  LOOPS, MANUAL, MAX_MESSAGE' : 'ok  MANUAL; LOOPS and MAX_MESSAGE are left out, without settings');

host = await start({ H2WS_ACCEPT_TIMEOUT: '100' });
if (has('settings')) assert.equal((await handshake(host.session, '/never')).status, 503, 'nobody decided');
const open_ = await open(host.session, '/echo');
host.child.kill('SIGTERM');
if (has('drain-close')) assert.equal((await open_.expectClose()).code, 1001, 'the drain closes with 1001');
else await within(open_.ended, 'the end of the socket');
assert.deepEqual(await within(host.child.exited, 'the end of the host'), [0, null], 'exit code and signal after the drain');
console.log(`ok  drain${has('settings') ? ', H2WS_ACCEPT_TIMEOUT' : '; H2WS_ACCEPT_TIMEOUT is left out, without settings'}`);

for (const [environment, says, part] of [
  [{ PORT: '65536' }, /PORT.*65536/], [{ MANUAL: '2' }, /MANUAL.*2/],
  [{ H2WS_NONSENSE: '1' }, /H2WS_NONSENSE/, 'settings'], [{ H2WS_MAX_STREAMS: 'many' }, /H2WS_MAX_STREAMS.*many/, 'settings'],
  [{ H2WS_MAX_STREAMS: '-1' }, /H2WS_MAX_STREAMS.*-1/, 'settings'], [{ LOOPS: '65' }, /loops.*65/, 'settings'],
  [{ H2WS_MAX_MESSAGE: '1' }, /max_message.*125/, 'settings'],
]) {
  if (part && !has(part)) {
    console.log(`--  a bad ${Object.keys(environment)[0]}: left out, without ${part}`);
    continue;
  }
  const child = launch(program, environment);
  const [code] = await within(child.exited, `the end of a host with ${JSON.stringify(environment)}`);
  assert.equal(code, 2, `exit code with ${JSON.stringify(environment)}`);
  assert.match(child.log, says, 'the error names the variable or field, and the value');
}
console.log('ok  bad environments');
