package dev.h2ws;

import java.io.ByteArrayOutputStream;
import java.security.PublicKey;
import java.security.interfaces.ECPrivateKey;
import java.util.Arrays;

/**
 * PKCS#8 of an EC key with its public key in it (RFC 5915 section 3). The JDK leaves that out, and the native side's
 * cryptography does not take a key without it.
 */
final class EcKeyEncoding {
    private static final int SEQUENCE = 0x30;
    private static final int OCTET_STRING = 0x04;
    /** {@code [1]}, of the public key. */
    private static final int TAG_1 = 0xa1;

    private static final byte[] INTEGER_0 = {2, 1, 0};
    private static final byte[] INTEGER_1 = {2, 1, 1};

    private EcKeyEncoding() {}

    static byte[] pkcs8(ECPrivateKey key, PublicKey publicKey) {
        // SubjectPublicKeyInfo is a SEQUENCE of the algorithm, which PKCS#8 has too, and the key as a BIT STRING
        byte[] spki = publicKey.getEncoded();
        int algorithm = content(spki, 0);
        int bits = content(spki, algorithm) + length(spki, algorithm);
        byte[] secret = element(OCTET_STRING, secret(key));
        byte[] shown = element(TAG_1, Arrays.copyOfRange(spki, bits, spki.length));
        byte[] ec = element(SEQUENCE, INTEGER_1, secret, shown);
        return element(SEQUENCE, INTEGER_0, Arrays.copyOfRange(spki, algorithm, bits), element(OCTET_STRING, ec));
    }

    /** As long as the order of the curve, with zeros in front. */
    private static byte[] secret(ECPrivateKey key) {
        byte[] number = key.getS().toByteArray();
        byte[] secret = new byte[(key.getParams().getOrder().bitLength() + 7) / 8];
        int length = Math.min(number.length, secret.length);
        System.arraycopy(number, number.length - length, secret, secret.length - length, length);
        return secret;
    }

    /** Where the content of the element at {@code at} begins. */
    private static int content(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
    }

    /** How long the content of the element at {@code at} is. */
    private static int length(byte[] der, int at) {
        int length = der[at + 1] & 0xff;
        if (length >= 0x80) {
            int end = at + 2 + (length & 0x7f);
            length = 0;
            for (int i = at + 2; i < end; i++) {
                length = length << 8 | der[i] & 0xff;
            }
        }
        return length;
    }

    private static byte[] element(int tag, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteArrayOutputStream der = new ByteArrayOutputStream(length + 4);
        der.write(tag);
        // all curves that there are stay far below 64 KiB
        if (length >= 0x100) {
            der.write(0x82);
            der.write(length >> 8);
        } else if (length >= 0x80) {
            der.write(0x81);
        }
        der.write(length);
        for (byte[] part : parts) {
            der.writeBytes(part);
        }
        return der.toByteArray();
    }
}
