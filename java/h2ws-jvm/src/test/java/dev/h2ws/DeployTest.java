package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that are loaded, run, and are dropped again in one JVM, as a container does it. */
class DeployTest extends EngineTest {
    @BeforeEach
    void aCopyForEachClassLoader() {
        Assumptions.assumeTrue(System.getProperty("dev.h2ws.native") == null, "one file is for one class loader");
    }

    /** A class loader that shares nothing with the tests' own but the JDK. */
    private static URLClassLoader loader() {
        URL[] classes = {
            H2ws.class.getProtectionDomain().getCodeSource().getLocation(),
            Deployed.class.getProtectionDomain().getCodeSource().getLocation()
        };
        return new URLClassLoader(classes, ClassLoader.getPlatformClassLoader());
    }

    @SuppressWarnings("unchecked")
    private static Supplier<String> deploy(ClassLoader loader) throws Exception {
        Object deployed =
                loader.loadClass(Deployed.class.getName()).getConstructor().newInstance();
        assertThat(deployed).isNotInstanceOf(Deployed.class);
        return (Supplier<String>) deployed;
    }

    /** The answer, over a connection that has no threads of its own and is closed afterwards. */
    private static String get(Supplier<String> deployed) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(deployed.get()))) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static void close(Supplier<String> deployed) throws Exception {
        ((AutoCloseable) deployed).close();
    }

    private static int descriptors() {
        String[] open = new File("/proc/self/fd").list();
        return open == null ? 0 : open.length;
    }

    /** Copies of the library that are in this process's memory. */
    private static int copies() {
        try {
            return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                    .filter(line -> line.contains("h2ws_jni"))
                    .map(line -> line.substring(line.indexOf('/')))
                    .collect(Collectors.toSet())
                    .size();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static boolean soon(BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 1000 && !condition.getAsBoolean(); i++) {
            System.gc();
            Thread.sleep(10);
        }
        return condition.getAsBoolean();
    }

    @Test
    void twoClassLoadersAtOnce() throws Exception {
        try (URLClassLoader one = loader();
                URLClassLoader another = loader()) {
            Supplier<String> first = deploy(one);
            Supplier<String> second = deploy(another);
            assertThat(get(first)).startsWith("HTTP/1.1 200").endsWith("deployed");
            assertThat(get(second)).startsWith("HTTP/1.1 200").endsWith("deployed");
            close(first);
            assertThat(get(second)).endsWith("deployed");
            close(second);
        }
    }

    @Test
    void fiftyTimesAnewLeaksNothing() throws Exception {
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        int copies = copies();
        // what the first ones leave open for good is the JDK's
        for (int i = 0; i < 2; i++) {
            loaders.add(redeploy());
        }
        int descriptors = descriptors();
        Set<Thread> threads = new HashSet<>(Thread.getAllStackTraces().keySet());
        for (int i = 0; i < 50; i++) {
            loaders.add(redeploy());
            assertThat(loopThreads()).as("loop threads after deployment %d", i).isFalse();
        }
        assertThat(soon(() -> kept(loaders).isEmpty()))
                .as("class loaders that are kept: %s", kept(loaders))
                .isTrue();
        assertThat(soon(() -> descriptors() <= descriptors))
                .as("%d descriptors, %d at the start", descriptors(), descriptors)
                .isTrue();
        assertThat(more(threads)).as("threads that are left").isEmpty();
        assertThat(soon(() -> copies() <= copies))
                .as("%d copies of the library in memory, %d at the start", copies(), copies)
                .isTrue();
    }

    /** Deploys many times, and prints what memory is the process's own after the first ones and in the end, in KiB. */
    public static final class Redeploys {
        private Redeploys() {}

        public static void main(String[] arguments) throws Exception {
            for (int i = 0; i < 100; i++) {
                WeakReference<ClassLoader> loader = redeploy();
                assertThat(soon(() -> loader.get() == null)).isTrue();
                if (i == 49 || i == 99) {
                    System.out.println("anonymous " + anonymous());
                }
            }
        }

        private static String anonymous() throws Exception {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("RssAnon:"))
                    .map(line -> line.replaceAll("[^0-9]", ""))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** Well above what the JVM itself takes (some 40 were seen), and half of what it is if engines are stopped and not released. */
    private static final long KIB_FOR_FIFTY = 300;

    /** Under a heap that is there from the start and without a compiler, so that what grows is native. */
    @Test
    void fiftyTimesAnewLosesNoNativeMemory(@TempDir Path directory) throws Exception {
        String said = new ChildJvm(directory)
                .with("-Xint", "-XX:+UseSerialGC", "-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch")
                .environment("MALLOC_ARENA_MAX", "1")
                .run(Redeploys.class);
        long[] anonymous = Pattern.compile("anonymous ([0-9]+)")
                .matcher(said)
                .results()
                .mapToLong(line -> Long.parseLong(line.group(1)))
                .toArray();
        assertThat(anonymous).hasSize(2);
        assertThat(anonymous[1] - anonymous[0])
                .as("KiB that 50 deployments left behind: %s", said)
                .isLessThan(KIB_FOR_FIFTY);
    }

    private static List<Integer> kept(List<WeakReference<ClassLoader>> loaders) {
        List<Integer> kept = new ArrayList<>();
        for (int i = 0; i < loaders.size(); i++) {
            if (loaders.get(i).get() != null) {
                kept.add(i);
            }
        }
        return kept;
    }

    /** On a thread of its own: a copy of the library stays in memory as long as threads that were in it. */
    private static WeakReference<ClassLoader> redeploy() throws Exception {
        FutureTask<WeakReference<ClassLoader>> task = new FutureTask<>(DeployTest::deployAndDrop);
        Thread thread = new Thread(task, "deployer");
        thread.start();
        thread.join();
        return task.get();
    }

    private static WeakReference<ClassLoader> deployAndDrop() throws Exception {
        try (URLClassLoader loader = loader()) {
            Supplier<String> deployed = deploy(loader);
            assertThat(get(deployed)).endsWith("deployed");
            close(deployed);
            return new WeakReference<>(loader);
        }
    }

    private static Set<String> more(Set<Thread> than) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !than.contains(thread))
                .map(Thread::getName)
                .filter(name -> name.startsWith("h2ws-") || name.startsWith("Cleaner-"))
                .collect(Collectors.toSet());
    }

    @Test
    void threadsHaveNames() throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        try (Deployed deployed = new Deployed()) {
            assertThat(get(deployed)).endsWith("deployed");
            assertThat(Thread.getAllStackTraces().keySet().stream()
                            .filter(thread -> !before.contains(thread))
                            .map(Thread::getName))
                    .containsExactlyInAnyOrder("h2ws-loop-0", "h2ws-loop-1", "h2ws-cleaner");
        }
        assertThat(Thread.getAllStackTraces().keySet()).isSubsetOf(before);
    }

    /** As {@code jcmd PID Thread.print} tells: by the system's threads too, not by Java's objects alone. */
    @Test
    void aThreadDumpNamesEveryThread(@TempDir Path directory) throws Exception {
        Set<String> before = dumped();
        SSLContext context = TestKeys.context(TestKeys.store(directory));
        try (Deployed deployed = new Deployed();
                TlsTransport transport = TlsTransport.builder(deployed.engine(), context).build();
                Listener listener = transport.listen(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), request -> {});
                SSLSocket client = (SSLSocket) context.getSocketFactory().createSocket("localhost", listener.port())) {
            client.startHandshake();
            Set<String> during = dumped();
            during.removeAll(before);
            // of the JDK: it waits for jcmd
            during.removeIf(name -> name.startsWith("process reaper"));
            assertThat(during)
                    .contains("h2ws-loop-0", "h2ws-loop-1", "h2ws-cleaner", "h2ws-tls-0", "h2ws-tls-deadline-0")
                    .allMatch(name -> name.startsWith("h2ws-"));
        }
    }

    private static Set<String> dumped() throws Exception {
        Process jcmd = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        String.valueOf(ProcessHandle.current().pid()),
                        "Thread.print")
                .redirectErrorStream(true)
                .start();
        String dump = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jcmd.waitFor()).as(dump).isZero();
        return Pattern.compile("(?m)^\"([^\"]+)\" ")
                .matcher(dump)
                .results()
                .map(line -> line.group(1))
                .collect(Collectors.toCollection(HashSet::new));
    }
}
