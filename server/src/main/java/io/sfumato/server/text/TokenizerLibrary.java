package io.sfumato.server.text;

/** Settings of the native tokenizer library, made before its first use. Thread-safe. */
final class TokenizerLibrary {

  private TokenizerLibrary() {}

  /**
   * Keeps the library from the network (by default it reports its use, and looks for newer
   * binaries) and from looking for a GPU, for which it has no use.
   */
  static void prepare() {
    System.setProperty("RUST_FLAVOR", "cpu");
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
  }
}
