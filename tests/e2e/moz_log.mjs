// What Firefox's log (MOZ_LOG=nsHttp:5) says about the connections to one port and what ran on them: the same as readNetLog
// gives, but for `from`, which names a connection or an HTTP/2 session here and is no port.

export function readMozLog(texts, port) {
  const fresh = new Set(), connections = [], all = [];
  const streams = new Map(), transactions = new Map(), tunnelled = new Set();
  let stream, transaction; // whose header block is being written, whose request or response is being told
  const authority = `localhost:${port}`;

  // What each line that counts begins with, and what follows from it.
  const lines = [
    // What stands for a WebSocket on a stream is a connection in its terms too; only these have a TCP socket of their own.
    // Names are used again, after what they named is gone.
    [/^Creating nsHttpConnection @(\w+)/, ([id]) => fresh.delete(id)],
    [/^DnsAndConnectSocket::SocketTransport::SetupConn Created new nshttpconnection (\w+)/, ([id]) => fresh.add(id)],
    [/^TlsHandshaker::SetupSSL (\w+) caps=\S+ [^\]]*\](\S+?)(?:\^|$)/, ([id, to]) => {
      if (to === authority && fresh.delete(id)) connections.push({ from: id });
    }],

    [/^Http2Stream(WebSocket)? (\w+) Stream ID (0x\w+) \[session=(\w+)\]/, ([websocket, id, number, session]) => {
      stream = { websocket: websocket !== undefined, protocol: 'h2', from: session, stream: Number(number) };
      streams.set(id, stream);
    }],
    [/^Http2Compressor::ProcessHeader :path (.*)$/, ([path]) => { if (stream) stream.path = path; }],
    [/^Http2Compressor::ProcessHeader :authority (.*)$/, ([to]) => { if (stream && to === authority) all.push(stream); }],
    [/^Http2StreamBase::ConvertResponseHeaders (\w+) response code (\d+)/, ([id, status]) => {
      if (streams.has(id)) streams.get(id).status = Number(status);
    }],

    // Requests are told in the form of HTTP/1.1, whichever way they go afterwards; what the answer was tells.
    [/^nsHttpTransaction::Init \[this=(\w+)/, ([id]) => { transactions.set(id, transaction = { protocol: 'http/1.1' }); }],
    [/^ {2}[A-Z]+ (\S+) HTTP\/1\.1$/, ([path]) => { if (transaction) transaction.path ??= path; }],
    [/^ {2}Host: (\S+)$/, ([to]) => { if (transaction) transaction.here ??= to === authority; }],
    [/^ {2}Upgrade: websocket$/, () => { if (transaction) transaction.websocket = true; }],
    [/^nsHttpConnection::Activate \[this=(\w+) trans=(\w+)/, ([connection, id]) => {
      const found = transactions.get(id);
      if (!found?.here || found.from) return;
      all.push(Object.assign(found, { from: connection }));
    }],
    // A connection with streams, and what stands for one of them: what they carry is told as streams.
    [/^nsHttpConnection::CreateTunnelStream (\w+) Set h2 session \w+ to tunneled conn (\w+)/, (ids) => ids.forEach((id) => tunnelled.add(id))],
    [/^nsHttpTransaction::ProcessData \[this=(\w+)/, ([id]) => { transaction = transactions.get(id); }],
    [/^nsHttpTransaction::ParseLine \[HTTP\/([\d.]+) (\d+)/, ([version, status]) => {
      if (!transaction) return;
      transaction.status ??= Number(status);
      if (version !== '1.1') transaction.protocol = undefined;
    }],
  ];

  for (const text of texts) {
    for (const [, message] of text.matchAll(/\/nsHttp (.*)$/gm)) {
      for (const [pattern, action] of lines) {
        const found = pattern.exec(message);
        if (!found) continue;
        action(found.slice(1));
        break;
      }
    }
  }
  // A socket may have been cut before an answer; a request without one was never sent.
  const sent = all.filter((r) => r.stream !== undefined
    || (r.protocol === 'http/1.1' && !tunnelled.has(r.from) && (r.status !== undefined || r.websocket)));
  return { connections, sockets: sent.filter((r) => r.websocket), requests: sent.filter((r) => !r.websocket) };
}
