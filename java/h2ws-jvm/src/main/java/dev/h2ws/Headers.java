package dev.h2ws;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * Header fields or trailers: names and values in the order in which they came, immutable. A name may come several times
 * and is found in any case. Values are ISO-8859-1 text: one character for each byte.
 */
public final class Headers implements Iterable<Map.Entry<String, String>> {
    private static final Headers EMPTY = new Headers(new String[0]);

    /** Names and values in turn. */
    private final String[] fields;

    private Headers(String[] fields) {
        this.fields = fields;
    }

    /**
     * No fields.
     *
     * @return the empty headers
     */
    public static Headers of() {
        return EMPTY;
    }

    /**
     * These fields: {@code Headers.of("content-type", "text/plain", "cache-control", "no-store")}.
     *
     * @param namesAndValues names and values in turn
     * @return the headers
     * @throws IllegalArgumentException if the last name has no value
     */
    public static Headers of(String... namesAndValues) {
        if (namesAndValues.length % 2 != 0) {
            throw new IllegalArgumentException(
                    "the field " + namesAndValues[namesAndValues.length - 1] + " has no value");
        }
        for (String text : namesAndValues) {
            if (text == null) {
                throw new IllegalArgumentException("null in " + Arrays.toString(namesAndValues));
            }
        }
        return namesAndValues.length == 0 ? EMPTY : new Headers(namesAndValues.clone());
    }

    /** These fields, not copied. */
    static Headers own(String[] fields) {
        return fields == null || fields.length == 0 ? EMPTY : new Headers(fields);
    }

    /** As natives take them ({@code args.rs}): how many, then each text behind its length, a byte a character; null for none. */
    static byte[] raw(Headers headers) {
        if (headers == null || headers.isEmpty()) {
            return null;
        }
        int size = 4;
        for (String text : headers.fields) {
            size += 4 + text.length();
        }
        byte[] raw = new byte[size];
        int at = put(raw, 0, headers.size());
        for (String text : headers.fields) {
            int length = text.length();
            at = put(raw, at, length);
            for (int i = 0; i < length; i++) {
                char c = text.charAt(i);
                // NUL is refused as what is no byte has to be
                raw[at++] = c > 0xff ? 0 : (byte) c;
            }
        }
        return raw;
    }

    private static int put(byte[] to, int at, int number) {
        to[at] = (byte) number;
        to[at + 1] = (byte) (number >> 8);
        to[at + 2] = (byte) (number >> 16);
        to[at + 3] = (byte) (number >> 24);
        return at + 4;
    }

    /**
     * These and one field more, at the end.
     *
     * @param name its name
     * @param value its value
     * @return new headers
     */
    public Headers with(String name, String value) {
        if (name == null || value == null) {
            throw new IllegalArgumentException("the field " + name + " with the value " + value);
        }
        String[] more = Arrays.copyOf(fields, fields.length + 2);
        more[fields.length] = name;
        more[fields.length + 1] = value;
        return new Headers(more);
    }

    /**
     * The first value of a name.
     *
     * @param name the name, in any case
     * @return its value, if there is one
     */
    public Optional<String> get(String name) {
        for (int i = 0; i < fields.length; i += 2) {
            if (fields[i].equalsIgnoreCase(name)) {
                return Optional.of(fields[i + 1]);
            }
        }
        return Optional.empty();
    }

    /**
     * All values of a name, in order.
     *
     * @param name the name, in any case
     * @return its values; empty if there are none
     */
    public List<String> all(String name) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < fields.length; i += 2) {
            if (fields[i].equalsIgnoreCase(name)) {
                values.add(fields[i + 1]);
            }
        }
        return Collections.unmodifiableList(values);
    }

    /**
     * Whether there is such a field.
     *
     * @param name the name, in any case
     * @return true if there is
     */
    public boolean contains(String name) {
        return get(name).isPresent();
    }

    /**
     * How many fields.
     *
     * @return the count; a name that comes twice counts twice
     */
    public int size() {
        return fields.length / 2;
    }

    /**
     * Whether there are none.
     *
     * @return true if there are none
     */
    public boolean isEmpty() {
        return fields.length == 0;
    }

    @Override
    public Iterator<Map.Entry<String, String>> iterator() {
        return new Iterator<>() {
            private int at;

            @Override
            public boolean hasNext() {
                return at < fields.length;
            }

            @Override
            public Map.Entry<String, String> next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                at += 2;
                return Map.entry(fields[at - 2], fields[at - 1]);
            }
        };
    }

    /** Equal: the same fields in the same order, names in any case. */
    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Headers headers) || headers.fields.length != fields.length) {
            return false;
        }
        for (int i = 0; i < fields.length; i += 2) {
            if (!fields[i].equalsIgnoreCase(headers.fields[i]) || !fields[i + 1].equals(headers.fields[i + 1])) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        int hash = 1;
        for (int i = 1; i < fields.length; i += 2) {
            hash = 31 * hash + fields[i].hashCode();
        }
        return hash;
    }

    /** The names alone: values may be secrets, and this text ends up in logs. */
    @Override
    public String toString() {
        List<String> names = new ArrayList<>();
        forEach(field -> names.add(field.getKey()));
        return names.toString();
    }
}
