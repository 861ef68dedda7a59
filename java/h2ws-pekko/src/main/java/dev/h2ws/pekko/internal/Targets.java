package dev.h2ws.pekko.internal;

import org.apache.pekko.http.javadsl.model.Uri;

/**
 * URIs of requests, parsed once while clients ask for the same: parsing is the most that the model of a short request costs. Any
 * thread; two that meet parse both.
 */
final class Targets {
    /** How many are kept, a power of two. */
    static final int KEPT = 256;

    /** A longer one is hardly asked for again. */
    static final int LONGEST = 256;

    private record Parsed(String text, Uri uri) {}

    private final org.apache.pekko.http.scaladsl.model.Uri.ParsingMode mode;
    private final Parsed[] kept = new Parsed[KEPT];

    Targets(org.apache.pekko.http.scaladsl.model.Uri.ParsingMode mode) {
        this.mode = mode;
    }

    /** @throws RuntimeException it is none */
    Uri of(String text) {
        if (text.length() > LONGEST) {
            return Uri.create(text, mode);
        }
        int hash = text.hashCode();
        int place = (hash ^ hash >>> 16) & KEPT - 1;
        Parsed known = kept[place];
        if (known == null || !known.text.equals(text)) {
            known = new Parsed(text, Uri.create(text, mode));
            kept[place] = known;
        }
        return known.uri;
    }
}
