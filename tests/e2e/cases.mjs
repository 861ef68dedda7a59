// What a browser must be able to do with the test host, in the browser's own words. Each case gets the page (`run`
// evaluates a function there), and `http2`: whether all of it must have run over HTTP/2.
import assert from 'node:assert/strict';

const SOCKETS = 20;

/** The host's records of ended sockets with this path, once there are `count`. Firefox leaves some to the host's close_timeout. */
async function ended(page, path, count) {
  const found = await page.run(async (path, count) => {
    for (let tries = 0; ; tries++) {
      const found = JSON.parse((await e2e.get('/closed')).body).filter((record) => record.path === path && record.kind === 'websocket');
      if (found.length >= count || tries === 300) return found;
      await new Promise((done) => setTimeout(done, 50));
    }
  }, path, count);
  assert.equal(found.length, count, `ended sockets of ${path} that the host has seen`);
  return found;
}

export const short = {
  async 'the page tests itself'(page, { http2 }) {
    const [result, text] = await page.run(async () => {
      const { dataset } = document.documentElement;
      while (!dataset.result) await new Promise((done) => setTimeout(done, 10));
      return [dataset.result, document.body.innerText];
    });
    assert.equal(result, 'ok', text);
    assert.deepEqual(await page.run(() => e2e.protocols()), [http2 ? 'h2' : 'http/1.1'], 'how the page and its requests came');
  },
  async 'the host says the same of requests and sockets'(page, { http2 }) {
    const version = http2 ? '2' : '1.1';
    const [request, sockets] = await page.run(async () => {
      const request = JSON.parse((await e2e.get('/connection')).body);
      const sockets = await Promise.all(Array.from({ length: 3 }, () => new Promise((resolve, reject) => {
        const socket = new WebSocket(new URL('/connection', location.href.replace(/^http/, 'ws')));
        socket.onmessage = ({ data }) => { resolve(JSON.parse(data)); socket.close(1000); };
        socket.onerror = () => reject(new Error('/connection does not open'));
      })));
      return [request, sockets];
    });
    for (const about of [request, ...sockets]) {
      assert.deepEqual([about.version, about.tls.alpn], [version, http2 ? 'h2' : 'http/1.1']);
      assert.equal(about.tls.version, 'TLSv1.3');
      if (http2) assert.equal(about.peer, request.peer, 'it came from the same port: on the same connection');
    }
    if (!http2) assert.equal(new Set(sockets.map(({ peer }) => peer)).size, 3, 'a connection for each');
  },
  async 'requests'(page) {
    assert.deepEqual(await page.run(() => e2e.get('/hello')), { status: 200, body: 'hello, world' });
    assert.equal((await page.run(() => e2e.get('/no/such/path'))).status, 404);
    assert.equal(await page.run(async () => (await e2e.get('/bytes/1000000')).body.length), 1_000_000);
    assert.equal(await page.run(async () => {
      const body = 'abcdefgh'.repeat(1 << 16);
      return (await e2e.get('/echo-body', { method: 'POST', body })).body === body;
    }), true, 'a body of 512 KiB comes back');
    const slow = await page.run(() => Promise.all(Array.from({ length: 20 }, (_, i) => e2e.get(`/slow/50?${i}`))));
    assert.deepEqual(slow.map(({ status }) => status), Array(20).fill(200), '20 slow requests at once');
  },
  async 'echo of text, binary, nothing and 1 MiB'(page) {
    assert.deepEqual(await page.run(async () => {
      const socket = await e2e.open('/echo', ['other', 'echo']);
      const bytes = new Uint8Array(1 << 20).map((_, i) => i * 31 + (i >> 8));
      const results = [socket.protocol];
      for (const data of ['grüße, 世界', '', new Uint8Array([0, 1, 255]).buffer, new ArrayBuffer(0), 'x'.repeat(1 << 20), bytes.buffer]) {
        results.push(await e2e.echo(socket, data));
      }
      socket.close(1000);
      return results;
    }), ['echo', true, true, true, true, true, true]);
  },
  async 'a compressed echo'(page) {
    const { extensions, same, incompressible, before, after } = await page.run(async () => {
      const before = JSON.parse((await e2e.get('/stats')).body);
      const socket = await e2e.open('/echo');
      const noise = crypto.getRandomValues(new Uint8Array(60_000));
      const result = { extensions: socket.extensions, same: await e2e.echo(socket, 'all work and no play '.repeat(20_000)),
        incompressible: await e2e.echo(socket, noise.buffer) };
      socket.close(1000);
      return { ...result, before, after: JSON.parse((await e2e.get('/stats')).body) };
    });
    assert.match(extensions, /^permessage-deflate/, 'the extensions of the socket');
    assert.ok(same, 'text that compresses well comes back');
    assert.ok(incompressible, 'bytes that do not compress come back');
    for (const counter of ['compressed_in', 'compressed_out']) {
      assert.ok(after[counter] > before[counter], `${counter} has grown: ${before[counter]}, ${after[counter]}`);
    }
  },
  async 'the server closes with code and reason'(page) {
    assert.deepEqual(await page.run(async () => e2e.closed(await e2e.open('/close/4001'))), { code: 4001, reason: 'bye', wasClean: true });
    assert.deepEqual(await page.run(async () => {
      const socket = await e2e.open('/echo');
      const closed = e2e.closed(socket);
      socket.send('!close 4321 as you wish');
      return closed;
    }), { code: 4321, reason: 'as you wish', wasClean: true });
  },
  async 'the page closes with a code'(page) {
    assert.deepEqual(await page.run(async () => {
      const socket = await e2e.open('/later/1');
      const closed = e2e.closed(socket);
      socket.close(3001, 'seen enough');
      return closed;
    }), { code: 3001, reason: '', wasClean: true }, 'the answer of the host has the code, not the reason');
    const [record] = await ended(page, '/later/1', 1);
    assert.deepEqual([record.code, record.reason, record.cause, record.side], [3001, 'seen enough', 'close_frame', 'remote']);
  },
  async [`${SOCKETS} sockets at once`](page) {
    const echoed = await page.run(async (count) => {
      const sockets = await Promise.all(Array.from({ length: count }, () => e2e.open('/echo')));
      const echoed = await Promise.all(sockets.map((socket, i) => e2e.echo(socket, `from ${i}`)));
      const beside = await e2e.get('/hello');
      const closed = await Promise.all(sockets.map((socket) => { const end = e2e.closed(socket); socket.close(1000); return end; }));
      return { echoed, beside: beside.status, codes: closed.map(({ code }) => code) };
    }, SOCKETS);
    assert.deepEqual(echoed, { echoed: Array(SOCKETS).fill(true), beside: 200, codes: Array(SOCKETS).fill(1000) });
  },
  async 'a reload with open sockets'(page) {
    await page.run(async () => { for (let i = 0; i < 5; i++) await e2e.open('/later/2'); });
    await page.reload();
    // RFC 6455 §7.4.1: 1001 for a page that is left. A browser in a hurry may also cut the streams, which is 1006.
    for (const { code, side } of await ended(page, '/later/2', 5)) {
      assert.ok([1001, 1005, 1006].includes(code) && side === 'remote', `a socket of the page that was left ended with ${code}, by the ${side} side`);
    }
    assert.equal(await page.run(async () => e2e.echo(await e2e.open('/echo'), 'after the reload')), true);
  },
};

export const long = {
  ...short,
  async 'the host refuses'(page) {
    assert.equal(await page.run(() => e2e.open('/reject/429').then(() => 'open', () => 'refused')), 'refused');
    assert.equal((await ended(page, '/reject/429', 1))[0].cause, 'rejected');
  },
  async 'the host resets'(page) {
    const { code, wasClean } = await page.run(() => new Promise((resolve) => {
      const socket = new WebSocket(new URL('/abort', location.href.replace(/^http/, 'ws')));
      socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean });
    }));
    assert.deepEqual({ code, wasClean }, { code: 1006, wasClean: false });
  },
  async '300 messages of 20,000 bytes from the host'(page) {
    assert.deepEqual(await page.run(async () => {
      const socket = await e2e.open('/flood/300/20000');
      let bytes = 0;
      socket.onmessage = ({ data }) => { bytes += data.byteLength; };
      const { code, reason } = await e2e.closed(socket);
      return { bytes, code, reason };
    }), { bytes: 6_000_000, code: 1000, reason: 'done' });
  },
  async '1,000 messages in order'(page) {
    assert.equal(await page.run(async () => {
      const socket = await e2e.open('/echo');
      const got = [];
      const all = new Promise((resolve) => {
        socket.onmessage = ({ data }) => { if (got.push(data) === 1000) resolve(); };
      });
      for (let i = 0; i < 1000; i++) socket.send(`message ${i}`);
      await all;
      socket.close(1000);
      return got.every((text, i) => text === `message ${i}`);
    }), true);
  },
};

/** What only sockets of one connection can do to each other. */
export const shared = {
  async 'a socket that the host does not read stalls no other'(page) {
    // /stall takes nothing: 4 MB wait in the browser, and a sibling goes on.
    assert.deepEqual(await page.run(async () => {
      const [stalled, sibling] = await Promise.all([e2e.open('/stall'), e2e.open('/echo')]);
      for (let i = 0; i < 80; i++) stalled.send(crypto.getRandomValues(new Uint8Array(50_000))); // nothing to compress
      const echoed = [];
      for (let i = 0; i < 20; i++) echoed.push(await e2e.echo(sibling, `beside ${i}`));
      const waiting = stalled.bufferedAmount > 1_000_000;
      sibling.close(1000);
      return { waiting, echoed: echoed.every(Boolean), hello: (await e2e.get('/hello')).status };
    }), { waiting: true, echoed: true, hello: 200 });
  },
};
