// An HTTP/2 client by the frame, for what Node's own http2 does not let one do: ends of every kind, windows that stay closed, frames
// that are wrong. It sends header fields as literals, and reads of a response its status alone.
import assert from 'node:assert/strict';
import { within } from '../examples/websocket.mjs';
import { connected, dial } from './dial.mjs';

export const DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PUSH_PROMISE = 5, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8;
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4;
export const NO_ERROR = 0, PROTOCOL_ERROR = 1, INTERNAL_ERROR = 2, FLOW_CONTROL_ERROR = 3, CANCEL = 8, ENHANCE_YOUR_CALM = 11;
export const MAX_WINDOW = 2 ** 31 - 1;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEADER_TABLE_SIZE = 1, ENABLE_PUSH = 2, INITIAL_WINDOW_SIZE = 4, DEFAULT_WINDOW = 65_535;

const u32 = (value) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value); return bytes; };
const setting = (id, value) => Buffer.concat([Buffer.from([0, id]), u32(value)]);

// RFC 7541 §6.2.2 and §5.1: a literal without indexing, names and values below 127 + 128 bytes.
function field(name, value) {
  const string = (text) => {
    const bytes = Buffer.from(text, 'latin1');
    assert.ok(bytes.length < 255, 'a short field');
    const length = bytes.length < 127 ? [bytes.length] : [127, bytes.length - 127];
    return Buffer.concat([Buffer.from(length), bytes]);
  };
  return Buffer.concat([Buffer.from([0]), string(name), string(value)]);
}

// Of the static table (RFC 7541, appendix A), the statuses; of the Huffman code (appendix B), the digits.
const STATUSES = { 8: '200', 9: '204', 10: '206', 11: '304', 12: '400', 13: '404', 14: '500' };
const DIGITS = { '00000': '0', '00001': '1', '00010': '2', '011001': '3', '011010': '4', '011011': '5', '011100': '6', '011101': '7',
  '011110': '8', '011111': '9' };

function digits(bytes) {
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join(''), text = '';
  while (text.length < 3) {
    const code = [5, 6].map((n) => bits.slice(0, n)).find((c) => c in DIGITS);
    assert.ok(code, 'digits in Huffman code');
    text += DIGITS[code];
    bits = bits.slice(code.length);
  }
  return text;
}

// `:status`, which is the first field of every response.
function statusOf(block) {
  let at = 0;
  while ((block[at] & 0xe0) === 0x20) at++; // the table's size, which we have made 0
  if (block[at] & 0x80) return Number(STATUSES[block[at] & 0x7f]);
  assert.ok([0x48, 0x18, 0x08].includes(block[at]), `:status as a literal with its name's index, not ${block.toString('hex')}`);
  const length = block[at + 1] & 0x7f, value = block.subarray(at + 2, at + 2 + length);
  return Number(block[at + 1] & 0x80 ? digits(value) : value.toString('latin1'));
}

export class Client {
  #socket;
  #tcp;
  #input = [];
  #buffered = 0;
  #frames = new Map(); // by stream: those that nobody has asked for yet
  #waiting = new Map();
  #windows = new Map(); // by stream: what we may still send
  #withheld = new Set();
  #initial = DEFAULT_WINDOW;
  #last = -1;
  #pings = 0;
  #acknowledges;

  // Options: window: that each stream of ours starts with; acknowledges: false leaves the peer's PINGs without an answer.
  static async connect(url, { window = 1 << 20, acknowledges = true } = {}) {
    const dialled = dial(url, 'h2');
    const client = new Client(dialled.socket, dialled.tcp, acknowledges);
    await connected(dialled);
    dialled.socket.write(PREFACE);
    const settings = [setting(HEADER_TABLE_SIZE, 0), setting(ENABLE_PUSH, 0), setting(INITIAL_WINDOW_SIZE, window)];
    client.send(SETTINGS, 0, 0, Buffer.concat(settings));
    client.send(WINDOW_UPDATE, 0, 0, u32(MAX_WINDOW - DEFAULT_WINDOW));
    client.#windows.set(0, DEFAULT_WINDOW);
    await within(client.settled, 'SETTINGS');
    return client;
  }

  constructor(socket, tcp, acknowledges) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.#acknowledges = acknowledges;
    this.settled = new Promise((resolve) => { this.settle = resolve; });
    // how the peer ends the connection: 'fin' or 'rst'
    this.ended = new Promise((resolve) => {
      socket.on('end', () => resolve('fin'));
      socket.on('error', (error) => resolve(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'rst' : error.message));
      socket.on('close', () => resolve('closed'));
    }).then((how) => { this.over = how; for (const wake of this.#waiting.values()) wake(); return how; });
    socket.on('data', (chunk) => this.#take(chunk));
  }

  get port() { return this.#tcp.localPort; }

  // --- what comes

  #take(chunk) {
    this.#input.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered < 9) return;
    let all = this.#input.length === 1 ? chunk : Buffer.concat(this.#input), at = 0;
    while (all.length - at >= 9) {
      const length = all.readUIntBE(at, 3);
      if (all.length - at - 9 < length) break;
      this.#frame({ type: all[at + 3], flags: all[at + 4], stream: all.readUInt32BE(at + 5) & MAX_WINDOW, payload: all.subarray(at + 9, at + 9 + length) });
      at += 9 + length;
    }
    this.#input = [all.subarray(at)];
    this.#buffered = all.length - at;
  }

  #frame(frame) {
    const { type, flags, stream, payload } = frame;
    if (type === SETTINGS) return this.#settings(flags, payload);
    if (type === PING && !(flags & ACK)) {
      if (this.#acknowledges) this.send(PING, ACK, 0, payload);
      return undefined;
    }
    if (type === WINDOW_UPDATE) {
      this.#windows.set(stream, this.window(stream) + payload.readUInt32BE(0));
      return this.#waiting.get(`window ${stream}`)?.();
    }
    if (type === DATA && payload.length > 0 && !(flags & END_STREAM) && !this.#withheld.has(stream)) this.give(stream, payload.length);
    frame.end = (type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0;
    if (type === HEADERS) frame.status = statusOf(payload);
    if (type === RST_STREAM) frame.code = payload.readUInt32BE(0);
    if (type === GOAWAY) { frame.last = payload.readUInt32BE(0); frame.code = payload.readUInt32BE(4); }
    if (!this.#frames.has(stream)) this.#frames.set(stream, []);
    this.#frames.get(stream).push(frame);
    return this.#waiting.get(stream)?.();
  }

  #settings(flags, payload) {
    if (flags & ACK) return;
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) === INITIAL_WINDOW_SIZE) this.#initial = payload.readUInt32BE(at + 2);
    }
    this.send(SETTINGS, ACK, 0);
    this.settle();
  }

  async #wait(key, what, met) {
    const forever = (async () => {
      while (!met()) {
        if (this.over) return;
        await new Promise((resolve) => this.#waiting.set(key, resolve));
      }
    })();
    await within(forever, what).finally(() => this.#waiting.delete(key));
  }

  // The next frame of a stream (0: GOAWAY, and answers to PINGs); null: the connection has ended.
  async next(stream) {
    await this.#wait(stream, `a frame of stream ${stream}`, () => this.#frames.get(stream)?.length > 0);
    return this.#frames.get(stream)?.shift() ?? null;
  }

  // The next frame, which is to be of this type.
  async expect(type, stream) {
    const frame = await this.next(stream);
    assert.equal(frame?.type, type, `the type of ${frame ? JSON.stringify({ ...frame, payload: frame.payload.toString('hex').slice(0, 200) }) : 'nothing'}`);
    return frame;
  }

  // Nothing has come of a stream: asserted once all that was sent before has been seen by the peer, as its answer to a PING says.
  async silent(stream) {
    await this.ping();
    assert.deepEqual(this.#frames.get(stream) ?? [], [], `nothing more of stream ${stream}`);
  }

  async ping() {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(++this.#pings);
    this.send(PING, 0, 0, payload);
    const answer = await this.expect(PING, 0);
    assert.deepEqual(answer.payload, payload, 'the answer to our PING');
  }

  // --- windows

  // What the peer lets us send: on a stream, or (0) on the connection.
  window(stream) { return this.#windows.get(stream) ?? this.#initial; }

  get initialWindow() { return this.#initial; }

  // The peer's DATA on this stream is not given back from now on.
  withhold(stream) { this.#withheld.add(stream); }

  give(stream, bytes) { this.send(WINDOW_UPDATE, 0, stream, u32(bytes)); }

  // Stops and begins to read what the TCP connection has.
  pause() { this.#socket.pause(); }
  resume() { this.#socket.resume(); }

  // --- what we send

  send(type, flags, stream, payload = Buffer.alloc(0)) {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  // Several frames in one segment.
  together(f) {
    this.#socket.cork();
    f();
    this.#socket.uncork();
  }

  headers(fields, end) {
    const stream = this.#last += 2;
    this.send(HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, Buffer.concat(fields.map(([name, value]) => field(name, value))));
    return stream;
  }

  // Charges the windows, and does not wait for them.
  data(stream, payload = Buffer.alloc(0), end = false) {
    this.send(DATA, end ? END_STREAM : 0, stream, payload);
    for (const of of [0, stream]) this.#windows.set(of, this.window(of) - payload.length);
  }

  // As much of a payload as the windows allow, in frames of 16 KiB; what is left.
  async fill(stream, payload) {
    let at = 0;
    while (at < payload.length && this.window(stream) > 0) {
      await this.#wait('window 0', "the connection's window", () => this.window(0) > 0);
      if (this.over) break;
      const size = Math.min(16384, this.window(stream), this.window(0), payload.length - at);
      this.data(stream, payload.subarray(at, at + size));
      at += size;
    }
    return payload.subarray(at);
  }

  reset(stream, code) { this.send(RST_STREAM, 0, stream, u32(code)); }

  goaway(code) { this.send(GOAWAY, 0, 0, Buffer.concat([u32(0), u32(code)])); }

  // FIN; what the peer still sends is read.
  fin() { this.#socket.end(); }

  // RST.
  cut() { this.#tcp.resetAndDestroy(); }

  // --- requests

  #fields(method, path) {
    return [[':method', method], [':scheme', this.#socket === this.#tcp ? 'http' : 'https'], [':authority', 'localhost'], [':path', path]];
  }

  // The status and body of a request without one of its own.
  async get(path) {
    const stream = this.headers(this.#fields('GET', path), true);
    let frame = await this.expect(HEADERS, stream);
    const { status } = frame, body = [];
    while (!frame.end) body.push((frame = await this.expect(DATA, stream)).payload);
    return { status, body: Buffer.concat(body) };
  }

  // The stream of a handshake.
  handshake(path) {
    return this.headers([...this.#fields('CONNECT', path), [':protocol', 'websocket'], ['sec-websocket-version', '13']], false);
  }

  // A WebSocket's stream.
  async open(path) {
    const stream = this.handshake(path);
    const { status } = await this.expect(HEADERS, stream);
    assert.equal(status, 200, `the answer to the handshake of ${path}`);
    return stream;
  }
}
