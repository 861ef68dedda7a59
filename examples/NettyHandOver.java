import dev.h2ws.H2ws;
import dev.h2ws.H2wsException;
import dev.h2ws.ListenOptions;
import dev.h2ws.Request;
import dev.h2ws.WebSocket;
import dev.h2ws.WebSocketListener;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.AbstractNioChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/**
 * A Netty server that gives its connections to h2ws. They are taken between accept and registration: then no event loop
 * knows them, nothing has been read, and nothing has to be undone.
 *
 * <pre>java -cp h2ws-jvm-0.1.0.jar:netty.jar... NettyHandOver.java 8080</pre>
 *
 * <p>The port comes from the first argument or from PORT; 0 takes any free one. TRANSPORT is epoll or nio.
 */
public class NettyHandOver {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    public static void main(String[] arguments) throws InterruptedException {
        int port = Integer.parseInt(arguments.length > 0 ? arguments[0] : System.getenv().getOrDefault("PORT", "8080"));
        boolean epoll = !System.getenv().getOrDefault("TRANSPORT", "epoll").equals("nio");
        IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        H2ws engine = H2ws.builder().start();
        Channel server = new ServerBootstrap().group(new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("netty", true), io))
                .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                // on the server's channel, so in front of the one of Netty's that registers what was accepted
                .handler(new HandOver(engine))
                .childHandler(new ChannelInboundHandlerAdapter()) // has to be there, but hears of nothing
                .bind("127.0.0.1", port).sync().channel();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.close().syncUninterruptibly();
            engine.drain(Duration.ofSeconds(5));
            engine.close();
        }));
        System.out.println("listening on http://127.0.0.1:" + ((InetSocketAddress) server.localAddress()).getPort());
        server.closeFuture().sync(); // all threads are daemons
    }

    private static final class HandOver extends ChannelInboundHandlerAdapter {
        private final H2ws engine;

        HandOver(H2ws engine) {
            this.engine = engine;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            Channel child = (Channel) message;
            try {
                if (child instanceof UnixChannel unix) {
                    int descriptor = unix.fd().intValue();
                    engine.adoptDescriptor(descriptor, NettyHandOver::serve, NOTHING, ListenOptions.defaults());
                } else if (child.unsafe() instanceof AbstractNioChannel.NioUnsafe nio) {
                    engine.adopt((SocketChannel) nio.ch(), NettyHandOver::serve);
                }
            } catch (H2wsException e) {
                System.err.println(e.getMessage()); // say the peer is gone already
            } finally {
                // what is left of it is Netty's own object, whose descriptor leads nowhere now
                child.unsafe().closeForcibly();
            }
        }
    }

    private static void serve(Request request) {
        if (!request.isWebSocket()) {
            request.respond(200, "hello\n");
            return;
        }
        request.accept(new WebSocketListener() {
            @Override
            public void text(WebSocket socket, String text) {
                socket.sendText(text);
            }

            @Override
            public void binary(WebSocket socket, byte[] data) {
                socket.sendBinary(data);
            }
        });
    }
}
