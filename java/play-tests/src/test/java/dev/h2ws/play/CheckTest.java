package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
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
        assertThat(warnings("h2ws.pekko.replace-http-server = off"))
                .containsExactly("WARNING h2ws does not serve this application, so there are no WebSockets over HTTP/2: "
                        + "h2ws.pekko.replace-http-server = off");
    }

    @Test
    void anotherServerIsAWarning() {
        assertThat(warnings("play.server.provider = play.core.server.NettyServerProvider"))
                .singleElement()
                .asString()
                .contains("play.server.provider is play.core.server.NettyServerProvider");
    }

    @Test
    void whereItServesThereIsNone() {
        assertThat(warnings("")).isEmpty();
    }

    /** What the log has of it from the start of an application. */
    private static List<String> warnings(String lines) {
        List<String> logged = new CopyOnWriteArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord line) {
                logged.add(line.getLevel() + " " + new SimpleFormatter().formatMessage(line));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger(H2wsCheck.class.getName());
        logger.setLevel(Level.ALL);
        logger.addHandler(handler);
        try {
            stop(start(lines));
        } finally {
            logger.removeHandler(handler);
            logger.setLevel(null);
        }
        return logged;
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
