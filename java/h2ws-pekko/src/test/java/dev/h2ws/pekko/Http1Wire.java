package dev.h2ws.pekko;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.SSLContext;

/** Over HTTP/1.1. */
public final class Http1Wire extends Wire {
    private final Socket tcp;
    /** The same, or the TLS on it. */
    private final Socket socket;

    /** @param tls null for cleartext */
    public Http1Wire(int port, String path, Map<String, String> fields, SSLContext tls) throws Exception {
        tcp = new Socket("127.0.0.1", port);
        socket = tls == null ? tcp : tls.getSocketFactory().createSocket(tcp, "localhost", port, true);
        StringBuilder request = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                + "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n");
        fields.forEach((name, value) -> request.append(name + ": " + value + "\r\n"));
        socket.getOutputStream().write((request + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        InputStream in = socket.getInputStream();
        head = new TreeMap<>();
        String line = line(in);
        head.put(":status", line.split(" ")[1]);
        for (line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            head.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
        }
        Thread reader = new Thread(() -> read(in), "wire");
        reader.setDaemon(true);
        reader.start();
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new IOException("the connection ended inside the head: " + line);
            }
            line.append((char) c);
        }
        return line.toString().trim();
    }

    private void read(InputStream in) {
        byte[] buffer = new byte[8192];
        try {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                CountDownLatch reads = new CountDownLatch(1);
                whenReading(reads::countDown);
                reads.await();
                received(java.util.Arrays.copyOf(buffer, n));
            }
            heard.add("end");
        } catch (IOException | InterruptedException e) {
            heard.add("reset");
        }
    }

    @Override
    public boolean isAccepted() {
        return head.get(":status").equals("101");
    }

    @Override
    public void send(byte[] bytes, boolean end) throws Exception {
        socket.getOutputStream().write(bytes);
        if (end) {
            socket.shutdownOutput();
        }
    }

    @Override
    public void reset() throws Exception {
        tcp.setSoLinger(true, 0);
        tcp.close();
    }

    @Override
    public void close() throws Exception {
        socket.close();
    }
}
