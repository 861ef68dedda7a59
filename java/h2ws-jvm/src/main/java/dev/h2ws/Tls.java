package dev.h2ws;

import dev.h2ws.internal.Native;
import dev.h2ws.internal.NativeLoader;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Certificates and keys, loaded: {@link ListenOptions#tls}. One may serve many listeners and engines. All methods may
 * be called on any thread.
 */
public final class Tls implements AutoCloseable {
    private long id;

    private Tls(long id) {
        this.id = id;
    }

    /** Whether clients are asked for a certificate. */
    public enum ClientAuth {
        /** They are not asked. */
        NONE,
        /** They may show one; one that the roots do not vouch for ends the handshake. */
        OPTIONAL,
        /** They must show one. */
        REQUIRED
    }

    /**
     * Begins one.
     *
     * @return an empty builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A certificate with its key in PEM files.
     *
     * @param chain the server's certificate, then those that vouch for it
     * @param key its key, not encrypted
     * @return loaded
     * @throws H2wsException with {@link Status#TLS}, the file and the reason
     */
    public static Tls of(Path chain, Path key) {
        return builder().identity(chain, key).load();
    }

    /**
     * Loads others in their place, for all listeners that use them. Handshakes from now on use the new ones;
     * connections that are open go on. When it fails, nothing has changed. Blocks while it reads files.
     *
     * @param builder the new ones
     * @throws H2wsException with {@link Status#TLS}, the file and the reason
     */
    public void reload(Builder builder) {
        int status =
                Native.tlsReload(id(), builder.chains(), builder.keys(), builder.clientRoots, builder.clientAuth());
        if (status != Native.OK) {
            throw H2wsException.last(status, "reload of TLS");
        }
    }

    /** Frees it. Listeners and connections that use it go on. Nothing happens if it was closed already. */
    @Override
    public synchronized void close() {
        if (id != 0) {
            Native.tlsRelease(id);
            id = 0;
        }
    }

    synchronized long id() {
        if (id == 0) {
            throw new H2wsException(Status.GONE, "these TLS certificates were closed");
        }
        return id;
    }

    /** What a {@link Tls} is loaded from. Not for several threads. */
    public static final class Builder {
        private final List<Object> chains = new ArrayList<>();
        private final List<Object> keys = new ArrayList<>();
        private Object clientRoots;
        private ClientAuth clientAuth = ClientAuth.NONE;

        private Builder() {}

        /**
         * Adds a certificate with its key. A client gets the first whose certificate has the name that it asks for
         * (SNI), else the first of all.
         *
         * @param chain a file, PEM or DER: the server's certificate, then those that vouch for it
         * @param key a file, PEM or DER: PKCS#8, SEC1 or PKCS#1, not encrypted; may be the same. A PKCS#8 key of EC has its
         *     public part in it, as openssl writes it; a JDK leaves that out, and {@link #keyStore} puts it in
         * @return this
         */
        public Builder identity(Path chain, Path key) {
            return add(chain.toString(), key.toString());
        }

        /**
         * Adds a certificate with its key.
         *
         * @param chain PEM or DER
         * @param key PEM or DER, as for {@link #identity(Path, Path)}
         * @return this
         */
        public Builder identity(byte[] chain, byte[] key) {
            return add(chain.clone(), key.clone());
        }

        /**
         * Adds every key of a key store, with its chain.
         *
         * @param store the store, loaded
         * @param password of its keys
         * @return this
         * @throws H2wsException with {@link Status#TLS} and the alias: the password is wrong, or the key cannot be
         *     exported, as one in hardware
         */
        public Builder keyStore(KeyStore store, char[] password) {
            for (KeyStoreExport.Identity identity : KeyStoreExport.identities(store, password)) {
                add(identity.chain(), identity.key());
            }
            return this;
        }

        private Builder add(Object chain, Object key) {
            chains.add(chain);
            keys.add(key);
            return this;
        }

        /**
         * Asks clients for a certificate.
         *
         * @param auth whether they must show one
         * @param roots a PEM file of the roots that vouch for them
         * @return this
         */
        public Builder clientAuth(ClientAuth auth, Path roots) {
            clientAuth = Objects.requireNonNull(auth, "auth");
            clientRoots = roots.toString();
            return this;
        }

        /**
         * Asks clients for a certificate.
         *
         * @param auth whether they must show one
         * @param roots the roots that vouch for them, PEM
         * @return this
         */
        public Builder clientAuth(ClientAuth auth, byte[] roots) {
            clientAuth = Objects.requireNonNull(auth, "auth");
            clientRoots = roots.clone();
            return this;
        }

        /**
         * Loads it. Blocks while it reads files.
         *
         * @return loaded; to be closed
         * @throws H2wsException with {@link Status#TLS}: the file or the argument, and the reason
         */
        public Tls load() {
            NativeLoader.load();
            long id = Native.tlsCreate(chains(), keys(), clientRoots, clientAuth());
            if (Handlers.isStatus(id)) {
                throw H2wsException.last(id, "TLS");
            }
            return new Tls(id);
        }

        private Object[] chains() {
            return chains.toArray();
        }

        private Object[] keys() {
            return keys.toArray();
        }

        private int clientAuth() {
            return clientAuth.ordinal();
        }
    }
}
