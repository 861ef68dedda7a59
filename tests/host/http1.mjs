// HTTP/1.1 in the shape of Node's http2 module, as far as the contract of the test host uses that: requests, and WebSockets by
// Upgrade where http2 has an Extended CONNECT. So one set of tests speaks both. Each request takes a connection
// of its own: one that the host ends after an early answer would be offered to the next request.
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { dial } from './dial.mjs';

const CANCEL = 8;
// A write becomes a chunk, and servers have a limit for these (Pekko's is 1 MiB).
const MAX_CHUNK = 256 << 10;

// A request, and what comes back; after an Upgrade, the bytes of the socket.
class Stream extends Duplex {
  rstCode = 0;
  #request;
  #upgrade;
  #from; // the response, or the upgraded socket
  #tcp;

  constructor(url, options, { endStream = true, waitForTrailers = false }, upgrade) {
    super();
    const { socket, tcp } = dial(url, 'http/1.1', false);
    this.#tcp = tcp;
    this.waitForTrailers = waitForTrailers;
    this.#upgrade = upgrade;
    this.#request = request({ ...options, createConnection: () => socket });
    this.#request.on('error', (error) => this.#fail(error));
    this.#request.on('response', (response) => {
      this.#read(response);
      this.emit('response', { ':status': response.statusCode, ...response.headers });
    });
    this.#request.on('upgrade', (response, socket, head) => {
      this.socket = socket;
      socket.unshift(head);
      socket.setNoDelay(true);
      this.#read(socket);
      this.emit('response', { ':status': 200, ...response.headers }); // what HTTP/2 has for 101
    });
    if (upgrade) this.#request.end();
    else if (endStream) this.end();
    else this.#request.flushHeaders();
  }

  #fail(error) {
    this.rstCode = CANCEL;
    this.destroy(error);
  }

  #read(from) {
    this.#from = from;
    from.on('error', (error) => this.#fail(error));
    from.on('data', (chunk) => { if (!this.push(chunk)) from.pause(); });
    from.on('end', () => {
      if (from.trailers && Object.keys(from.trailers).length > 0) this.emit('trailers', from.trailers);
      this.push(null);
    });
  }

  _read() { this.#from?.resume(); }

  _write(data, encoding, done) {
    const to = this.socket ?? this.#request;
    for (; data.length > MAX_CHUNK; data = data.subarray(MAX_CHUNK)) to.write(data.subarray(0, MAX_CHUNK));
    to.write(data, done);
  }

  _final(done) {
    if (this.socket) {
      this.socket.end(done);
    } else if (this.#upgrade) {
      done();
    } else {
      if (this.waitForTrailers) this.emit('wantTrailers');
      this.#request.end(done);
    }
  }

  _destroy(error, done) {
    this.#request.destroy();
    this.#tcp.destroy(); // no request follows, and nobody would hear of its end
    done(error);
  }

  sendTrailers(fields) { this.#request.addTrailers(fields); }

  close() {
    if (this.socket) this.#tcp.resetAndDestroy();
    this.#fail();
  }
}

class Session {
  constructor(url) {
    this.url = new URL(url);
    this.encrypted = url.startsWith('https:');
  }

  request({ ':method': method = 'GET', ':path': path, ':protocol': protocol, ':scheme': scheme, ':authority': authority, ...headers },
    options = {}) {
    const upgrade = protocol && { connection: 'Upgrade', upgrade: protocol, 'sec-websocket-key': randomBytes(16).toString('base64') };
    return new Stream(this.url, { host: this.url.hostname, port: this.url.port, path, method: upgrade ? 'GET' : method,
      headers: { ...headers, ...upgrade } }, options, Boolean(upgrade));
  }
}

export async function connect(url) { return new Session(url); }
