// Ten thousand sockets on a hundred connections of a test host, and on each connection one that sends and does not read, and one
// that the host does not read: the others starve neither behind them nor behind each other, and they cost no more than their windows
// and queues. Says what the memory was.
//
//   many.mjs PATH/OF/host MIB       MIB: what the host's process may grow by
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { BINARY, TEXT, frame, within } from '../examples/websocket.mjs';
import { bare, closing, theirs } from './close_frames.mjs';
import { CANCEL, Client, DATA } from './h2_client.mjs';
import { json, start, stop, until } from './program.mjs';

const [program, most] = [process.argv[2], Number(process.argv[3])];
assert.ok(most > 0, 'usage: many.mjs HOST MIB');
const CONNECTIONS = 100, SOCKETS = 100, ROUNDS = 5, WINDOW = 1000, MIB = 1 << 20;

const resident = (host) => Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${host.child.pid}/status`, 'utf8'))[1]) / 1024;

// A stream's DATA until it is all there.
async function bytes(client, stream, count) {
  const got = [];
  for (let length = 0; length < count;) {
    const { payload } = await client.expect(DATA, stream);
    got.push(payload);
    length += payload.length;
  }
  return Buffer.concat(got);
}

// Sends numbered messages, up to the last byte of what the host takes of a socket of which one of the two reads nothing.
async function stall(client, path) {
  const stream = await client.open(path);
  client.withhold(stream);
  let sent = 0, left = Buffer.alloc(0);
  for (let quiet = 0; quiet < 3;) {
    if (left.length === 0) {
      const message = Buffer.alloc(1000, sent);
      message.writeUInt32BE(sent++, 0);
      left = frame(BINARY, message, true);
    }
    const before = left.length;
    left = await client.fill(stream, left);
    if (left.length > 0 && left.length === before) {
      await client.ping();
      quiet++;
    } else {
      quiet = 0;
    }
  }
  return { stream, sent, left };
}

// What a slow socket has sent comes back whole and in order, when its peer reads.
async function recover(client, { stream, sent, left }) {
  client.give(stream, 64 * MIB);
  const all = bytes(client, stream, sent * 1004);
  while (left.length > 0) {
    left = await client.fill(stream, left);
    if (left.length > 0) await client.ping();
  }
  const got = await all;
  for (let n = 0; n < sent; n++) assert.equal(got.readUInt32BE(n * 1004 + 4), n, 'the order of the echoes');
}

const host = await start(program);
const before = resident(host);
const began = process.hrtime.bigint();
const clients = [];
for (let i = 0; i < CONNECTIONS; i++) {
  const client = await Client.connect(host.url, { window: WINDOW });
  const streams = await Promise.all(Array.from({ length: SOCKETS - 2 }, () => client.open('/echo')));
  clients.push({ client, streams });
}
const idle = resident(host);
console.log(`ok  ${CONNECTIONS * (SOCKETS - 2)} sockets open; the host has grown by ${Math.round(idle - before)} MiB`);

const said = (which) => Math.round(clients.reduce((sum, of) => sum + of[which].sent * 1000, 0) / MIB);
await Promise.all(clients.map(async (of) => { of.slow = await stall(of.client, '/echo?slow'); }));
console.log(`ok  ${CONNECTIONS} more do not read, and have sent ${said('slow')} MiB`);
await Promise.all(clients.map(async (of) => { of.unread = await stall(of.client, '/stall'); }));
console.log(`ok  ${CONNECTIONS} more are not read by the host, which has taken ${said('unread')} MiB of them`);

for (let round = 0; round < ROUNDS; round++) {
  await Promise.all(clients.map(async ({ client, streams }, c) => {
    const text = (s) => Buffer.from(`${round} ${c} ${s}`);
    client.together(() => streams.forEach((stream, s) => client.data(stream, frame(TEXT, text(s), true))));
    await Promise.all(streams.map(async (stream, s) => {
      const echo = bare(TEXT, text(s));
      assert.equal((await bytes(client, stream, echo.length)).toString(), echo.toString(), 'the echo of a socket beside a slow one');
    }));
  }));
}
const grown = resident(host) - before;
console.log(`ok  ${ROUNDS} messages on each of the others, none lost; the host has grown by ${Math.round(grown)} MiB`);
assert.ok(grown < most, `at most ${most} MiB`);

await Promise.all(clients.map(({ client, slow }) => recover(client, slow)));
console.log('ok  what the slow ones sent has come back, in order');

await Promise.all(clients.map(async ({ client, streams, slow, unread }) => {
  client.reset(unread.stream, CANCEL);
  for (const stream of [...streams, slow.stream]) client.data(stream, closing(1000), true);
  for (const stream of [...streams, slow.stream]) {
    assert.equal((await bytes(client, stream, 4)).toString('hex'), theirs(1000).toString('hex'), 'its Close');
  }
  client.fin();
  await within(client.ended, 'the end of the connection');
}));
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
await until('no socket', () => json(host, '/stats'), (stats) => stats.open_websockets === 0);
await stop(host);
console.log(`ok  all have ended, after ${seconds.toFixed(1)} s`);
