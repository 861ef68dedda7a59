package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.internal.Native;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Every native, called with the number of something that has ended, or with nonsense: a status, and nothing else. */
class LateCallTest extends EngineTest {
    /** Those that end the engine, or belong to its threads. */
    private static final List<String> OF_THE_ENGINE = List.of("start", "stop", "release", "drain", "enter");

    /** The natives whose parameters begin with that many numbers of things. */
    private static List<Method> natives(int numbers) {
        List<Method> all = Arrays.stream(Native.class.getDeclaredMethods())
                .filter(method -> Modifier.isNative(method.getModifiers()))
                .filter(method -> Arrays.stream(method.getParameterTypes())
                                .takeWhile(type -> type == long.class)
                                .count()
                        >= numbers)
                .toList();
        all.forEach(method -> method.setAccessible(true));
        return all;
    }

    private static List<Method> ofStreams() {
        return natives(2).stream()
                .filter(method -> !OF_THE_ENGINE.contains(method.getName()))
                // a stream's number may be a listener's too
                .filter(method -> !method.getName().contains("istener"))
                .toList();
    }

    /** What is as it should be, but for the numbers in front. */
    private static Object[] arguments(Method method, long... numbers) {
        Class<?>[] types = method.getParameterTypes();
        Object[] arguments = new Object[types.length];
        for (int i = 0; i < types.length; i++) {
            boolean piece = i + 1 < types.length && types[i + 1] == int.class && !method.getName().equals("accept");
            arguments[i] = i < numbers.length ? (Object) numbers[i] : sensible(method.getName(), types[i], piece);
        }
        return arguments;
    }

    /** With piece: bytes, of which the next two parameters name some; else fields or a whole, of which there may be none. */
    private static Object sensible(String method, Class<?> type, boolean piece) {
        if (type == long.class) {
            return 0L;
        } else if (type == int.class) {
            return switch (method) {
                case "respond", "respondStart", "reject" -> 400;
                case "inform" -> 103;
                case "close" -> 1000;
                // a kind of message; an offset; a length
                default -> 1;
            };
        } else if (type == boolean.class) {
            return true;
        } else if (type == byte[].class) {
            return piece ? new byte[2] : null;
        } else if (type == ByteBuffer.class) {
            return ByteBuffer.allocateDirect(2);
        } else if (type == String.class) {
            return "127.0.0.1:0";
        } else if (type == byte[][].class) {
            return new byte[0][];
        } else if (type == int[].class) {
            return new int[0];
        } else if (type == String[].class) {
            return new String[0];
        } else if (type == Object[].class) {
            return new Object[0];
        }
        return null;
    }

    private static Object nonsense(Class<?> type) {
        if (type == long.class) {
            return Long.MIN_VALUE;
        } else if (type == int.class) {
            return Integer.MIN_VALUE;
        } else if (type == boolean.class) {
            return false;
        }
        return null;
    }

    private static void gone(Method method, Object... arguments) throws Exception {
        Object answer = method.invoke(null, arguments);
        if (answer instanceof Number status) {
            assertThat(status.longValue()).as("%s%s", method.getName(), Arrays.toString(arguments)).isEqualTo(Native.GONE);
        } else {
            assertThat(answer).as(method.getName()).isNull();
        }
        assertThat(Native.lastError()).as(method.getName()).contains("has ended");
    }

    private static Object field(Object of, String name) throws Exception {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }

    private static Exchange exchange(Request request) throws Exception {
        return (Exchange) field(request, "exchange");
    }

    @Test
    void afterTheEngine() throws Exception {
        serve(request -> {});
        long id = ((Engine) field(engine, "engine")).id;
        engine.close();
        assertThat(natives(1)).hasSizeGreaterThan(30);
        for (Method method : natives(1)) {
            if (method.getName().equals("adopt")) {
                // a descriptor would be somebody's: HandOverTest
                continue;
            }
            gone(method, arguments(method, id));
        }
    }

    @Test
    void afterTheListener() throws Exception {
        serve(request -> {});
        Listener listener = engine.listen("127.0.0.1:0", request -> {});
        long stale = (long) field(listener, "id");
        listener.close();
        long id = ((Engine) field(engine, "engine")).id;
        assertThat(Native.closeListener(id, stale)).isEqualTo(Native.GONE);
        assertThat(Native.listenerAddress(id, stale)).isNull();
        assertThat(Native.lastError()).contains("has ended");
    }

    @Test
    void afterTheStreamAndTheConnection() throws Exception {
        CompletableFuture<Exchange> ended = new CompletableFuture<>();
        Client.Place place = serve(request -> {
            Exchange exchange = exchange(request);
            request.onClosed(how -> ended.complete(exchange));
            request.respond(200, "ok");
        });
        assertThat(Client.get(place, "/").statusCode()).isEqualTo(200);
        Exchange exchange = ended.get(10, TimeUnit.SECONDS);
        assertThat(ofStreams()).hasSizeGreaterThan(20);
        for (Method method : ofStreams()) {
            for (long stale : new long[] {exchange.stream(), 0, -1, Long.MAX_VALUE}) {
                gone(method, arguments(method, exchange.engine.id, stale));
            }
        }
        assertThat(Client.get(place, "/").statusCode()).isEqualTo(200);
    }

    /** Whatever is answered: no crash, no other engine's harm. The JVM's own exceptions are an answer. */
    @Test
    void nonsenseForWhatIsThere() throws Exception {
        for (Method method : ofStreams()) {
            CompletableFuture<Exchange> held = new CompletableFuture<>();
            Client.Place place = serve(request -> {
                if (request.path().equals("/held")) {
                    held.complete(exchange(request));
                } else {
                    request.respond(200, "ok");
                }
            });
            CompletableFuture<?> answer = Client.HTTP.sendAsync(
                    java.net.http.HttpRequest.newBuilder(place.http("/held")).build(),
                    java.net.http.HttpResponse.BodyHandlers.discarding());
            Exchange exchange = held.get(10, TimeUnit.SECONDS);
            Object[] arguments = arguments(method, exchange.engine.id, exchange.stream());
            for (int i = 2; i < arguments.length; i++) {
                arguments[i] = nonsense(method.getParameterTypes()[i]);
            }
            Object status = method.invoke(null, arguments);
            if (status instanceof Number number) {
                assertThat(number.longValue()).as(method.getName()).isLessThanOrEqualTo(0);
            }
            assertThat(Client.get(place, "/").body()).as("after %s", method.getName()).isEqualTo("ok");
            engine.close();
            answer.exceptionally(gone -> null).get(10, TimeUnit.SECONDS);
        }
    }
}
