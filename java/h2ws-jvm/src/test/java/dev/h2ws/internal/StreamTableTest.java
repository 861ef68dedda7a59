package dev.h2ws.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

class StreamTableTest {
    private final StreamTable table = new StreamTable();

    private static StreamEvents stream(long id) {
        return (StreamEvents) Proxy.newProxyInstance(
                StreamTableTest.class.getClassLoader(),
                new Class<?>[] {StreamEvents.class},
                (proxy, method, args) -> id);
    }

    @Test
    void streamsAreFoundByIndexAndId() {
        StreamEvents first = stream(7);
        StreamEvents far = stream(8);
        table.put(0, first);
        table.put(100_000, far);
        assertThat(table.get(0, 7)).isSameAs(first);
        assertThat(table.get(100_000, 8)).isSameAs(far);
    }

    @Test
    void anIndexThatIsNoStreamsIsMalformed() {
        table.put(1, stream(7));
        assertThatThrownBy(() -> table.get(1, 8)).isInstanceOf(MalformedRecordException.class);
        assertThatThrownBy(() -> table.get(2, 7)).isInstanceOf(MalformedRecordException.class);
        assertThatThrownBy(() -> table.get(-1, 7)).isInstanceOf(MalformedRecordException.class);
        assertThatThrownBy(() -> table.get(Long.MAX_VALUE, 7)).isInstanceOf(MalformedRecordException.class);
        assertThatThrownBy(() -> table.put(1L << 40, stream(7))).isInstanceOf(MalformedRecordException.class);
        table.remove(1);
        assertThatThrownBy(() -> table.get(1, 7)).isInstanceOf(MalformedRecordException.class);
    }
}
