package dev.h2ws.play;

import com.typesafe.config.Config;
import java.util.List;
import play.Environment;
import play.inject.Binding;
import play.inject.Module;

/**
 * Has {@link H2wsCheck} look when an application starts. This jar's {@code reference.conf} enables it; an application
 * that puts its components together itself makes an {@code H2wsCheck} there.
 */
public final class H2wsModule extends Module {
    /** Called by Play. */
    public H2wsModule() {}

    @Override
    public List<Binding<?>> bindings(Environment environment, Config config) {
        return List.of(bindClass(H2wsCheck.class).toSelf().eagerly());
    }
}
