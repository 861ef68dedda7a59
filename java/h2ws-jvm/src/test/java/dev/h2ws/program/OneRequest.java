package dev.h2ws.program;

import dev.h2ws.H2ws;
import dev.h2ws.H2wsException;
import dev.h2ws.Listener;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A program that serves one request, and prints the answer and where the library is, or why it cannot. In a package of its own, because one that a
 * module has too is not looked for on the class path.
 */
public final class OneRequest {
    private OneRequest() {}

    public static void main(String[] arguments) throws Exception {
        Module module = H2ws.class.getModule();
        System.out.println("module " + module.getName());
        try (H2ws engine = H2ws.builder().loops(1).start();
                Listener listener = engine.listen("127.0.0.1:0", request -> request.respond(200, "served"));
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), listener.port())) {
            socket.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            System.out.println(new String(in.readAllBytes(), StandardCharsets.US_ASCII));
            Files.readAllLines(Path.of("/proc/self/maps")).stream()
                    .filter(line -> line.contains("h2ws_jni"))
                    .map(line -> "library " + line.substring(line.indexOf('/')))
                    .distinct()
                    .forEach(System.out::println);
        } catch (H2wsException e) {
            System.out.println(e.status() + " " + e.getMessage());
        }
    }
}
