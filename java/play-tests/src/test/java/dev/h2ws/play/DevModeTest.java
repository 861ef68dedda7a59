package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.h2ws.pekko.Wire;
import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.SystemMaterializer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import play.ApplicationLoader;
import play.Environment;
import play.Mode;
import play.api.Application;
import play.api.Play;
import play.core.ApplicationProvider;
import play.core.server.PekkoHttpServer;
import play.core.server.ServerConfig;
import playtests.Site;
import scala.Option;
import scala.runtime.BoxedUnit;
import scala.util.Success;
import scala.util.Try;

/**
 * What sbt's {@code run} does to a server: it has an actor system of its own, and its application is loaded anew, by
 * another class loader, when a source has changed.
 */
class DevModeTest {
    private static final int RELOADS = 10;

    /** Loads the application's classes itself, as those that were just compiled. */
    private static final class Reloader extends URLClassLoader {
        private static final URL CLASSES =
                DevModeTest.class.getProtectionDomain().getCodeSource().getLocation();

        Reloader() {
            super(new URL[] {CLASSES}, DevModeTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                boolean own = name.startsWith("playtests.") || findResource(name.replace('.', '/') + ".class") != null
                        && name.startsWith("controllers.");
                Class<?> loaded = own ? findLoadedClass(name) : super.loadClass(name, resolve);
                return loaded == null ? findClass(name) : loaded;
            }
        }
    }

    /** The application as it is now. */
    private static final class Reloading implements ApplicationProvider {
        final List<WeakReference<Object>> loaders = new ArrayList<>();
        private Application now;

        void reload() throws Exception {
            Reloader loader = new Reloader();
            stop();
            ApplicationLoader.Context context =
                    ApplicationLoader.create(new Environment(new File("."), loader, Mode.TEST));
            now = ((play.api.ApplicationLoader)
                            loader.loadClass("playtests.SiteLoader").getDeclaredConstructor().newInstance())
                    .load(context.asScala());
            assertThat(loader.loadClass("playtests.Site")).isNotEqualTo(Site.class);
            Play.start(now);
            loaders.add(new WeakReference<>(loader));
        }

        void stop() {
            if (now != null) {
                Play.stop(now);
            }
        }

        @Override
        public Try<Application> get() {
            return new Success<>(now);
        }
    }

    private static int left(List<WeakReference<Object>> all) {
        System.gc();
        return (int) all.stream().filter(reference -> reference.get() != null).count();
    }

    @ParameterizedTest
    @EnumSource
    void reloads(Door door) throws Exception {
        ActorSystem system = ActorSystem.create("server", ConfigFactory.parseString(
                        "h2ws.pekko.replace-http-server = " + (door.isStock() ? "off" : "on"))
                .withFallback(ConfigFactory.load()));
        Reloading application = new Reloading();
        application.reload();
        PekkoHttpServer server = new PekkoHttpServer(new PekkoHttpServer.Context(
                ServerConfig.apply(
                        DevModeTest.class.getClassLoader(), new File("."), Option.apply((Object) 0), Option.empty(),
                        "127.0.0.1", Mode.TEST.asScala(), System.getProperties()),
                application,
                system,
                SystemMaterializer.get(system).materializer(),
                () -> scala.concurrent.Future$.MODULE$.successful(BoxedUnit.UNIT)));
        try {
            int port = server.mainAddress().getPort();
            speaks(door, port);
            for (int i = 1; i < RELOADS; i++) {
                application.reload();
                speaks(door, port);
            }
            int left = RELOADS;
            for (int looks = 0; looks < 200 && left > 1; looks++) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
                left = left(application.loaders);
            }
            assertThat(left).as("class loaders, of which one is in use").isOne();
        } finally {
            server.stop();
            application.stop();
        }
    }

    private static void speaks(Door door, int port) throws Exception {
        for (String path : new String[] {"/scala/text", "/scala/actor", "/java/text"}) {
            try (Wire wire = door.open(port, path, Map.of())) {
                wire.text("hello");
                assertThat(wire.next()).endsWith("hello");
                wire.close(1000, "");
                assertThat(wire.next()).isEqualTo("close 1000");
                assertThat(wire.next()).isEqualTo("end");
            }
            try (Wire wire = door.open(port, path, Map.of())) {
                wire.text("hello");
                assertThat(wire.next()).endsWith("hello");
                wire.reset();
            }
            try (Wire wire = door.open(port, path, Map.of())) {
                wire.text("hello");
                assertThat(wire.next()).endsWith("hello");
            }
        }
        try (Wire wire = door.open(port, "/scala/known", Map.of())) {
            assertThat(wire.head).containsEntry(":status", "401");
        }
    }
}
