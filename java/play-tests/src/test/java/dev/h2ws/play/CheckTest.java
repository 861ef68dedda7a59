package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;
import play.Application;
import play.inject.guice.GuiceApplicationBuilder;

/** What an application with injected components is told at its start; the module is enabled by the jar's presence. */
class CheckTest {
    private static Application start(String lines) {
        return new GuiceApplicationBuilder()
                .configure(ConfigFactory.parseString(lines))
                .build();
    }

    private static void stop(Application application) {
        play.api.Play.stop(application.asScala());
    }

    @Test
    void anApplicationThatRequiresItStartsWithIt() {
        Application application = start("play.server.h2ws.required = on");
        assertThat(application.injector().instanceOf(H2wsCheck.class)).isNotNull();
        stop(application);
    }

    @Test
    void switchedOffIsAWarning() {
        stop(start("h2ws.pekko.replace-http-server = off"));
    }

    @Test
    void switchedOffAndRequired() {
        assertThatThrownBy(() -> start("h2ws.pekko.replace-http-server = off\nplay.server.h2ws.required = on"))
                .hasStackTraceContaining("h2ws.pekko.replace-http-server = off; play.server.h2ws.required is on");
    }

    @Test
    void anotherServerAndRequired() {
        assertThatThrownBy(() -> start(
                        "play.server.provider = play.core.server.NettyServerProvider\nplay.server.h2ws.required = on"))
                .hasStackTraceContaining("play.server.provider is play.core.server.NettyServerProvider");
    }
}
