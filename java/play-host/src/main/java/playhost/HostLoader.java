package playhost;

import java.util.List;
import java.util.Map;
import play.Application;
import play.ApplicationLoader;
import play.BuiltInComponentsFromContext;
import play.LoggerConfigurator;
import play.mvc.EssentialFilter;
import play.routing.Router;

/** The controllers, their routes, and a filter that counts requests. */
public final class HostLoader implements ApplicationLoader {
    @Override
    public Application load(Context context) {
        LoggerConfigurator.apply(context.environment().classLoader())
                .ifPresent(logger -> logger.configure(context.environment(), context.initialConfig(), Map.of()));
        return new Components(context).application();
    }

    private static final class Components extends BuiltInComponentsFromContext {
        private final Report report = new Report();

        Components(Context context) {
            super(context);
            javaHandlerComponents()
                    .addBodyParser(Bodies.Streamed.class, Bodies.Streamed::new)
                    .addBodyParser(Bodies.ThrownAway.class, Bodies.ThrownAway::new);
        }

        @Override
        public Router router() {
            return new Routes(new PageController(actorSystem(), report), new SocketController(actorSystem(), report));
        }

        @Override
        public List<EssentialFilter> httpFilters() {
            return List.of(report.counting());
        }
    }
}
