package io.sfumato.server.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.NativeEngine;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Prompts that begin alike, all the way from a client to the engine and back. */
final class BenchPrefixTest {

  @Test
  void theSecondSessionFindsThePromptAndOneWithAnotherSaltDoesNot() {
    StringWriter out = new StringWriter();
    CommandLine bench = BenchCommand.commandLine(NativeEngine::open).setOut(new PrintWriter(out));
    Path model = Path.of("..", "fixtures", "sdar");
    int exit =
        bench.execute(
            "prefix",
            "--directory",
            model.toString(),
            "--prompt-tokens=103",
            "--rounds=2",
            "--length=12");
    assertThat(exit).isZero();
    assertThat(out.toString())
        .contains("| first | 103 | 0 |")
        .contains("| second, the same prompt | 103 | 96 |")
        .contains("| third, another salt | 103 | 0 |")
        .contains("The same tokens and canvases; compared: ");
  }
}
