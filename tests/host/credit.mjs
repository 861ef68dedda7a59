// Credit and BUSY from outside, against any test host: a socket whose host gives no credit, and one whose peer does not read, cost
// themselves alone, and no more memory than their windows and queues.
//
//   credit.mjs PATH/OF/host [NAME]
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { BINARY, TEXT, frame, within } from '../examples/websocket.mjs';
import { bare, closing, theirs } from './close_frames.mjs';
import { CANCEL, Client, DATA, MAX_WINDOW } from './h2_client.mjs';
import { COUNTED, closedOf, get, json, run, start, stop, until } from './program.mjs';

const program = process.argv[2];
const only = process.argv[3] && new RegExp(process.argv[3]);
const MIB = 1 << 20;

// Of the host's process, in bytes.
function resident(host) {
  const line = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${host.child.pid}/status`, 'utf8'));
  return Number(line[1]) * 1024;
}

// An echo and a request on the connection go through.
async function goesOn(client, sibling) {
  client.data(sibling, frame(TEXT, Buffer.from('on'), true));
  assert.equal((await client.expect(DATA, sibling)).payload.toString(), bare(TEXT, Buffer.from('on')).toString());
  const { status, body } = await client.get('/bytes/100000');
  assert.deepEqual([status, body.length], [200, 100_000]);
}

let cases = 0;
// A socket that never has credit, with its window used up to the last byte by messages.
async function stalled(client) {
  const path = `/stall?case=${++cases}`;
  const stream = await client.open(path);
  const message = frame(BINARY, Buffer.alloc(1000, 7), true);
  const window = client.window(stream);
  assert.ok(window > 0 && window <= client.initialWindow, 'a window to begin with');
  const left = await client.fill(stream, Buffer.concat(Array(Math.ceil(window / message.length) + 1).fill(message)));
  assert.ok(left.length > 0, 'more than the window takes');
  return { path, stream };
}

const facts = async (host, path) => {
  const records = await closedOf(host, path);
  assert.equal(records.length, 1);
  const { code, cause, h2_code, side } = records[0];
  return [code, cause, h2_code, side];
};

const tests = {
  async 'stall: the window closes, siblings go on'(host) {
    const client = await Client.connect(host.url);
    const sibling = await client.open('/echo');
    const before = (await json(host, '/stats')).messages_in;
    const { path, stream } = await stalled(client);
    for (let i = 0; i < 20; i++) await goesOn(client, sibling);
    await client.ping();
    assert.equal(client.window(stream), 0, 'nothing of the stream is given back');
    // the siblings' 20; none of the stalled socket's has been told
    assert.equal((await json(host, '/stats')).messages_in - before, 20);
    client.reset(stream, CANCEL);
    assert.deepEqual(await facts(host, path), [1006, 'reset', CANCEL, 'remote'], 'the end of the stalled socket');
    await goesOn(client, sibling);
    client.fin();
    await within(client.ended, 'the end of the connection');
  },
  async 'stall: windows of several streams are not the connection\'s'(host) {
    const client = await Client.connect(host.url);
    const sibling = await client.open('/echo');
    const all = [];
    for (let i = 0; i < 8; i++) all.push(await stalled(client));
    for (let i = 0; i < 20; i++) await goesOn(client, sibling);
    for (const { stream } of all) assert.equal(client.window(stream), 0);
    client.cut();
    for (const { path } of all) assert.deepEqual(await facts(host, path), [1006, 'disconnected', 0, 'remote']);
  },
  async 'stall: the end of the connection is noticed'(host) {
    const client = await Client.connect(host.url);
    const { path } = await stalled(client);
    client.fin();
    assert.deepEqual(await facts(host, path), [1006, 'disconnected', 0, 'remote']);
    await within(client.ended, 'the end of the connection');
  },
  async 'flood: a stream that gives no window makes its host wait'(host) {
    const [count, size] = [300, 1_000_000];
    const client = await Client.connect(host.url, { window: 100_000 });
    const sibling = await client.open('/echo');
    const before = resident(host);
    const path = `/flood/${count}/${size}?case=${++cases}`;
    const stream = client.handshake(path);
    client.withhold(stream);
    assert.equal((await client.next(stream)).status, 200);
    let got = 0;
    const next = async () => { const { payload } = await client.expect(DATA, stream); got += payload.length; return payload; };
    while (got < 100_000) await next();
    for (let i = 0; i < 50; i++) await goesOn(client, sibling);
    await client.silent(stream);
    assert.equal(got, 100_000, 'the window, and no byte more');
    assert.ok((await json(host, '/stats')).messages_out < count / 2, 'most messages have not been sent');
    const grown = resident(host) - before;
    assert.ok(grown < 64 * MIB, `the host has grown by ${grown} bytes`);
    client.give(stream, MAX_WINDOW - 100_000);
    const total = count * (size + 10), last = theirs(1000, 'done');
    let end = Buffer.alloc(0);
    while (got < total + last.length) end = Buffer.concat([end, await next()]).subarray(-last.length);
    assert.equal(end.toString('hex'), last.toString('hex'), 'all of it, and its Close');
    client.data(stream, closing(1000), true);
    assert.deepEqual(await facts(host, path), [1000, 'close_frame', 0, 'local']);
    await goesOn(client, sibling);
    client.fin();
    await within(client.ended, 'the end of the connection');
  },
  async 'flood: a peer that does not read its connection costs its own'(host) {
    const [count, size, sockets] = [100, 1_000_000, 4];
    const before = resident(host);
    const client = await Client.connect(host.url, { window: MAX_WINDOW });
    const streams = [];
    client.pause();
    const sent = (await json(host, '/stats')).messages_out;
    for (let i = 0; i < sockets; i++) streams.push(client.handshake(`/flood/${count}/${size}?case=${++cases}`));
    // all are at it: each has sent something, and asked again until it was refused
    await until('floods', () => json(host, '/stats'), (stats) => stats.messages_out >= sent + sockets);
    const other = await Client.connect(host.url);
    const sibling = await other.open('/echo');
    for (let i = 0; i < 100; i++) {
      await goesOn(other, sibling);
      const grown = resident(host) - before;
      assert.ok(grown < 96 * MIB, `the host has grown by ${grown} bytes`);
    }
    assert.ok((await json(host, '/stats')).messages_out - sent < count * sockets / 2, 'most messages have not been sent');
    client.resume();
    for (const stream of streams) {
      await client.next(stream); // the response's head
      let got = 0;
      while (got < count * (size + 10) + theirs(1000, 'done').length) got += (await client.expect(DATA, stream)).payload.length;
      client.data(stream, closing(1000), true);
      await client.expect(DATA, stream); // END_STREAM
    }
    client.fin();
    other.fin();
    await within(Promise.all([client.ended, other.ended]), 'the end of the connections');
  },
  async 'all streams have ended'(host) {
    const stats = await until('no stream', () => json(host, '/stats'), (found) => found.open_connections === COUNTED);
    // the request that asks
    assert.deepEqual([stats.open_streams, stats.panics], [1, 0]);
    assert.equal((await get(host, '/hello')).status, 200);
  },
};

const host = await start(program);
await run(host, tests, only);
await stop(host);
