package playtests

import controllers.JavaSockets
import org.apache.pekko.actor.{Actor, ActorRef, ActorSystem, Props}
import org.apache.pekko.stream.Materializer
import org.apache.pekko.stream.scaladsl.Flow
import play.api.http.websocket.{Message, TextMessage}
import play.api.libs.json.{JsValue, Json}
import play.api.libs.streams.{Accumulator, ActorFlow}
import play.api.mvc.{EssentialAction, Handler, Results, WebSocket}
import play.api.routing.HandlerDef
import play.api.routing.Router.Routes
import play.api.routing.sird._
import play.core.routing.HandlerInvokerFactory

import scala.concurrent.Future
import scala.jdk.FutureConverters._

/** Controllers of Scala's with each way that Play has to accept a socket, and the routes of Java's. */
final class Sockets(java: JavaSockets)(implicit system: ActorSystem, materializer: Materializer) {
  def routes: Routes = {
    case GET(p"/scala/text") =>
      WebSocket.accept[String, String](_ => Flow[String].map("scala " + _))
    case GET(p"/scala/binary") =>
      WebSocket.accept[Array[Byte], Array[Byte]](_ => Flow[Array[Byte]].map(bytes => bytes ++ bytes))
    case GET(p"/scala/json") =>
      WebSocket.accept[JsValue, JsValue](_ => Flow[JsValue].map(value => Json.obj("scala" -> value)))
    case GET(p"/scala/messages") =>
      WebSocket.accept[Message, Message](_ => Flow[Message].collect { case text: TextMessage => text })
    case GET(p"/scala/actor") =>
      WebSocket.accept[String, String](_ => ActorFlow.actorRef(out => Props(new Counting(out))))
    case GET(p"/scala/known" ? q_o"name=$name") =>
      WebSocket.acceptOrResult[String, String] { _ =>
        Future.successful(
          name
            .map(name => Flow[String].map(text => s"$name: $text"))
            .toRight(Results.Unauthorized("who are you?\n").withHeaders("X-Why" -> "no name"))
        )
      }
    case GET(p"/java/text")       => ofJava(java.text())
    case GET(p"/java/binary")     => ofJava(java.binary())
    case GET(p"/java/json")       => ofJava(java.json())
    case GET(p"/java/actor")      => ofJava(java.actor(system, materializer))
    case GET(p"/java/known")      => ofJava(java.known())
    case GET(p"/flow/$name")      => ofJava(java.flow(name))
    case GET(p"/later/$name") =>
      EssentialAction(_ => Accumulator.done(java.later(name).asScala.map(Results.Ok(_))(system.dispatcher)))
  }

  /** As the code does that Play generates from a routes file. */
  private def ofJava(socket: => play.mvc.WebSocket): Handler =
    HandlerInvokerFactory.javaWebSocket
      .createInvoker(
        socket,
        HandlerDef(getClass.getClassLoader, "", classOf[JavaSockets].getName, "text", Nil, "GET", "", "", Nil)
      )
      .call(socket)
}

/** Says which message it was; ends the socket by ending itself. */
final class Counting(out: ActorRef) extends Actor {
  private var count = 0

  override def receive: Receive = {
    case "stop" => context.stop(self)
    case text: String =>
      count += 1
      out ! s"$count $text"
  }
}
