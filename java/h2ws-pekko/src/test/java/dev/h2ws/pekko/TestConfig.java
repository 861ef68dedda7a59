package dev.h2ws.pekko;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;

/** Configuration of the tests' actor systems. */
final class TestConfig {
    private TestConfig() {}

    /** Without the log lines of failures that the tests bring about. */
    static Config quiet() {
        return with("");
    }

    static Config with(String lines) {
        return ConfigFactory.parseString(lines + "\npekko.loglevel = OFF\npekko.stdout-loglevel = OFF\nh2ws.loops = 2")
                .withFallback(ConfigFactory.load());
    }
}
