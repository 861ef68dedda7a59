package dev.h2ws.pekko.internal;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The {@code date} of responses (RFC 9110 section 6.6.1), put together once a second. */
final class HttpDate {
    /** IMF-fixdate has two digits for the day, which RFC_1123_DATE_TIME has not. */
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH).withZone(ZoneOffset.UTC);

    private record Second(long second, String text) {}

    private volatile Second last = new Second(-1, "");

    String now() {
        long second = System.currentTimeMillis() / 1000;
        Second known = last;
        if (known.second != second) {
            known = new Second(second, FORMAT.format(Instant.ofEpochSecond(second)));
            last = known;
        }
        return known.text;
    }
}
