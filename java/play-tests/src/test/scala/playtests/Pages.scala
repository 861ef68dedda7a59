package playtests

import controllers.Assets
import org.apache.pekko.stream.Materializer
import org.apache.pekko.stream.scaladsl.Source
import org.apache.pekko.util.ByteString
import play.api.http.HttpEntity
import play.api.libs.json.Json
import play.api.libs.streams.Accumulator
import play.api.mvc._
import play.api.routing.Router.Routes
import play.api.routing.sird._
import play.filters.csrf.CSRF

/** Pages of an ordinary application. */
final class Pages(components: ControllerComponents, assets: Assets)(implicit materializer: Materializer)
    extends AbstractController(components) {
  private val piece = ByteString(Array.fill[Byte](10000)('x'))

  def routes: Routes = {
    case GET(p"/hello")              => Action(Ok("hello, world"))
    case GET(p"/request")            => Action(request => Ok(told(request)))
    case GET(p"/streamed/${int(n)}") => Action(Ok.streamed(pieces(n), Some(n * 10000L)))
    case GET(p"/chunked/${int(n)}")  => Action(Ok.chunked(pieces(n)))
    case GET(p"/unknown-length/${int(n)}") =>
      Action(Ok.sendEntity(HttpEntity.Streamed(pieces(n), None, Some("text/plain"))))
    case GET(p"/failing") =>
      Action(Ok.chunked(pieces(1).concat(Source.failed(new IllegalStateException("as asked")))))
    case GET(p"/fails")     => Action(_ => throw new IllegalStateException("as asked"))
    case GET(p"/public/$file*") => assets.at("/public", file)
    case GET(p"/login/$name") => Action(Ok("in").withSession("user" -> name).withCookies(Cookie("a", "1"), Cookie("b", "2")))
    case GET(p"/user") =>
      Action(request => Ok(request.session.get("user").getOrElse("nobody") + request.cookies.map(_.name).toList.sorted.mkString(" ", ",", "")))
    case POST(p"/size")  => Action(parse.raw(maxLength = 1 << 24))(request => Ok(request.body.size.toString))
    case POST(p"/short") => Action(parse.tolerantText(maxLength = 100))(request => Ok(request.body))
    case POST(p"/echo")  => Action(streamed)(request => Ok.chunked(request.body))
    case POST(p"/refused") =>
      EssentialAction(_ => Accumulator.done(Forbidden("no body wanted")))
    case POST(p"/upload") =>
      Action(parse.multipartFormData) { request =>
        val fields = request.body.dataParts.toList.sortBy(_._1).map { case (name, values) => s"$name=${values.mkString}" }
        val files  = request.body.files.map(file => s"${file.key}:${file.filename}:${file.fileSize}")
        Ok((fields ++ files).mkString(" "))
      }
    case GET(p"/token") => Action(implicit request => Ok(CSRF.getToken.map(_.value).getOrElse("no token")))
  }

  private def pieces(count: Int) = Source.repeat(piece).take(count.toLong)

  private val streamed: BodyParser[Source[ByteString, _]] =
    BodyParser(_ => Accumulator.source[ByteString].map(Right(_))(components.executionContext))

  private def told(request: RequestHeader) = Json.obj(
    "version" -> request.version,
    "method"  -> request.method,
    "uri"     -> request.uri,
    "host"    -> request.host,
    "secure"  -> request.secure,
    "remote"  -> request.remoteAddress,
    "client" -> request.clientCertificateChain
      .flatMap(_.headOption)
      .map(_.getSubjectX500Principal.getName)
      .getOrElse[String]("none")
  )
}
