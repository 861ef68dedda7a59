package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import controllers.JavaSockets;
import dev.h2ws.pekko.Http1Wire;
import dev.h2ws.pekko.Http2Wire;
import dev.h2ws.pekko.Wire;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import play.api.Application;
import play.core.server.ProdServerStart;
import play.core.server.Server;
import play.test.Helpers;
import play.test.TestServer;
import playtests.Embedded;
import playtests.TestProcess;

/** Starts, stops, and what is left of them. */
class LifecycleTest {
    private static void speaks(int port, String path, String answer) throws Exception {
        try (Wire one = new Http1Wire(port, path, Map.of(), null);
                Wire two = new Http2Wire(port, path, Map.of(), null)) {
            for (Wire wire : List.of(one, two)) {
                wire.text("hello");
                assertThat(wire.next()).isEqualTo("text " + answer);
            }
        }
    }

    private static int loops() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("h2ws-"))
                .count();
    }

    private static int files() {
        String[] open = Path.of("/proc/self/fd").toFile().list();
        return open == null ? 0 : open.length;
    }

    /** Waits until it is so, or reports what it is. */
    private static int untilAtMost(int most, IntSupplier number) {
        int is = number.getAsInt();
        for (int looks = 0; looks < 1000 && is > most; looks++) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            is = number.getAsInt();
        }
        return is;
    }

    /** Play's own start, and its end by a signal: sockets are told, and then there is nothing left. */
    @Test
    void production(@TempDir Path directory) throws Exception {
        Path pid = directory.resolve("pid");
        Properties properties = new Properties();
        properties.put("play.server.http.port", "0");
        properties.put("play.server.http.address", "127.0.0.1");
        properties.put("play.server.dir", directory.toString());
        properties.put("play.server.pidfile.path", pid.toString());
        TestProcess process = new TestProcess(properties);
        Server server = (Server) ProdServerStart.start(process);
        int port = server.mainAddress().getPort();
        assertThat(pid).hasContent("17");
        speaks(port, "/java/text", "java hello");
        try (Wire wire = new Http2Wire(port, "/java/text", Map.of(), null)) {
            Thread end = new Thread(process::terminate);
            end.start();
            assertThat(wire.next()).startsWith("close 1001");
            wire.close(1001, "");
            assertThat(wire.next()).isEqualTo("end");
            end.join();
        }
        assertThat(Files.exists(pid)).isFalse();
        assertThat(untilAtMost(0, LifecycleTest::loops)).isZero();
    }

    @Test
    void embedded() throws Exception {
        Server server = Embedded.start();
        speaks(server.mainAddress().getPort(), "/echo", "hello");
        server.stop();
        assertThat(untilAtMost(0, LifecycleTest::loops)).isZero();
    }

    /** The end of one is nothing to the other. */
    @Test
    void twoApplications() throws Exception {
        try (PlayServer one = Door.H2WS_HTTP2.start("")) {
            try (PlayServer two = Door.H2WS_HTTP2.start("")) {
                speaks(two.port(), "/java/text", "java hello");
                speaks(one.port(), "/java/text", "java hello");
            }
            speaks(one.port(), "/java/text", "java hello");
        }
        assertThat(untilAtMost(0, LifecycleTest::loops)).isZero();
    }

    /** The servers that {@code play.test.Helpers.running} starts and stops. */
    @Test
    void twoHundredStartsAndStops() throws Exception {
        List<WeakReference<Object>> applications = new ArrayList<>();
        startAndStop(applications);
        int before = files();
        for (int i = 1; i < 200; i++) {
            startAndStop(applications);
        }
        assertThat(untilAtMost(0, LifecycleTest::loops)).isZero();
        // some of a client's, which closes when it likes
        assertThat(untilAtMost(before + 5, LifecycleTest::files)).isLessThanOrEqualTo(before + 5);
        // Play itself keeps the last
        assertThat(untilAtMost(2, () -> left(applications))).isLessThanOrEqualTo(2);
    }

    private static void startAndStop(List<WeakReference<Object>> applications) throws Exception {
        Application application = PlayServer.application(new JavaSockets(), "");
        applications.add(new WeakReference<>(application));
        TestServer server = Helpers.testServer(0, application.asJava());
        Helpers.start(server);
        speaks(server.getRunningHttpPort().getAsInt(), "/java/text", "java hello");
        Helpers.stop(server);
    }

    private static int left(List<WeakReference<Object>> all) {
        System.gc();
        return (int) all.stream().filter(reference -> reference.get() != null).count();
    }
}
