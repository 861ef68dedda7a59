// A WebSocket over HTTP/2 (RFC 8441) on Node's own http2 module, with frames written by hand: a peer that shares no code
// with h2ws. It needs no package.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, constants } from 'node:http2';
import { randomBytes } from 'node:crypto';

export const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

const DEADLINE_MS = 20_000;

// What did not come in time fails by name instead of hanging.
export function within(promise, what, ms = DEADLINE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// The end of a stream, whichever way: its RST_STREAM code, 0 if it ended well.
export function closing(stream) {
  stream.on('error', () => {}); // a reset is an error too; its code tells
  return new Promise((resolve) => stream.on('close', () => resolve(stream.rstCode)));
}

// A connection whose SETTINGS have arrived: cleartext, or TLS to whoever has the certificate in the file TLS_CERT.
export async function connect(url) {
  const session = connectHttp2(url, url.startsWith('https:') ? { ca: readFileSync(process.env.TLS_CERT) } : {});
  session.on('error', () => {}); // `once` below has it
  const [settings] = await within(once(session, 'remoteSettings'), 'SETTINGS');
  if (!settings.enableConnectProtocol) throw new Error('the server does not offer SETTINGS_ENABLE_CONNECT_PROTOCOL');
  return session;
}

// An ordinary request: { status, headers, body, trailers }.
export async function request(session, headers, body) {
  const stream = session.request(headers, { endStream: body === undefined });
  const chunks = [];
  let head, trailers;
  stream.on('response', (h) => { head = h; });
  stream.on('trailers', (t) => { trailers = t; });
  stream.on('data', (chunk) => chunks.push(chunk));
  const ended = closing(stream);
  if (body !== undefined) stream.end(body);
  await within(ended, `${headers[':method'] ?? 'GET'} ${headers[':path']}`);
  if (!head) throw new Error(`${headers[':path']} got no response, RST_STREAM code ${stream.rstCode}`);
  return { status: head[':status'], headers: head, body: Buffer.concat(chunks), trailers, rstCode: stream.rstCode };
}

// A frame as a client sends it.
export function frame(opcode, payload, fin) {
  const size = payload.length < 126 ? 0 : payload.length < 65536 ? 2 : 8;
  const head = Buffer.alloc(2 + size + 4);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (size === 0 ? payload.length : size === 2 ? 126 : 127);
  if (size === 2) head.writeUInt16BE(payload.length, 2);
  if (size === 8) head.writeBigUInt64BE(BigInt(payload.length), 2);
  const mask = randomBytes(4);
  mask.copy(head, 2 + size);
  return Buffer.concat([head, payload.map((byte, i) => byte ^ mask[i & 3])]);
}

export class WebSocket {
  #buffer = Buffer.alloc(0);
  #frames = [];
  #waiting = [];
  #parts; // of a message whose last fragment has not come

  constructor(stream, head) {
    this.stream = stream;
    this.head = head; // the response's header fields
    this.ended = closing(stream);
    stream.on('data', (chunk) => this.#take(chunk));
    stream.on('end', () => this.#deliver(null));
    stream.on('close', () => this.#deliver(null));
  }

  // Server frames are short of tricks here: no mask, and a message in fragments (h2ws sends none unless its host does) is joined.
  #take(chunk) {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const b = this.#buffer;
      if (b.length < 2) return;
      if (b[1] & 0x80) throw new Error('the server masked a frame (RFC 6455 §5.1)');
      let length = b[1] & 0x7f, at = 2;
      if (length === 126) {
        if (b.length < 4) return;
        length = b.readUInt16BE(2); at = 4;
      } else if (length === 127) {
        if (b.length < 10) return;
        length = Number(b.readBigUInt64BE(2)); at = 10;
      }
      if (b.length < at + length) return;
      this.#frame((b[0] & 0x80) !== 0, b[0] & 0x0f, b.subarray(at, at + length));
      this.#buffer = b.subarray(at + length);
    }
  }

  #frame(fin, opcode, data) {
    if (opcode < CLOSE && (!fin || opcode === 0)) {
      if ((opcode === 0) !== (this.#parts !== undefined)) throw new Error('the server mixed up its fragments (RFC 6455 §5.4)');
      this.#parts ??= { opcode, data: [] };
      this.#parts.data.push(data);
      if (!fin) return;
      this.#deliver({ opcode: this.#parts.opcode, data: Buffer.concat(this.#parts.data) });
      this.#parts = undefined;
    } else {
      this.#deliver({ opcode, data });
    }
  }

  #deliver(item) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#frames.push(item);
  }

  // The next message or control frame, or null at the end of the stream. 0: however long it takes.
  next(ms = DEADLINE_MS) {
    const promise = this.#frames.length > 0
      ? Promise.resolve(this.#frames.shift()) : new Promise((resolve) => this.#waiting.push(resolve));
    return ms === 0 ? promise : within(promise, 'a WebSocket frame', ms);
  }

  send(opcode, data = Buffer.alloc(0), fin = true) { return this.stream.write(frame(opcode, Buffer.from(data), fin)); }

  // The next frame, which is to have this opcode.
  async expect(opcode) {
    const item = await this.next();
    if (item?.opcode !== opcode) throw new Error(`expected opcode ${opcode}, got ${item ? `${item.opcode} ${item.data}` : 'the end'}`);
    return item.data;
  }

  // The code and reason of the Close that is next, answered and followed by the end of the stream.
  async expectClose() {
    const data = await this.expect(CLOSE);
    this.send(CLOSE, data.subarray(0, 2));
    this.stream.end();
    const rstCode = await within(this.ended, 'the end of the stream');
    return { code: data.length ? data.readUInt16BE(0) : 1005, reason: data.subarray(2).toString(), rstCode };
  }

  // Our own Close: resolves with the server's answer.
  async close(code, reason = '') {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.send(CLOSE, Buffer.concat([payload, Buffer.from(reason)]));
    const answer = await this.expect(CLOSE);
    this.stream.end();
    const rstCode = await within(this.ended, 'the end of the stream');
    return { code: answer.length ? answer.readUInt16BE(0) : 1005, rstCode };
  }
}

// Opens a WebSocket: { socket } on 200, else { status, headers, body }.
export async function handshake(session, path, headers = {}) {
  const stream = session.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': session.encrypted ? 'https' : 'http', ':authority': new URL(session.originSet?.[0] ?? 'http://127.0.0.1').host,
    ':path': path, 'sec-websocket-version': '13', ...headers,
  }, { endStream: false });
  const failed = closing(stream).then(() => { throw new Error(`${path}: stream closed, RST_STREAM code ${stream.rstCode}`); });
  failed.catch(() => {});
  const [head] = await within(Promise.race([once(stream, 'response'), failed]), `the answer to the handshake of ${path}`);
  if (head[':status'] === 200) return { socket: new WebSocket(stream, head) };
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  const ended = closing(stream);
  stream.end();
  await within(ended, `the body of the refusal of ${path}`);
  return { status: head[':status'], headers: head, body: Buffer.concat(chunks).toString() };
}

export async function open(session, path, headers) {
  const { socket, status } = await handshake(session, path, headers);
  if (!socket) throw new Error(`${path} was refused with ${status}`);
  return socket;
}

export { constants };
