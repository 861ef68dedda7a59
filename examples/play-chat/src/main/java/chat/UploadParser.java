package chat;

import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.util.ByteString;
import play.http.HttpErrorHandler;
import play.libs.F;
import play.libs.streams.Accumulator;
import play.mvc.BodyParser;
import play.mvc.Http;
import play.mvc.Result;

/** Takes a file in as it comes; one that is too large is 413. */
public final class UploadParser extends BodyParser.MaxLengthBodyParser<Upload> {
    UploadParser(HttpErrorHandler errors) {
        super(Upload.MAX_BYTES, errors);
    }

    @Override
    protected Accumulator<ByteString, F.Either<Result, Upload>> apply1(Http.RequestHeader request) {
        return Accumulator.fromSink(Sink.fold(new Upload(), Upload::add)).map(F.Either::Right, Runnable::run);
    }
}
