// The client of `make demo`: Node's own http2 module against the server at URL. Requests and three WebSockets on one
// connection, and HTTP/1.1 on the same port; prints what crosses, and fails at the first thing that is not as it should be.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { BINARY, PING, PONG, TEXT, connect, open, request } from '../examples/websocket.mjs';

const line = (who, arrow, what) => console.log(`  ${who.padEnd(22)} ${arrow} ${what}`);
const sends = (who, what) => line(who, '->', what);
const gets = (who, what) => line(who, '<-', what);
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 12);

const session = await connect(process.env.URL);
const port = session.socket.localPort;
const about = JSON.parse((await request(session, { ':path': '/connection' })).body);
line('connection', '--', `from port ${port}: ${about.tls.version}, ${about.tls.cipher}, ALPN ${about.tls.alpn}`);
gets('connection', 'SETTINGS with ENABLE_CONNECT_PROTOCOL = 1: WebSockets are welcome (RFC 8441)');

console.log('\nThree WebSockets, opened together:');
const names = ['news', 'chat', 'file'];
const sockets = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await open(session, `/echo?${name}`)])));
const label = (name) => `${name} (stream ${sockets[name].stream.id})`;
for (const name of names) {
  sends(label(name), `CONNECT /echo?${name}, :protocol = websocket`);
  gets(label(name), `${sockets[name].head[':status']}, it is a WebSocket now`);
}

async function echo(name, message) {
  const opcode = typeof message === 'string' ? TEXT : BINARY;
  const shown = opcode === TEXT ? `text "${message}"`
    : `binary, ${message.length.toLocaleString('en')} bytes${message.length > 16 ? `, sha256 ${digest(message)}` : `: ${message.toString('hex')}`}`;
  sends(label(name), shown);
  sockets[name].send(opcode, message);
  const answer = await sockets[name].expect(opcode);
  assert.ok(answer.equals(Buffer.from(message)), `${name} got something else back`);
  gets(label(name), opcode === TEXT ? `text "${answer}"` : shown.replace(digest(message), digest(answer)));
}

console.log('\nMessages, both ways:');
await echo('chat', 'hello from Node');
await echo('news', Buffer.from([0x00, 0x01, 0xfe, 0xff]));
await echo('chat', 'grüße, 世界');
await echo('file', Buffer.from(Array.from({ length: 100 << 10 }, (_, i) => (i * 31 + (i >> 8)) & 0xff)));
sends(label('news'), 'Ping "still there?"');
sockets.news.send(PING, 'still there?');
gets(label('news'), `Pong "${await sockets.news.expect(PONG)}"`);

console.log('\nAn ordinary request beside them:');
const { status, body } = await request(session, { ':path': '/hello' });
sends('request', 'GET /hello');
gets('request', `${status} ${JSON.stringify(body.toString())}`);
assert.deepEqual([status, body.toString()], [200, 'hello, world']);

console.log('\nCloses, with code and reason:');
for (const [name, code, reason] of [['chat', 4000, 'enough said'], ['news', 1001, 'going away'], ['file', 1000, '']]) {
  sends(label(name), `Close ${code} "${reason}"`);
  const answer = await sockets[name].close(code, reason);
  assert.deepEqual(answer, { code, rstCode: 0 }, `the end of ${name}`);
  gets(label(name), `Close ${answer.code}, END_STREAM`);
}

assert.equal(session.socket.localPort, port, 'it was one connection');
session.destroy();
console.log(`\nThat was one connection (port ${port}).`);

console.log('\nHTTP/1.1 on the same port, for who speaks nothing else:');
sends('request', 'GET /connection HTTP/1.1');
const [answer] = await once(get(`${process.env.URL}/connection`, { ca: readFileSync(process.env.TLS_CERT), agent: false }), 'response');
const { version, tls } = JSON.parse(Buffer.concat(await answer.toArray()));
gets('request', `${answer.statusCode}: HTTP/${version}, ${tls.version}`);
assert.deepEqual([answer.statusCode, version], [200, '1.1']);
