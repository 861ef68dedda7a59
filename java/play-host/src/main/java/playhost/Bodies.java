package playhost;

import org.apache.pekko.Done;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import play.libs.F;
import play.libs.streams.Accumulator;
import play.mvc.BodyParser;
import play.mvc.Http;
import play.mvc.Result;

/** What becomes of the bodies of requests, of any length. */
final class Bodies {
    private Bodies() {}

    /** The action has it as a {@code Source}, and begins before it has arrived. */
    static final class Streamed implements BodyParser<Source<ByteString, ?>> {
        @Override
        public Accumulator<ByteString, F.Either<Result, Source<ByteString, ?>>> apply(Http.RequestHeader request) {
            return Accumulator.<ByteString>source().map(F.Either::Right, Runnable::run);
        }
    }

    /** The action begins when it has arrived. */
    static final class ThrownAway implements BodyParser<Done> {
        @Override
        public Accumulator<ByteString, F.Either<Result, Done>> apply(Http.RequestHeader request) {
            return Accumulator.fromSink(Sink.<ByteString>ignore()).map(F.Either::Right, Runnable::run);
        }
    }
}
