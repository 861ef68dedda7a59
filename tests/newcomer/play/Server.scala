import org.apache.pekko.stream.scaladsl.Flow
import play.api.mvc.WebSocket
import play.api.routing.Router.Routes
import play.api.routing.SimpleRouter
import play.api.routing.sird._
import play.core.server.ProdServerStart

/** An ordinary application. It has no word of h2ws. */
class EchoRouter extends SimpleRouter {
  override def routes: Routes = { case GET(p"/echo") => WebSocket.accept[String, String](_ => Flow[String]) }
}

object Server {
  def main(arguments: Array[String]): Unit = ProdServerStart.main(arguments)
}
