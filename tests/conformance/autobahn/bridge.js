#!/usr/bin/env node
// Lets an HTTP/1.1 WebSocket client (the Autobahn suite) talk to a server that takes WebSockets over HTTP/2
// Extended CONNECT (RFC 8441). The HTTP/2 side is Node's own, that is nghttp2.
//
// It does the opening handshake of both sides and then moves bytes: it never looks at a WebSocket frame.
//
//   TCP data  <->  DATA
//   TCP FIN   <->  END_STREAM
//   TCP RST   <->  RST_STREAM (CANCEL towards the server)
//
//   bridge.js [--share] [--window N] TARGET
//
//   TARGET      URL of the server: http:, HTTP/2 with prior knowledge, or https:, whose certificate is in the file TLS_CERT
//   --share     all WebSockets on one HTTP/2 connection (default: a connection each)
//   --window N  the stream window offered to the server (default 65535)
//
// Prints "listening on HOST:PORT", then a line for each WebSocket: its bytes, and how each side ended.
'use strict';
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const { parseArgs } = require('node:util');

const { NGHTTP2_CANCEL } = http2.constants;
const HANDSHAKE_MS = 10_000;
const HOP_BY_HOP = new Set(['connection', 'upgrade', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te',
  'trailer', 'content-length', 'http2-settings', 'host', 'sec-websocket-key', 'sec-websocket-accept']);

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { share: { type: 'boolean', default: false }, window: { type: 'string', default: '65535' } },
});
if (positionals.length !== 1) {
  console.error('usage: bridge.js [--share] [--window N] TARGET');
  process.exit(2);
}
const target = positionals[0];
const secure = target.startsWith('https:');
const trust = secure ? { ca: readFileSync(process.env.TLS_CERT) } : {};

/** A new HTTP/2 connection whose server has offered Extended CONNECT. */
function connect() {
  return new Promise((resolve, reject) => {
    const session = http2.connect(target, { ...trust, settings: { initialWindowSize: Number(options.window), enablePush: false } });
    const timer = setTimeout(() => fail(new Error('no SETTINGS from the server')), HANDSHAKE_MS);
    function fail(error) {
      clearTimeout(timer);
      reject(error);
      session.destroy();
    }
    session.on('error', fail);
    session.once('remoteSettings', (settings) => {
      if (!settings.enableConnectProtocol) return fail(new Error('the server did not send SETTINGS_ENABLE_CONNECT_PROTOCOL'));
      clearTimeout(timer);
      session.setLocalWindowSize(16 << 20);
      resolve(session);
    });
  });
}

let shared;
/** The connection for the next WebSocket. */
async function session() {
  if (!options.share) return connect();
  const live = shared && await shared.catch(() => undefined);
  if (!live || live.closed || live.destroyed) shared = connect();
  return shared;
}

function passOn(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':') && !HOP_BY_HOP.has(name)));
}

let count = 0;
function serve(request, socket, head) {
  const id = ++count;
  const seen = { up: 0, down: 0, client: 'open', server: 'open' };
  const refuse = (status, why) => {
    console.log(`#${id} ${request.url} refused with ${status}: ${why}`);
    socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  };
  // Until the stream is there, whatever the client does ends here.
  socket.on('error', () => {});
  socket.setNoDelay(true);
  session().then((connection) => {
    const stream = connection.request({
      ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': secure ? 'https' : 'http', ':path': request.url,
      ':authority': request.headers.host, ...passOn(request.headers),
    }, { endStream: false });
    const timer = setTimeout(() => stream.close(NGHTTP2_CANCEL), HANDSHAKE_MS);
    let opened = false;

    stream.on('response', (headers) => {
      clearTimeout(timer);
      if (headers[':status'] !== 200) {
        stream.close(NGHTTP2_CANCEL);
        return refuse(headers[':status'], 'by the server');
      }
      opened = true;
      const accept = createHash('sha1')
        .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const fields = Object.entries(passOn(headers)).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + `Sec-WebSocket-Accept: ${accept}\r\n${fields}\r\n`);
      if (head.length > 0) up(head);
      socket.on('data', up);
    });

    function up(data) {
      seen.up += data.length;
      if (stream.writable && !stream.write(data)) {
        socket.pause();
        stream.once('drain', () => socket.resume());
      }
    }
    socket.on('end', () => {
      seen.client = 'FIN';
      stream.end();
    });
    socket.on('error', (error) => {
      seen.client = error.code;
      stream.close(NGHTTP2_CANCEL);
    });

    stream.on('data', (data) => {
      seen.down += data.length;
      if (!socket.write(data)) {
        stream.pause();
        socket.once('drain', () => stream.resume());
      }
    });
    // Node ends the readable side for END_STREAM and for a reset alike; only the reset has a code by then.
    stream.on('end', () => {
      if (!opened || stream.rstCode !== 0) return;
      seen.server = 'END_STREAM';
      socket.end();
    });
    stream.on('error', (error) => { seen.error = error.code; });
    stream.on('close', () => {
      clearTimeout(timer);
      const cut = seen.server === 'open' && opened;
      if (stream.rstCode !== 0 || cut) {
        if (seen.client === 'open' || seen.client === 'FIN') {
          seen.server = `reset ${stream.rstCode} ${seen.error ?? ''}`;
          if (opened) socket.resetAndDestroy();
          else if (socket.writable) refuse(502, seen.server);
        }
      }
      if (opened) {
        console.log(`#${id} ${request.url} client ${seen.up} bytes, ${seen.client}; `
          + `server ${seen.down} bytes, ${seen.server}`);
      }
      if (!options.share) connection.close();
    });
  }, (error) => refuse(502, error.message));
}

// insecureHTTPParser is off: the suite's requests are to be correct too.
const server = http.createServer((_, response) => response.writeHead(426, { upgrade: 'websocket' }).end());
server.on('upgrade', serve);
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
