package chat;

import play.mvc.EssentialAction;
import play.mvc.EssentialFilter;

/** Says with each answer what its request came over. */
final class ServerTiming extends EssentialFilter {
    @Override
    public EssentialAction apply(EssentialAction next) {
        return EssentialAction.of(request -> next.apply(request)
                .map(result -> result.withHeader("Server-Timing", Connection.of(request).serverTiming()), Runnable::run));
    }
}
