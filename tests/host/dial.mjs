// A connection to a test host: cleartext, or TLS to whoever has the certificate in the file TLS_CERT.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { within } from '../examples/websocket.mjs';

// { socket, tcp }, in clear one and the same: what is written to, and what can be reset. `alpn` is the one protocol that is offered.
export function dial(url, alpn, allowHalfOpen = true) {
  const { hostname, port, protocol } = new URL(url);
  const tcp = connectTcp({ host: hostname, port: Number(port), allowHalfOpen, noDelay: true });
  if (protocol === 'http:') return { socket: tcp, tcp };
  const ca = readFileSync(process.env.TLS_CERT);
  return { socket: connectTls({ socket: tcp, ALPNProtocols: [alpn], ca, servername: 'localhost', allowHalfOpen }), tcp };
}

export async function connected({ socket, tcp }) {
  await within(once(socket, socket === tcp ? 'connect' : 'secureConnect'), 'a connection');
}
