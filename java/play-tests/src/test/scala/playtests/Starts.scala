package playtests

import controllers.JavaSockets
import org.apache.pekko.stream.scaladsl.Flow
import play.api.mvc.{Results, WebSocket}
import play.api.routing.sird._
import play.api.{Application, ApplicationLoader, Mode}
import play.core.server.{PekkoHttpServer, Server, ServerConfig, ServerProcess}

import java.util.Properties

/** For Play, which is given its name. */
final class SiteLoader extends ApplicationLoader {
  override def load(context: ApplicationLoader.Context): Application =
    new Site(context, new JavaSockets).application
}

/** What Play starts in in production, but for the end of the JVM. */
final class TestProcess(override val properties: Properties) extends ServerProcess {
  private var hooks = List.empty[() => Unit]

  override def classLoader: ClassLoader                 = getClass.getClassLoader
  override def args: Seq[String]                        = Nil
  override def pid: Option[String]                      = Some("17")
  override def addShutdownHook(hook: => Unit): Unit     = hooks ::= (() => hook)
  override def exit(message: String, cause: Option[Throwable], returnCode: Int): Nothing =
    throw new IllegalStateException(message, cause.orNull)

  /** What SIGTERM does. */
  def terminate(): Unit = hooks.foreach(_.apply())
}

object Embedded {

  /** A server in another program, without an application of its own. */
  def start(): Server =
    PekkoHttpServer.fromRouterWithComponents(
      ServerConfig(port = Some(0), address = "127.0.0.1", mode = Mode.Test)
    ) { components =>
      {
        case GET(p"/hello") => components.defaultActionBuilder(Results.Ok("hello, world"))
        case GET(p"/echo")  => WebSocket.accept[String, String](_ => Flow[String])
      }
    }
}
