package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.model.ws.TextMessage;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The module where the header {@code Remote-Address} is gone, as in Pekko HTTP 2.0: no class of it may need it. */
class WithoutRemoteAddressTest {
    private static final String GONE = "org.apache.pekko.http.javadsl.model.headers.RemoteAddress";

    /** Loads this module's classes anew, which then do not see the one that is gone. */
    private static final class Loader extends ClassLoader {
        Loader() {
            super(WithoutRemoteAddressTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.equals(GONE)) {
                throw new ClassNotFoundException(name);
            }
            if (!name.startsWith("dev.h2ws.pekko.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> known = findLoadedClass(name);
                return known == null ? define(name) : known;
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H2WS_HTTP1", "H2WS_HTTP2"})
    void serves(Door door) throws Exception {
        Class<?> inside = new Loader().loadClass(Inside.class.getName());
        assertThat(inside).isNotEqualTo(Inside.class);
        Object heard = inside.getDeclaredMethod("talk", String.class).invoke(null, door.name());
        assertThat(heard).isEqualTo("text hello, without");
    }

    /** What runs in that loader; public for it alone. */
    public static final class Inside {
        private Inside() {}

        public static String talk(String door) throws Exception {
            ActorSystem system =
                    ActorSystem.create("without", TestConfig.with("pekko.http.server.remote-address-header = on"));
            try {
                ServerBinding binding = Door.valueOf(door).bind(system, Directives.extractRequest(request ->
                        Directives.handleWebSocketMessages(Flow.<Message>create()
                                .map(message -> TextMessage.create(
                                        message.asTextMessage().getStrictText() + ", "
                                                + (request.getHeader("remote-address").isPresent() ? "with" : "without"))))));
                try (Wire wire = Door.valueOf(door).open(binding.localAddress().getPort(), "/", Map.of())) {
                    wire.text("hello");
                    return wire.next();
                }
            } finally {
                system.terminate();
                system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
            }
        }
    }
}
