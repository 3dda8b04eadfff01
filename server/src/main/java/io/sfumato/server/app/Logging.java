package io.sfumato.server.app;

import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Settings of the log, which goes to standard error, one line per entry. Thread-safe. */
final class Logging {

  private static final Logger ROOT = Logger.getLogger("");
  private static final Logger OWN = Logger.getLogger("io.sfumato");
  private static final Logger TOKENIZERS =
      Logger.getLogger("ai.djl"); // warns where there is no GPU
  private static final Logger STREAMS =
      Logger.getLogger(
          "io.grpc.netty.NettyServerHandler"); // warns when a client that was slow goes

  private static final Logger LOADING =
      Logger.getLogger("io.sfumato.server.model.ModelLoader"); // tells only of what takes long

  private Logging() {}

  /** Warnings, and how far a large model has been loaded, as suits a tool. */
  static void configure() {
    System.setProperty(
        "java.util.logging.SimpleFormatter.format", "%1$tFT%1$tT.%1$tL%1$tz %4$s %3$s: %5$s%6$s%n");
    ROOT.setLevel(Level.WARNING);
    TOKENIZERS.setLevel(Level.SEVERE);
    STREAMS.setLevel(Level.SEVERE);
    LOADING.setLevel(Level.INFO);
    for (Handler handler : ROOT.getHandlers()) {
      handler.setLevel(Level.ALL);
    }
  }

  /** What a server tells about itself, too. */
  static void verbose() {
    OWN.setLevel(Level.INFO);
  }
}
