package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code raw-request-uri-header}, which Play sets: it takes the path from there and the host from {@code Host}. */
class RawTargetTest {
    private static final Route ROUTE = Directives.extractRequest(request ->
            Directives.complete(StreamSupport.stream(request.getHeaders().spliterator(), false)
                    .filter(header -> header.is("host") || header.is("raw-request-uri"))
                    .map(header -> header.lowercaseName() + " " + header.value())
                    .sorted()
                    .collect(Collectors.joining(", "))));

    @ParameterizedTest
    @CsvSource({
        "on,  on,  'host localhost:PORT, raw-request-uri /a%41?b'",
        "on,  off, 'host localhost:PORT, raw-request-uri /a%41?b'",
        "off, on,  ''"
    })
    void aTargetAsItCameHasItsHostBesideIt(String raw, String modelled, String expected) throws Exception {
        ActorSystem system = ActorSystem.create("raw", TestConfig.with("pekko.http.server.raw-request-uri-header = " + raw
                + "\npekko.http.server.parsing.modeled-header-parsing = " + modelled));
        try {
            ServerBinding binding =
                    H2ws.get(system).newServerAt("127.0.0.1", 0).bind(ROUTE).toCompletableFuture().get(10, TimeUnit.SECONDS);
            int port = binding.localAddress().getPort();
            try (Jetty jetty = new Jetty(port)) {
                assertThat(jetty.http.GET("http://localhost:" + port + "/a%41?b").getContentAsString())
                        .isEqualTo(expected.replace("PORT", "" + port));
            }
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }
}
