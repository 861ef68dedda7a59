// Node's http2 (nghttp2) as a client of the test host at URL: requests and WebSockets, a hundred at once, on one connection.
//
//   node node.mjs [--front]
//
// --front: URL is a proxy in front of the host, which ends streams in its own way.
// Each path of the host by itself is the affair of tests/host/contract.mjs.
import assert from 'node:assert/strict';
import { BINARY, PING, PONG, TEXT, connect, handshake, open, request, within } from '../../examples/websocket.mjs';

const front = process.argv.includes('--front');
const session = await connect(process.env.URL);
session.setMaxListeners(1000);
let fault;
session.on('error', (error) => { fault = error; });
session.on('goaway', (code) => { fault ??= new Error(`GOAWAY ${code}`); });
if (front) {
  // HAProxy stops reading a connection when one stream's data finds no room: a WINDOW_UPDATE behind it is not seen, and
  // two that wait for each other's wait for ever. So before a front no window of ours may ever close.
  session.setLocalWindowSize(64 << 20);
  await new Promise((resolve) => session.settings({ initialWindowSize: 8 << 20 }, resolve));
}

const times = (n, make) => Promise.all(Array.from({ length: n }, (_, i) => make(i)));
async function get(path) {
  const answer = await request(session, { ':path': path });
  assert.equal(answer.rstCode, 0, `${path} ends without a reset`);
  return answer;
}
async function echo(socket, message) {
  const opcode = typeof message === 'string' ? TEXT : BINARY;
  socket.send(opcode, message);
  assert.ok((await socket.expect(opcode)).equals(Buffer.from(message)), `${message.length} sent came back otherwise`);
}
async function close(socket, code, reason) {
  const answer = await socket.close(code, reason);
  assert.equal(answer.code, code, 'the code of the answer to our Close');
  if (!front) assert.equal(answer.rstCode, 0, 'the stream ends with END_STREAM');
}
async function closedByHost(socket, code, reason) {
  const closed = await socket.expectClose();
  assert.deepEqual([closed.code, closed.reason], [code, reason]);
  if (!front) assert.equal(closed.rstCode, 0, 'the stream ends with END_STREAM');
}

const checks = {
  async 'a request'() {
    const { status, body } = await get('/hello');
    assert.deepEqual([status, body.toString()], [200, 'hello, world']);
  },
  async '3,000,000 bytes down'() { assert.equal((await get('/bytes/3000000')).body.length, 3_000_000); },
  async '2 MiB up and down'() {
    const sent = Buffer.alloc(2 << 20, 'abcdefg');
    const answer = await request(session, { ':path': '/echo-body', ':method': 'POST' }, sent);
    assert.deepEqual([answer.status, answer.rstCode], [200, 0]);
    assert.ok(answer.body.equals(sent), `the body came back otherwise, ${answer.body.length} bytes`);
  },
  async '100 streams at once'() {
    for (const { status } of await times(100, () => get('/slow/100'))) assert.equal(status, 200);
  },
  async '1,000 requests, 100 at a time'() {
    for (let round = 0; round < 10; round++) {
      for (const { body } of await times(100, () => get('/hello'))) assert.equal(body.toString(), 'hello, world');
    }
  },
  async 'text, binary, an empty message, 1 MiB, Ping, Close'() {
    const socket = await open(session, '/echo', { 'sec-websocket-protocol': 'other, echo' });
    assert.equal(socket.head['sec-websocket-protocol'], 'echo');
    for (const message of ['grüße, 世界', Buffer.from([0, 1, 255]), '', Buffer.alloc(1 << 20, 'm')]) await echo(socket, message);
    socket.send(PING, 'are you there');
    assert.equal((await socket.expect(PONG)).toString(), 'are you there');
    await close(socket, 4999, 'my own code');
  },
  async '100 sockets at once, and requests beside them'() {
    const sockets = await times(100, () => open(session, '/echo'));
    await Promise.all(sockets.map((socket, i) => echo(socket, `from ${i}`)));
    assert.equal((await get('/hello')).status, 200);
    await Promise.all(sockets.map((socket, i) => echo(socket, Buffer.alloc(5000, i))));
    await Promise.all(sockets.map((socket) => close(socket, 1000, 'bye')));
  },
  async 'the host closes with code and reason'() {
    await closedByHost(await open(session, '/close/4001'), 4001, 'bye');
    const socket = await open(session, '/echo');
    socket.send(TEXT, '!close 4321 as you wish');
    await closedByHost(socket, 4321, 'as you wish');
  },
  async 'the host refuses with status, header and body'() {
    const { status, headers, body } = await handshake(session, '/reject/403');
    assert.deepEqual([status, headers['x-refused']], [403, 'as asked']);
    assert.ok(body.length > 0, 'the refusal has a body');
  },
  async '200 messages of 20,000 bytes from the host, then its Close'() {
    const socket = await open(session, '/flood/200/20000');
    for (let i = 0; i < 200; i++) assert.equal((await socket.expect(BINARY)).length, 20_000, `message ${i}`);
    await closedByHost(socket, 1000, 'done');
  },
  async 'a socket that is reset harms no other'() {
    const [victim, sibling] = await times(2, () => open(session, '/echo'));
    victim.stream.close(8);
    await within(victim.ended, 'the reset');
    await echo(sibling, 'still here');
    await close(sibling, 1000);
  },
  async 'it was one connection'() {
    assert.equal(fault, undefined, fault?.message);
    assert.ok(!session.destroyed && !session.closed, 'the session is open');
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await within(check(), 'the check');
    console.log(`ok    node${front ? ' through the front' : ''}: ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  node${front ? ' through the front' : ''}: ${name}: ${error.message.replaceAll('\n', ' ')}`);
  }
}
session.destroy();
process.exitCode = failed > 0 ? 1 : 0;
