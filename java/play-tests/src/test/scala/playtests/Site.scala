package playtests

import controllers.{AssetsComponents, JavaSockets}
import play.api.ApplicationLoader.Context
import play.api.BuiltInComponentsFromContext
import play.api.http.{HttpRequestHandler, JavaCompatibleHttpRequestHandler}
import play.api.mvc.EssentialFilter
import play.api.routing.Router
import play.core.j.DefaultJavaHandlerComponents
import play.filters.HttpFiltersComponents
import play.filters.gzip.GzipFilterComponents
import play.http.DefaultActionCreator

/** An ordinary application, with Play's default filters and gzip. */
final class Site(context: Context, sockets: JavaSockets)
    extends BuiltInComponentsFromContext(context)
    with HttpFiltersComponents
    with GzipFilterComponents
    with AssetsComponents {
  override lazy val router: Router = Router.from(
    new Sockets(sockets)(actorSystem, materializer).routes
      .orElse(new Pages(controllerComponents, assets)(materializer).routes)
  )

  override def httpFilters: Seq[EssentialFilter] = super.httpFilters :+ gzipFilter

  /** That has controllers of Java's too. */
  override lazy val httpRequestHandler: HttpRequestHandler = new JavaCompatibleHttpRequestHandler(
    webCommands,
    devContext,
    () => router,
    httpErrorHandler,
    httpConfiguration,
    httpFilters,
    new DefaultJavaHandlerComponents(
      injector,
      new DefaultActionCreator(),
      httpConfiguration,
      executionContext,
      null // deprecated, and used by nothing here
    )
  )
}
