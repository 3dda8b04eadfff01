package io.sfumato.server.rpc;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * How the server is reached. Immutable.
 *
 * @param address where to listen; port 0 for any free one
 * @param threads threads for all calls together, apart from the transport's
 * @param maxInboundMessageBytes largest message of a client
 * @param maxCallsPerConnection concurrent calls of one connection
 * @param permitKeepAliveInterval clients that ping more often are disconnected
 * @param keepAliveInterval idle time after which the server pings
 * @param keepAliveTimeout time for the answer
 * @param maxConnectionAge time after which a client is asked to connect again
 * @param maxConnectionAgeGrace time for its calls to end by themselves
 * @param handshakeTimeout time for the connection's beginning
 * @param maxResetsPerWindow streams that a client may reset in 30 s before it is disconnected
 *     (rapid reset, CVE-2023-44487)
 */
public record RpcSettings(
    InetSocketAddress address,
    int threads,
    int maxInboundMessageBytes,
    int maxCallsPerConnection,
    Duration permitKeepAliveInterval,
    Duration keepAliveInterval,
    Duration keepAliveTimeout,
    Duration maxConnectionAge,
    Duration maxConnectionAgeGrace,
    Duration handshakeTimeout,
    int maxResetsPerWindow) {

  /** The defaults of the contract. */
  public static RpcSettings defaults(InetSocketAddress address) {
    return new RpcSettings(
        address,
        Math.max(2, Runtime.getRuntime().availableProcessors()),
        4 << 20,
        256,
        Duration.ofSeconds(20),
        Duration.ofSeconds(60),
        Duration.ofSeconds(20),
        Duration.ofMinutes(30),
        Duration.ofMinutes(5),
        Duration.ofSeconds(10),
        200);
  }
}
