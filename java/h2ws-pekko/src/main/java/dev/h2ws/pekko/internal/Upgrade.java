package dev.h2ws.pekko.internal;

import dev.h2ws.Request;
import java.util.List;
import org.apache.pekko.http.impl.engine.ws.FrameEvent;
import org.apache.pekko.http.impl.engine.ws.UpgradeToWebSocketLowLevel;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.model.ws.Message;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Graph;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What a route finds in the request of a handshake. It runs nothing: the 101 that it returns carries the flow in an
 * attribute, since a route may still reject or change it (Pekko's own carries it in a header, {@code Handshake.scala}).
 *
 * <p>The class that it extends is Pekko's own because Play looks for that one, not for the public trait
 * ({@code WebSocketHandler.scala}).
 */
final class Upgrade extends UpgradeToWebSocketLowLevel {
    /** On a response: this is how to go on if the status is still 101. Attributes outlive {@code withHeaders}. */
    static final AttributeKey<Accept> ACCEPT = AttributeKey.create("dev.h2ws.pekko.accept", Accept.class);

    /**
     * A handshake that the route accepted.
     *
     * @param messages null if it is {@code frames}
     * @param frames null if it is {@code messages}
     * @param subprotocol null for none
     */
    record Accept(
            Graph<FlowShape<Message, Message>, Object> messages,
            Graph<FlowShape<FrameEvent, FrameEvent>, Object> frames,
            String subprotocol) {}

    private final List<String> offered;
    private Seq<String> requested;

    Upgrade(Request request) {
        offered = request.subprotocols();
    }

    @Override
    public Seq<String> requestedProtocols() {
        if (requested == null) {
            requested = CollectionConverters.asScala(offered).toList();
        }
        return requested;
    }

    @Override
    public HttpResponse handleMessages(Graph<FlowShape<Message, Message>, Object> flow, Option<String> subprotocol) {
        return switching(new Accept(flow, null, checked(subprotocol)));
    }

    @Override
    public HttpResponse handleFrames(
            Graph<FlowShape<FrameEvent, FrameEvent>, Object> flow, Option<String> subprotocol) {
        return switching(new Accept(null, flow, checked(subprotocol)));
    }

    /** Exactly one that was offered, as in {@code Handshake.scala}: Play counts on the failure. */
    private String checked(Option<String> subprotocol) {
        if (subprotocol.isEmpty()) {
            return null;
        }
        if (!offered.contains(subprotocol.get())) {
            throw new IllegalArgumentException("requirement failed: Tried to choose invalid subprotocol '"
                    + subprotocol.get() + "' which wasn't offered by the client: [" + String.join(", ", offered) + "]");
        }
        return subprotocol.get();
    }

    private static HttpResponse switching(Accept accept) {
        return (HttpResponse) org.apache.pekko.http.javadsl.model.HttpResponse.create()
                .withStatus(101)
                .addAttribute(ACCEPT, accept);
    }

    @Override
    public String toString() {
        return "Upgrade(" + String.join(", ", offered) + ")";
    }
}
