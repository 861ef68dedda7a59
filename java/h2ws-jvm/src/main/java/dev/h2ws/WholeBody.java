package dev.h2ws;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Collects a body: {@link Request#bodyBytes}. */
final class WholeBody implements BodyListener {
    private final int most;
    private final ByteArrayOutputStream collected = new ByteArrayOutputStream();
    private final CompletableFuture<byte[]> whole = new CompletableFuture<>();

    WholeBody(int most) {
        this.most = most;
    }

    CompletionStage<byte[]> stage() {
        return whole;
    }

    @Override
    public void data(Request request, byte[] data) {
        if (whole.isDone()) {
            return;
        }
        if (data.length > most - collected.size()) {
            whole.completeExceptionally(new IOException(request + ": its body has more than " + most + " bytes"));
        } else {
            collected.writeBytes(data);
        }
    }

    @Override
    public void end(Request request, Headers trailers) {
        whole.complete(collected.toByteArray());
    }

    @Override
    public void aborted(Request request, Closed closed) {
        whole.completeExceptionally(new IOException(request + " ended before its body: " + closed));
    }
}
