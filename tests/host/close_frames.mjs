// WebSocket frames for the close suites: what a client sends, and what a server is to answer.
import { CLOSE, frame } from '../examples/websocket.mjs';

const payload = (code, reason) => {
  if (code === undefined) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
};

// A Close of ours, masked.
export const closing = (code, reason = '') => frame(CLOSE, payload(code, reason), true);

// A frame without a mask, as servers send them, and clients must not.
export const bare = (opcode, data, fin = true) => Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, data.length]), data]);

// A Close of the server's.
export const theirs = (code, reason = '') => bare(CLOSE, payload(code, reason));
