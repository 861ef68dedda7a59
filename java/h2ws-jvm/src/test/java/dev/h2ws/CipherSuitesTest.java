package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CipherSuitesTest {
    @ParameterizedTest
    @ValueSource(strings = {
        "TLSv1.3 TLS_AES_128_GCM_SHA256",
        "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256",
        "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLSv1.2 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
        "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
        "TLSv1.2 TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"
    })
    void rfc9113_9_2_good(String agreed) {
        assertThat(goodForHttp2(agreed)).isTrue();
    }

    // of appendix A, but for the versions
    @ParameterizedTest
    @ValueSource(strings = {
        "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        "TLSv1.2 TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLSv1.2 TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLSv1.2 TLS_RSA_WITH_AES_128_CCM",
        "TLSv1.2 TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLSv1.2 TLS_DH_anon_WITH_AES_128_GCM_SHA256",
        "TLSv1.2 TLS_PSK_WITH_AES_128_GCM_SHA256",
        "TLSv1.2 TLS_ECDHE_RSA_WITH_RC4_128_SHA",
        "TLSv1.2 SSL_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLSv1.2 TLS_RSA_WITH_NULL_SHA256",
        "TLSv1.1 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLSv1 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    })
    void rfc9113_9_2_forbidden(String agreed) {
        assertThat(goodForHttp2(agreed)).isFalse();
    }

    private static boolean goodForHttp2(String agreed) {
        String[] parts = agreed.split(" ");
        return CipherSuites.goodForHttp2(parts[0], parts[1]);
    }
}
